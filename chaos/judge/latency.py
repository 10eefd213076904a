"""Latencies of one stream, kept as counts per value: sparse, additive, at most 0.1% too high and never too low.

A latency is kept in whole microseconds, rounded up to four digits (to two for the chart's seconds). A refusal that
came quickly is no quick answer: refusals count towards a percentile only where they make it worse, so that a shop
that says no to everybody within a millisecond does not look fast. Tolerances are not judged here: `tally` does that,
on the same rounded values, so that the figure shown and the verdict never contradict each other.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

PER_MILLE = {"p50": 500, "p90": 900, "p95": 950, "p99": 990, "p99.9": 999, "max": 1000}
"""What a percentile's word means: how many of a thousand must be at or below it."""


def microseconds(latency_s: float, digits: int = 4) -> int:
    """A latency in seconds as microseconds, rounded up to so many digits; what is below zero counts as zero."""
    exact = max(0, round(latency_s * 1e6))
    step: int = 10 ** max(0, len(str(exact)) - digits)
    return -(-exact // step) * step


@dataclass(slots=True)
class Latencies:
    """How often each latency (in microseconds) was seen: of answers and time-outs, and apart from them of refusals."""

    answered: Counter[int] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)

    def add(self, latency_us: int, *, refused: bool) -> None:
        """Counts one latency, rounded before by `microseconds`."""
        (self.refused if refused else self.answered)[latency_us] += 1

    def percentile_s(self, per_mille: int) -> float | None:
        """The latency in seconds that so many of a thousand keep to, refusals making it no better; None for none.

        That is the largest value v for which more than 1000 - `per_mille` of a thousand took v or longer, among
        those that took v or longer (refusals too) and those that were answered sooner.
        """
        sooner = self.answered.total()
        longer = 0
        for value in sorted(self.answered.keys() | self.refused.keys(), reverse=True):
            sooner -= self.answered[value]
            longer += self.answered[value] + self.refused[value]
            if longer * 1000 > (1000 - per_mille) * (longer + sooner):
                return value / 1e6
        return None

    def percentiles_s(self, *names: str) -> dict[str, float]:
        """Several percentiles by their words, in seconds; empty where there are no latencies."""
        values = {name: self.percentile_s(PER_MILLE[name]) for name in names}
        return {name: value for name, value in values.items() if value is not None}
