"""Lines: gaps stay gaps, lone seconds stay visible, and thinning loses no spike."""

from __future__ import annotations

from dataclasses import replace

from chaos.report import series
from chaos.verdict import Bucket
from tests.report.samples import FAILED, buckets


def bucket(t: float, ok: int = 10, failed: int = 0, p99: float | None = 0.1) -> Bucket:
    return Bucket("orders", t, ok, failed, 0, p99, p99)


def test_thinning_adds_counts_up_and_keeps_the_worst_p99() -> None:
    seconds = [bucket(float(t)) for t in range(3601)]
    seconds[1234] = bucket(1234.0, ok=0, failed=10, p99=9.0)
    found = series.points(seconds)
    assert 300 < len(found) <= series.POINTS_MAX
    assert max(point.p99_s or 0 for point in found) == 9.0
    hurt = [point for point in found if point.success != 100]
    assert len(hurt) == 1 and hurt[0].t <= 1234 < hurt[0].t + hurt[0].width
    assert hurt[0].success is not None and 80 < hurt[0].success < 100


def test_short_runs_are_drawn_second_by_second() -> None:
    found = series.points(buckets(62, hurt=0.3))
    assert [point.t for point in found] == [float(t) for t in range(62)]


def test_a_gap_breaks_the_line_and_a_lone_second_is_widened() -> None:
    found = series.points([bucket(float(t)) for t in (0, 1, 2, 3, 10, 20, 21, 22)])
    parts = series.lines(found, "p99_s")
    assert [len(part) for part in parts] == [4, 2, 3]
    assert parts[1] == [(10.0, 0.1), (11.0, 0.1)]


def test_seconds_without_a_figure_break_the_line() -> None:
    found = series.points([bucket(0.0), bucket(1.0), bucket(2.0, ok=0, p99=None), bucket(3.0), bucket(4.0)])
    assert [len(part) for part in series.lines(found, "success")] == [2, 2]
    assert [len(part) for part in series.lines(found, "p99_s")] == [2, 2]


def test_nothing_is_nothing() -> None:
    assert series.points([]) == []
    assert series.lines([], "success") == []


def test_bounds_come_from_the_tolerances_of_the_phases_that_were() -> None:
    found = series.bounds(FAILED, "orders.p99")
    assert [(bound.value, bound.upper, bound.start, bound.end) for bound in found] == [
        (0.8, True, 2.0, 12.0),
        (1.5, True, 12.0, 42.0),
    ]
    strange = replace(FAILED.checks[0], expected="nothing like a tolerance")
    assert series.bounds(replace(FAILED, checks=(strange,)), "orders.success_rate") == []
