"""Each measure, by hand: what is kept, broken, unknown, too little, or certain before there is enough."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.judge.latency import PER_MILLE, Latencies, microseconds
from chaos.judge.tally import Meter, Outcome, Point, Tally
from chaos.units import tolerance
from chaos.verdict import Verdict

PASSED, FAILED, INCONCLUSIVE = Verdict.PASSED, Verdict.FAILED, Verdict.INCONCLUSIVE


def ok(ms: float = 10) -> Point:
    """Answered yes."""
    return Point(True, latency_us=microseconds(ms / 1e3))


def no(ms: float = 1) -> Point:
    """Refused."""
    return Point(False, latency_us=microseconds(ms / 1e3))


def gave_up(ms: float = 5000) -> Point:
    """Given up after so long."""
    return Point(False, gave_up=True, latency_us=microseconds(ms / 1e3))


def sample(value: float | None) -> Point:
    """A probe's number."""
    return Point(value is not None, latency_us=100, value=value)


def judged(metric: str, bound: str, points: list[Point], length_s: float = 10.0, whole: int = 0) -> Outcome:
    """All of them, under one tolerance."""
    meter = Meter(metric, tolerance(bound))
    tally = Tally()
    for point in points:
        meter.add(tally, point)
    return meter.judge(tally, length_s, whole)


@pytest.mark.parametrize(
    ("metric", "bound", "points", "verdict"),
    [
        ("orders.success_rate", ">= 99%", [ok()] * 99 + [no()], PASSED),
        ("orders.success_rate", ">= 99%", [ok()] * 98 + [no()] * 2, FAILED),
        ("orders.success_rate", "> 99%", [ok()] * 99 + [no()], FAILED),
        ("orders.success_rate", ">= 99.5%", [ok()] * 995 + [gave_up()] * 5, PASSED),
        ("orders.success_rate", ">= 99.5%", [ok()] * 994 + [gave_up()] * 6, FAILED),
        ("orders.success_rate", "== 100%", [ok()] * 100, PASSED),
        ("orders.success_rate", "== 100%", [ok()] * 199 + [no()], FAILED),
        ("orders.success_rate", "< 50%", [ok()] * 10 + [no()] * 90, PASSED),
        ("orders.success_rate", ">= 99%", [], INCONCLUSIVE),
        ("orders.success_rate", ">= 99%", [ok()] * 95, PASSED),  # the edges of a phase may cut off 5%
        ("orders.success_rate", ">= 99%", [ok()] * 94, INCONCLUSIVE),
        ("orders.success_rate", ">= 99%", [ok()] * 97 + [no()], INCONCLUSIVE),  # two more ok would keep it
        ("orders.success_rate", ">= 99%", [ok()] * 10 + [no()] * 2, FAILED),  # no more ok could
        ("orders.success_rate", ">= 99%", [ok()] * 10 + [no()], INCONCLUSIVE),
        ("orders.p99", "< 800ms", [ok()] * 99 + [ok(900)], PASSED),
        ("orders.p99", "< 800ms", [ok()] * 98 + [ok(900)] * 2, FAILED),
        ("orders.p99", "< 800ms", [ok()] * 98 + [ok(800)] * 2, FAILED),
        ("orders.p99", "<= 800ms", [ok()] * 98 + [ok(800)] * 2, PASSED),
        ("orders.p99", "< 800ms", [ok()] * 94, INCONCLUSIVE),
        ("orders.p99", "< 800ms", [ok()] * 20 + [ok(900)] * 2, FAILED),
        ("orders.p99", "< 800ms", [ok()] * 98 + [gave_up()] * 2, FAILED),
        ("orders.p99", "< 8s", [ok()] * 98 + [gave_up()] * 2, INCONCLUSIVE),  # nobody waited for eight seconds
        ("orders.p99", "< 8s", [ok()] * 99 + [gave_up()], PASSED),
        ("orders.p99", "< 8s", [ok()] * 98 + [ok(9000)] + [gave_up()], INCONCLUSIVE),
        ("orders.p99", "< 8s", [ok()] * 97 + [ok(9000)] * 2 + [gave_up()], FAILED),
        ("orders.p50", "< 1s", [ok(2000)] * 60 + [no()] * 140, FAILED),  # quick refusals do not make it quick
        ("orders.p50", "< 1s", [ok()] * 60 + [no(2000)] * 61, FAILED),  # slow ones make it slow
        ("orders.p50", "< 1s", [no()] * 60, FAILED),  # not one success
        ("orders.p50", "< 1s", [no()] * 10, INCONCLUSIVE),
        ("orders.p50", "< 1s", [ok()] * 5 + [no()] * 60, INCONCLUSIVE),  # five answers are no median
        ("orders.p50", "> 1s", [ok(2000)] * 60, PASSED),
        ("orders.p50", "> 1s", [ok(2000)] * 30 + [ok()] * 30, FAILED),
        ("orders.p50", "> 8s", [gave_up()] * 40 + [ok(9000)] * 20, INCONCLUSIVE),
        ("orders.p50", "== 1s", [ok(1000)] * 20, PASSED),
        ("orders.p50", "== 1s", [ok(1000)] * 19 + [ok(999)], FAILED),
        ("orders.p99.9", "< 1s", [ok()] * 999 + [ok(2000)], PASSED),
        ("orders.p99.9", "< 1s", [ok()] * 998 + [ok(2000)] * 2, FAILED),
        ("orders.max", "< 1s", [ok()] * 20, PASSED),
        ("orders.max", "< 1s", [ok()] * 20 + [ok(1000)], FAILED),
        ("orders.max", "< 1s", [ok(1000)], FAILED),  # one is enough to break it
        ("orders.max", "< 1s", [ok()] * 5, INCONCLUSIVE),
        ("orders.mean", "< 100ms", [ok(90)] * 20 + [no()] * 50, PASSED),
        ("orders.mean", "< 100ms", [ok(90)] * 20 + [gave_up()], FAILED),
        ("orders.mean", "< 100ms", [ok(90)] * 5, INCONCLUSIVE),
        ("orders.rate", "> 9/s", [ok()] * 91, PASSED),
        ("orders.rate", "> 9/s", [ok()] * 90, FAILED),
        ("orders.rate", "> 9/s", [ok()] * 50 + [no()] * 100, FAILED),
        ("lag.value", "< 1", [sample(0.5)] * 3, PASSED),
        ("lag.value", "< 1", [sample(0.5)] * 30 + [sample(1)], FAILED),
        ("lag.value", "< 1", [sample(2)], FAILED),
        ("lag.value", "< 1", [sample(0.5)] * 2, INCONCLUSIVE),
        ("lag.value", "< 1", [sample(0.5)] * 30 + [sample(None)], INCONCLUSIVE),
        ("lag.success_rate", ">= 50%", [sample(1.0)] * 19 + [sample(None)], PASSED),
    ],
)
def test_by_hand(metric: str, bound: str, points: list[Point], verdict: Verdict) -> None:
    assert judged(metric, bound, points).verdict is verdict


