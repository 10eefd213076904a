"""`abort_if`: whether one of its sentences has been true for as long as it says. Pure: time is that of the summaries.

`< 50% for 10s` does not mean the average of ten seconds. Each summary asks whether the sentence is true of the last
two seconds, and the moment from which it has been so without a break is remembered. A moment at which nothing ended,
so that the measure is not known, is no break. Leaves out what follows from it: that is `watch`.
"""

from __future__ import annotations

from dataclasses import dataclass

from chaos.load.summary import EVERY_S, Summary
from chaos.load.window import Window
from chaos.model import Tolerances
from chaos.units import Tolerance

WINDOW_S = 2.0
"""What a sentence is true of: short enough to be a moment, and long enough to hold more than one operation."""
_ROUNDING_S = 1e-6


@dataclass(frozen=True)
class Met:
    """A sentence of `abort_if` that was true for long enough, and the value that made it so."""

    metric: str
    bound: Tolerance
    value: float


class AbortIf:
    """The rules of one experiment, from the start of its fault phase on; what was before does not count."""

    def __init__(self, tolerances: Tolerances, began_s: float) -> None:
        """`began_s` is when the fault phase began, in seconds since the run started, as in the summaries."""
        self._rules = [_Rule(metric, bound) for metric, bound in tolerances.items()]
        self._began_s = began_s

    def add(self, summary: Summary) -> Met | None:
        """Takes the next summary; the first rule that is met with it, if any is."""
        if summary.t - EVERY_S < self._began_s - _ROUNDING_S:
            return None
        met = [rule.add(summary) for rule in self._rules]
        return next((each for each in met if each is not None), None)


class _Rule:
    def __init__(self, metric: str, bound: Tolerance) -> None:
        self._metric, self._bound = metric, bound
        self._window = Window(WINDOW_S)
        self._true_since_s: float | None = None

    def add(self, summary: Summary) -> Met | None:
        self._window.add(summary)
        value = self._window.measure(self._metric)
        if value is None:
            return None
        if not self._bound.holds(value):
            self._true_since_s = None
            return None
        if self._true_since_s is None:
            self._true_since_s = summary.t
        held_s = summary.t - self._true_since_s
        enough = held_s >= self._bound.for_s - _ROUNDING_S and self._window.full()
        return Met(self._metric, self._bound, value) if enough else None
