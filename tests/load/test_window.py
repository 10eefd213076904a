"""What the generator counts in a quarter of a second, and what the conductor makes of the last few of them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from chaos.load.history import Result
from chaos.load.summary import StreamSummary, Summary, Tally, latencies
from chaos.load.window import Window


def _summary(t: float, ended: Sequence[tuple[Result, float]]) -> Summary:
    tally = Tally()
    for result, latency_s in ended:
        tally.ended(result, latency_s)
    sent = json.dumps(Summary(t, {"orders": tally.take(), "browse": tally.take()}).record())
    return Summary.of(json.loads(sent))  # as it arrives


def _latencies(summary: StreamSummary) -> int:
    found = latencies()
    found.decode_and_add(summary.hdr)
    return int(found.get_total_count())


def test_a_tally_counts_and_starts_again() -> None:
    tally = Tally()
    for n in range(1, 101):
        tally.ended("ok", n / 1000)
    tally.ended("unknown", 5.0)
    taken = tally.take()
    assert (taken.ok, taken.failed, taken.unknown) == (100, 0, 1)
    assert _latencies(taken) == 101
    again = tally.take()
    assert (again.ok, again.failed, again.unknown) == (0, 0, 0)
    assert _latencies(again) == 0


def test_an_empty_window_knows_nothing() -> None:
    window = Window(1.0)
    assert window.success_rate("orders") is None
    assert window.percentile("orders", 99) is None
    assert window.rate("orders") is None
    assert window.span_s == 0.0


def test_only_the_last_seconds_count() -> None:
    window = Window(1.0)
    for quarter in range(1, 5):
        window.add(_summary(quarter / 4, [("failed", 1.0)] * 5))
    assert window.success_rate("orders") == 0.0
    assert window.rate("orders") == 0.0
    for quarter in range(5, 7):
        window.add(_summary(quarter / 4, [("ok", 0.1)] * 5))
    assert window.success_rate("orders") == 50.0
    assert window.ended("orders") == 20
    for quarter in range(7, 9):
        window.add(_summary(quarter / 4, [("ok", 0.1)] * 5))
    assert window.success_rate("orders") == 100.0
    assert window.span_s == pytest.approx(1.0)
    assert window.rate("orders") == pytest.approx(20.0)


def test_unknown_operations_are_no_successes() -> None:
    window = Window(1.0)
    window.add(_summary(0.25, [("ok", 0.1), ("unknown", 5.0), ("failed", 0.1), ("ok", 0.1)]))
    assert window.success_rate("orders") == 50.0


def test_percentiles_are_of_all_summaries_together() -> None:
    window = Window(10.0)
    for quarter in range(4):
        window.add(_summary(quarter / 4, [("ok", n / 1000) for n in range(quarter * 250 + 1, quarter * 250 + 251)]))
    assert window.percentile("orders", 50) == pytest.approx(0.5, rel=0.01)
    assert window.percentile("orders", 99) == pytest.approx(0.99, rel=0.01)
    assert window.percentile("orders", 100) == pytest.approx(1.0, rel=0.01)
    assert window.percentile("browse", 50) is None


def test_a_window_that_is_not_full_yet_says_so() -> None:
    window = Window(10.0)
    assert window.streams() == []
    window.add(_summary(100.0, [("ok", 0.1)] * 5))
    window.add(_summary(100.25, [("ok", 0.1)] * 5))
    assert window.streams() == ["orders", "browse"]
    assert window.span_s == pytest.approx(0.5)
    assert not window.full()
    for quarter in range(2, 40):
        window.add(_summary(100 + quarter / 4, []))
    assert window.full()


def test_metrics_go_by_the_names_of_experiments() -> None:
    window = Window(10.0)
    window.add(_summary(0.25, [("ok", 0.1), ("ok", 0.2), ("failed", 0.3)]))
    assert window.measure("orders.success_rate") == pytest.approx(200 / 3)
    assert window.measure("orders.rate") == pytest.approx(8.0)
    assert window.measure("orders.p50") == pytest.approx(0.2, rel=0.01)
    assert window.measure("orders.p99.9") == window.measure("orders.max") == pytest.approx(0.3, rel=0.01)
    assert window.measure("orders.mean") == pytest.approx(0.2, rel=0.01)
    assert window.measure("browse.p99") is None
    with pytest.raises(KeyError):
        window.measure("orders.median")


def test_the_rate_is_of_the_time_that_passed() -> None:
    window = Window(10.0)
    window.add(_summary(100.0, [("ok", 0.1)] * 5))
    window.add(_summary(100.25, [("ok", 0.1)] * 5))
    assert window.rate("orders") == pytest.approx(20.0)
    assert window.success_rate("no such stream") is None
