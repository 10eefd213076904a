"""Quantities: what is understood, what is refused, and that texts and numbers agree both ways."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.units import (
    DURATION_PATTERN,
    PERCENT_PATTERN,
    RATE_PATTERN,
    SIZE_PATTERN,
    THROUGHPUT_PATTERN,
    TOLERANCE_PATTERN,
    duration,
    duration_text,
    percent_text,
    percentage,
    rate,
    rate_text,
    size,
    size_text,
    throughput,
    throughput_text,
    tolerance,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10s", 10), ("250ms", 0.25), ("1.5min", 90), ("2h", 7200), ("5us", 5e-6), (" 3 s ", 3), ("0s", 0)],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "value", ["10", "10 seconds", "-1s", "1:30", "s", "", "1e3s", "٣s", "9" * 10 + "s", 10, 1.5, None, True, ["1s"], {}]
)
def test_what_is_no_duration(value: object) -> None:
    with pytest.raises(ValueError, match="is not a duration; allowed: a number with a unit"):
        duration(value)


@pytest.mark.parametrize(("text", "per_s"), [("20/s", 20), ("90/min", 1.5), ("0.5 / s", 0.5)])
def test_rates(text: str, per_s: float) -> None:
    assert rate(text) == pytest.approx(per_s)


@pytest.mark.parametrize("value", ["20", "20/h", "20/second", 20, None])
def test_what_is_no_rate(value: object) -> None:
    with pytest.raises(ValueError, match="is not a rate; allowed"):
        rate(value)


@pytest.mark.parametrize(("text", "percent"), [("0%", 0), ("12.5%", 12.5), ("100 %", 100)])
def test_percentages(text: str, percent: float) -> None:
    assert percentage(text) == percent


@pytest.mark.parametrize("value", ["101%", "0.5", "-1%", 50, None])
def test_what_is_no_percentage(value: object) -> None:
    with pytest.raises(ValueError, match="is not a percentage; allowed: 0% to 100%"):
        percentage(value)


@pytest.mark.parametrize(
    ("text", "count"),
    [("64MB", 64_000_000), ("1.5 kB", 1500), ("1KiB", 1024), ("0B", 0), ("2 MiB", 2 * 2**20), ("1GB", 10**9)],
)
def test_sizes(text: str, count: int) -> None:
    assert size(text) == count
    assert re.search(SIZE_PATTERN, text)


@pytest.mark.parametrize("value", ["64", "64M", "64mb", "-1MB", "1MB/s", 64, None])
def test_what_is_no_size(value: object) -> None:
    with pytest.raises(ValueError, match="is not a size; allowed: a number with B, kB"):
        size(value)


@pytest.mark.parametrize(("text", "per_s"), [("100kB/s", 100_000), ("2 MiB / s", 2 * 2**20), ("0.5kB/s", 500)])
def test_throughputs(text: str, per_s: float) -> None:
    assert throughput(text) == per_s
    assert re.search(THROUGHPUT_PATTERN, text)


@pytest.mark.parametrize("value", ["100kB", "100/s", "100kbit/s", 100, None])
def test_what_is_no_throughput(value: object) -> None:
    with pytest.raises(ValueError, match="is not a throughput; allowed: a size per second"):
        throughput(value)


@given(st.integers(min_value=0, max_value=10**12))
def test_a_written_size_is_read_back(count: int) -> None:
    assert size(size_text(count)) == count
    assert math.isclose(throughput(throughput_text(count)), count, abs_tol=1e-9)


@pytest.mark.parametrize(("count", "text"), [(64_000_000, "64MB"), (1500, "1.5kB"), (1024, "1.024kB"), (7, "7B")])
def test_sizes_as_people_write_them(count: int, text: str) -> None:
    assert size_text(count) == text


@pytest.mark.parametrize(
    ("text", "compare", "bound", "unit", "for_s"),
    [
        (">= 99.5%", ">=", 99.5, "%", 0),
        ("< 800ms", "<", 0.8, "s", 0),
        ("<=1.5 s", "<=", 1.5, "s", 0),
        ("> 15/s", ">", 15, "/s", 0),
        ("> 90 / min", ">", 1.5, "/s", 0),
        ("== 3", "==", 3, "", 0),
        ("< 50% for 10s", "<", 50, "%", 10),
        ("< 50 % for 10 s", "<", 50, "%", 10),
    ],
)
def test_tolerances(text: str, compare: str, bound: float, unit: str, for_s: float) -> None:
    parsed = tolerance(text)
    assert [parsed.compare, parsed.unit, parsed.for_s] == [compare, unit, for_s]
    assert parsed.bound == pytest.approx(bound)
    assert str(parsed) == text
    assert re.search(TOLERANCE_PATTERN, text)


@pytest.mark.parametrize("value", ["99%", "> ", ">> 3", "~ 3s", "> 3 apples", "< 50% for ", "< 5s for ever", 99, None])
def test_what_is_no_tolerance(value: object) -> None:
    with pytest.raises(ValueError, match="allowed"):
        tolerance(value)


def test_a_share_above_everything_is_no_tolerance() -> None:
    with pytest.raises(ValueError, match="'101%' is not a percentage"):
        tolerance("> 101%")


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [(">= 99%", 99.0, True), ("> 99%", 99.0, False), ("< 1s", 1.0, False), ("<= 1s", 1.0, True), ("== 3", 3.0, True)],
)
def test_whether_a_value_keeps_a_bound(text: str, value: float, holds: bool) -> None:
    assert tolerance(text).holds(value) is holds


@given(st.floats(min_value=0, max_value=1e8).map(lambda value: round(value, 6)))
def test_a_written_duration_is_read_back(seconds: float) -> None:
    assert math.isclose(duration(duration_text(seconds)), seconds, rel_tol=1e-6, abs_tol=1e-9)
    assert re.search(DURATION_PATTERN, duration_text(seconds))


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (0.25, "250ms"), (5, "5s"), (1.5, "1.5s"), (5e-6, "5us"), (3600, "3600s")]
)
def test_durations_as_people_write_them(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_written_rates_and_percentages_are_read_back() -> None:
    assert rate(rate_text(1.5)) == 1.5
    assert percentage(percent_text(12.5)) == 12.5
    assert re.search(RATE_PATTERN, rate_text(20))
    assert re.search(PERCENT_PATTERN, percent_text(100))
