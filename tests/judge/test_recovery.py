"""The time to recover: the first half second from which on everything to the end was steady."""

from __future__ import annotations

import pytest

from chaos.judge.recovery import Recovery, measure
from chaos.judge.tally import Meter, Point, Tally
from chaos.units import tolerance

RATE = 20
LENGTH_S = 30.0


def recovery(bad: list[tuple[float, float]], *, rate: int = RATE, length_s: float = LENGTH_S) -> Recovery:
    """All is well but for what came due in these spans; 99% is asked for, which needs 100 samples."""
    meter = Meter("orders.success_rate", tolerance(">= 99%"))
    cells: dict[int, Tally] = {}
    for number in range(int(length_s * rate)):
        t = number / rate
        broken = any(start <= t < end for start, end in bad)
        meter.add(cells.setdefault(int(t / 0.5), Tally()), Point(not broken, latency_us=1000))
    return measure([meter], [cells], length_s)


@pytest.mark.parametrize(
    ("bad", "time_s"),
    [
        ([], 0.0),
        ([(0, 3)], 3.0),
        ([(0, 3.4)], 3.5),  # 0.4 s of failures are 8 of 540
        ([(0, 2), (8, 10)], 10.0),
        ([(0, 0.05)], 0.0),  # 1 of 600 is within the bound, whenever it came
        ([(24.0, 24.05)], 0.0),
        ([(20, 30)], None),
        ([(29, 30)], None),
        ([(0, 30)], None),
    ],
)
def test_time(bad: list[tuple[float, float]], time_s: float | None) -> None:
    assert recovery(bad).time_s == time_s


def test_a_good_spell_between_bad_ones_is_no_recovery() -> None:
    assert recovery([(0, 1), (24, 25)]).time_s == 25.0


def test_it_is_known_only_as_far_as_samples_reach() -> None:
    # 95 of the 100 samples are in the last 4.75 s, and the grid's step before that is at 25 s
    assert recovery([(0, 25)]).time_s == 25.0
    assert recovery([(0, 25.4)]).time_s is None


def test_too_thin_traffic_tells_nothing() -> None:
    seen = recovery([], rate=1)
    assert (seen.time_s, seen.known, seen.samples) == (None, False, 30)


def test_the_last_part_of_a_half_second_counts() -> None:
    assert recovery([(30.0, 30.4)], length_s=30.4).time_s is None


def test_the_strictest_tolerance_decides() -> None:
    fast, sure = Meter("orders.p50", tolerance("< 1s")), Meter("orders.success_rate", tolerance(">= 99%"))
    cells: list[dict[int, Tally]] = [{}, {}]
    for number in range(600):
        point = Point(ok=number >= 100, latency_us=2_000_000 if number < 200 else 1000)
        for meter, of_meter in zip((fast, sure), cells, strict=True):
            meter.add(of_meter.setdefault(number // 10, Tally()), point)
    assert measure([sure], cells[1:], 30.0).time_s == 5.0
    # the median is below a second as soon as half of the rest is: 200 slow ones of which 100 are left at 5 s
    assert measure([fast], cells[:1], 30.0).time_s == 0.0
    assert measure([fast, sure], cells, 30.0).time_s == 5.0