def test_a_phase_that_was_cut_short_fails_only_where_the_rest_could_not_mend_it() -> None:
    points = [ok()] * 98 + [no()] * 4
    assert judged("orders.success_rate", ">= 99%", points, whole=600).verdict is INCONCLUSIVE
    assert judged("orders.success_rate", ">= 99%", [*points, *[no()] * 3], whole=600).verdict is FAILED
    assert judged("orders.success_rate", ">= 99%", [ok()] * 102, whole=600).verdict is INCONCLUSIVE
    assert judged("orders.p99", "< 1s", [ok()] * 98 + [ok(2000)] * 4, whole=600).verdict is INCONCLUSIVE
    assert judged("orders.p99", "< 1s", [ok()] * 98 + [ok(2000)] * 7, whole=600).verdict is FAILED


LATENCY_MS = st.floats(0.0, 6000.0)
POINTS = st.lists(st.one_of(LATENCY_MS.map(ok), LATENCY_MS.map(no), LATENCY_MS.map(gave_up)), min_size=1, max_size=300)
MEASURES = st.sampled_from(sorted(PER_MILLE))


@given(POINTS, POINTS, MEASURES)
def test_stretches_add_up(first: list[Point], second: list[Point], measure: str) -> None:
    meter = Meter(f"orders.{measure}", tolerance("< 1s"))
    parts = [Tally(), Tally(), Tally()]
    for tally, points in zip(parts, (first, second, first + second), strict=True):
        for point in points:
            meter.add(tally, point)
    assert parts[0] + parts[1] == parts[2]


@given(POINTS, MEASURES)
def test_the_figure_shown_and_the_verdict_agree(points: list[Point], measure: str) -> None:
    bound = tolerance("< 1s")
    latencies = Latencies()
    for point in points:
        assert point.latency_us is not None
        latencies.add(point.latency_us, refused=not (point.ok or point.gave_up))
    shown = latencies.percentile_s(PER_MILLE[measure])
    assert shown is not None
    outcome = judged(f"orders.{measure}", "< 1s", points)
    if outcome.verdict is PASSED:
        assert bound.holds(shown)
    if outcome.verdict is FAILED and outcome.enough and any(point.ok for point in points):
        assert not bound.holds(shown)


@given(POINTS, st.lists(LATENCY_MS, max_size=100), MEASURES)
def test_refusals_never_make_a_percentile_better(points: list[Point], refusals: list[float], measure: str) -> None:
    figures = []
    for seen in (points, [*points, *map(no, refusals)]):
        latencies = Latencies()
        for point in seen:
            assert point.latency_us is not None
            latencies.add(point.latency_us, refused=not (point.ok or point.gave_up))
        figures.append(latencies.percentile_s(PER_MILLE[measure]) or 0.0)
    assert figures[1] >= figures[0]


@given(st.lists(LATENCY_MS, min_size=1, max_size=200), st.sampled_from([500, 900, 990, 1000]))
def test_without_refusals_it_is_the_nearest_rank(latencies_ms: list[float], per_mille: int) -> None:
    latencies = Latencies()
    rounded = sorted(microseconds(ms / 1e3) for ms in latencies_ms)
    for value in rounded:
        latencies.add(value, refused=False)
    rank = -(-len(rounded) * per_mille // 1000)
    assert latencies.percentile_s(per_mille) == rounded[rank - 1] / 1e6


@given(st.floats(0.0, 3600.0))
def test_a_latency_is_rounded_up_and_by_at_most_a_thousandth(latency_s: float) -> None:
    exact = latency_s * 1e6
    rounded = microseconds(latency_s)
    assert exact - 0.5 <= rounded <= exact * 1.001 + 0.5
    assert len(str(rounded).rstrip("0")) <= 4


def test_a_latency_before_its_time_is_none() -> None:
    assert microseconds(-0.001) == 0
