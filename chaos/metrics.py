"""The names of measurements, as in `orders.p99`: what is measured of which stream, and in which unit.

A stream is `orders`, `browse`, one of `load.http` or a probe. Leaves out how they are measured: that is `judge`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from chaos.units import Unit

ORDERS, BROWSE = "orders", "browse"
STREAMS = (ORDERS, BROWSE)
"""The streams of the shop, whose names nothing else can have."""

NAME = r"[A-Za-z][A-Za-z0-9_-]*"
"""What a stream or a probe may be called, as a regular expression."""

MEASURES: dict[str, Unit] = {
    "success_rate": "%",
    "p50": "s",
    "p90": "s",
    "p95": "s",
    "p99": "s",
    "p99.9": "s",
    "max": "s",
    "mean": "s",
    "rate": "/s",
    "value": "",
}
"""Measure → its unit; `value` is for probes that return a number."""


@dataclass(frozen=True)
class Metric:
    """A measurement by its two halves."""

    stream: str
    measure: str

    @property
    def quantile(self) -> float | None:
        """0.99 for p99; None for a measure that is no percentile."""
        match = re.fullmatch(r"p([0-9.]+)", self.measure)
        return float(match[1]) / 100 if match else None


def metric(name: str) -> Metric:
    """The metric of a name such as `orders.p99.9`; ValueError where the measure is not known."""
    stream, _, measure = name.partition(".")
    if measure not in MEASURES:
        raise ValueError(f"{name!r} is not STREAM.MEASURE; allowed measures: {', '.join(MEASURES)}")
    return Metric(stream, measure)
