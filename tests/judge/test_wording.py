"""Figures never look as if they kept a bound when they did not, or the reverse."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.judge.wording import counted, figure, seconds
from chaos.units import tolerance


@pytest.mark.parametrize(
    ("value", "bound", "text"),
    [
        (71.2345, ">= 99%", "71.2%"),
        (99.497, ">= 99.5%", "99.497%"),
        (99.4999, ">= 99.5%", "99.4999%"),
        (99.5, ">= 99.5%", "99.5%"),
        (99.97, ">= 99.5%", "99.97%"),
        (100.0, ">= 99.5%", "100%"),
        (0.01, "< 50%", "0.01%"),
        (0.0, ">= 50%", "0%"),
        (1.6234, "< 1500ms", "1.62 s"),
        (0.7996, "< 800ms", "799.6 ms"),
        (0.8, "< 800ms", "800 ms"),
        (0.02, "< 800ms", "20 ms"),
        (0.99996, "< 1s", "999.96 ms"),
        (14.97, ">= 15/s", "14.97/s"),
        (3.0, "< 4", "3"),
    ],
)
def test_figures(value: float, bound: str, text: str) -> None:
    assert figure(value, tolerance(bound)) == text


@given(st.floats(0, 100), st.floats(0, 100), st.sampled_from([">=", ">", "<", "<="]))
def test_what_is_shown_is_on_the_side_of_the_bound_where_it_was(value: float, bound: float, compare: str) -> None:
    held = tolerance(f"{compare} {bound:.3f}%")
    shown = re.match(r"[\d.]+", figure(value, held))
    assert shown is not None
    if abs(value - held.bound) > 1e-8:
        assert held.holds(float(shown[0])) is held.holds(value)


def test_seconds_and_counts() -> None:
    assert [seconds(0), seconds(0.0123), seconds(1.0), seconds(20.5)] == ["0 s", "12.3 ms", "1 s", "20.5 s"]
    assert [counted(1, "order"), counted(1234, "order"), counted(2, "breach", "breaches")] == [
        "1 order",
        "1,234 orders",
        "2 breaches",
    ]
