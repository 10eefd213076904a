"""`abort_if`: true without a break for as long as it says, while faults are on; with a clock of the test's own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chaos.abort import WINDOW_S, AbortIf, Met
from chaos.load.summary import EVERY_S, Summary, Tally
from chaos.units import tolerance

PER_S = 20
LATENCY_S = 0.02
BEGAN_S = 100.0
Share = Callable[[float], float | None]
"""Seconds since the faults began → the share of the orders that fail then; None: not one order ends."""


def play(rules: dict[str, str], share: Share, until_s: float = 60.0, since_s: float = 0.0) -> tuple[float, Met] | None:
    """When, in seconds since the faults began, which rule was met; None if none was."""
    abort_if = AbortIf({metric: tolerance(text) for metric, text in rules.items()}, BEGAN_S)
    for quarter in range(round(since_s / EVERY_S) + 1, round(until_s / EVERY_S) + 1):
        t = quarter * EVERY_S
        failing = share(t)
        tally = Tally()
        for number in range(round(PER_S * EVERY_S) if failing is not None else 0):
            tally.ended("failed" if number < (failing or 0.0) * PER_S * EVERY_S else "ok", LATENCY_S)
        met = abort_if.add(Summary(BEGAN_S + t, {"orders": tally.take()}))
        if met is not None:
            return t, met
    return None


BELOW_HALF = {"orders.success_rate": "< 50% for 10s"}


def test_true_for_as_long_as_it_says() -> None:
    found = play(BELOW_HALF, lambda t: 1.0)
    assert found is not None
    t, met = found
    assert 10.0 <= t <= 10.0 + WINDOW_S
    assert (met.metric, met.bound.text, met.value) == ("orders.success_rate", "< 50% for 10s", 0.0)


def test_an_average_below_the_bound_is_not_enough() -> None:
    """Four seconds of every six are lost: less than half of any ten seconds succeeds, but never for ten in a row."""
    assert play(BELOW_HALF, lambda t: 1.0 if t % 6 < 4 else 0.0) is None


def test_one_bad_stretch_that_drags_the_average_down_is_not_enough() -> None:
    assert play(BELOW_HALF, lambda t: 1.0 if t <= 7 else 0.0) is None


def test_a_break_starts_the_count_again() -> None:
    found = play(BELOW_HALF, lambda t: 0.0 if 8 < t <= 11 else 1.0)
    assert found is not None
    assert 11.0 + 10.0 <= found[0] <= 11.0 + 10.0 + WINDOW_S


def test_what_was_before_the_faults_does_not_count() -> None:
    found = play(BELOW_HALF, lambda t: 1.0, since_s=-30.0)
    assert found is not None
    assert found[0] >= 10.0
    assert play({"orders.success_rate": "< 50%"}, lambda t: 1.0 if t <= 0 else 0.0, since_s=-30.0) is None


def test_without_a_time_a_whole_window_is_enough() -> None:
    found = play({"orders.success_rate": "< 50%"}, lambda t: 1.0)
    assert found is not None
    assert found[0] == pytest.approx(WINDOW_S)


def test_silence_is_no_break() -> None:
    """Orders that hang until they are given up end all together, now and then."""
    found = play(BELOW_HALF, lambda t: 1.0 if t % 5 == 0 else None)
    assert found is not None
    assert 10.0 <= found[0] <= 15.0 + WINDOW_S


def test_nothing_at_all_is_no_success_rate_but_a_rate() -> None:
    assert play(BELOW_HALF, lambda t: None) is None
    found = play({"orders.rate": "< 1/s for 3s"}, lambda t: None)
    assert found is not None
    assert found[0] >= 3.0


def test_latencies_too_and_the_first_rule_met_counts() -> None:
    rules = {"orders.p99": "> 5s for 3s", "orders.max": "> 10ms for 3s", "orders.mean": "> 10ms for 3s"}
    found = play(rules, lambda t: 0.0)
    assert found is not None
    assert found[1].metric == "orders.max"
    assert found[1].value == pytest.approx(LATENCY_S, rel=0.02)
