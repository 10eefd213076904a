"""Figures for people, rounded so that they never look as if they kept a bound when they did not, or the reverse.

99.497% against a bound of 99.5% is shown as 99.497%, not as 99.5%; 99.97% is never shown as 100%.
"""

from __future__ import annotations

from chaos.metrics import BROWSE, ORDERS
from chaos.units import Tolerance, Unit

WHEN = {
    "baseline": "before any fault",
    "fault": "while faults were on",
    "recovery": "after the last fault",
    "afterwards": "afterwards",
}
"""How a sentence names a phase."""

_DIGITS_MAX = 12


def figure(value: float, tolerance: Tolerance) -> str:
    """A measured value in the tolerance's unit, as short as is truthful."""
    for digits in range(1, _DIGITS_MAX):
        rounded = _rounded(value, tolerance.unit, digits)
        perfect = tolerance.unit == "%" and rounded in (0.0, 100.0) and rounded != value
        if tolerance.holds(rounded) is tolerance.holds(value) and not perfect:
            return _text(rounded, tolerance.unit)
    return _text(value, tolerance.unit)


def seconds(value: float) -> str:
    """A duration in seconds: `12.3 ms`, `1.62 s`."""
    return _text(float(f"{value:.3g}"), "s")


def counted(count: int, noun: str, nouns: str = "") -> str:
    """`1 order`, `7 orders`."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def operations(stream: str, count: int) -> str:
    """So many of a stream of the load: `1 order`, `40 page views`, `7 requests of read`."""
    if stream == ORDERS:
        return counted(count, "order")
    if stream == BROWSE:
        return counted(count, "page view")
    return counted(count, f"request of {stream}", f"requests of {stream}")


def _rounded(value: float, unit: Unit, digits: int) -> float:
    if unit in ("%", "/s"):
        return round(value, digits)
    return float(f"{value:.{digits + 2}g}")


def _text(value: float, unit: Unit) -> str:
    if unit == "s" and 0 < value < 1:
        return f"{_plain(value * 1000)} ms"
    return _plain(value) + {"s": " s", "%": "%", "/s": "/s", "": ""}[unit]


def _plain(value: float) -> str:
    return f"{value:.9f}".rstrip("0").rstrip(".")
