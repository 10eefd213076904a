"""One tolerance on one stream: counts that can be added up, and the verdict that follows from them exactly.

A `Tally` is a handful of integers, so a phase needs one and a recovery one per half second, however many operations
there are. A `Meter` fills them and judges them. Three things are told apart that averages would blur: an operation
that broke the bound, one that kept it, and one that was still waiting when it was given up, so that nobody knows.
Leaves out sentences: `tolerances` words them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from chaos.judge.latency import PER_MILLE
from chaos.metrics import metric
from chaos.samples import needed
from chaos.units import Tolerance
from chaos.verdict import Verdict

_ENOUGH_PERCENT = 95
"""The share of the needed samples from which on a bound that is kept counts: due times are jittered, so a phase's edges
can cut off a few. A bound that is broken needs them all, or a breach that the missing ones could not make good."""


class Point(NamedTuple):
    """One operation or one probe's sample, as the tolerances see it."""

    ok: bool
    gave_up: bool = False  # still without an answer when the waiting ended
    latency_us: int | None = None  # None: it never ended
    value: float | None = None  # of a probe


@dataclass(slots=True)
class Tally:
    """What one tolerance needs to know about a stretch of time; stretches add up."""

    total: int = 0
    ok: int = 0
    kept: int = 0  # latency or value within the bound
    broken: int = 0  # … beyond it
    waiting: int = 0  # given up while it could still have gone either way; for `value`: there was none
    answered_us: int = 0  # sum of the latencies of what was not refused
    answered: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.total + other.total,
            self.ok + other.ok,
            self.kept + other.kept,
            self.broken + other.broken,
            self.waiting + other.waiting,
            self.answered_us + other.answered_us,
            self.answered + other.answered,
        )


class Outcome(NamedTuple):
    """What a tally says about a tolerance."""

    verdict: Verdict
    samples: int
    enough: bool  # whether the samples sufficed; a breach can be certain without
    value: float | None = None  # measured, in the tolerance's unit, where the tally knows it


class Meter:
    """A tolerance on one measure of one stream, as in `orders.p99: "< 800ms"`; for a probe with its interval."""

    def __init__(self, name: str, tolerance: Tolerance, every_s: float | None = None) -> None:
        self.name = name
        self.every_s = every_s
        self.stream, self.measure = metric(name).stream, metric(name).measure
        self.tolerance = tolerance
        self.needed = needed(name, tolerance)
        self.per_mille = PER_MILLE.get(self.measure)
        self._upper = tolerance.compare in ("<", "<=")

    def add(self, tally: Tally, point: Point) -> None:
        """Counts one operation or sample."""
        tally.total += 1
        tally.ok += point.ok
        if self.measure == "value":
            self._add_value(tally, point)
        elif point.latency_us is None:
            tally.waiting += 1
        elif self.per_mille is not None:
            self._add_latency(tally, point, point.latency_us)
        elif point.ok or point.gave_up:
            tally.answered += 1
            tally.answered_us += point.latency_us

    def _add_value(self, tally: Tally, point: Point) -> None:
        if point.value is None or not point.ok:
            tally.waiting += 1
        elif self.tolerance.holds(point.value):
            tally.kept += 1
        else:
            tally.broken += 1

    def _add_latency(self, tally: Tally, point: Point, latency_us: int) -> None:
        holds = self.tolerance.holds(latency_us / 1e6)
        if point.gave_up and holds is self._upper:  # had it been waited for longer, it might be the other way round
            tally.waiting += 1
        elif not holds:
            tally.broken += 1
        elif point.ok or point.gave_up:  # a refusal within the bound is no quick answer: it counts for nothing here
            tally.kept += 1

    def is_worse(self, value: float, than: float) -> bool:
        """Whether a probe's value is further off the bound on its wrong side than another."""
        if self.tolerance.compare == "==":
            return abs(value - self.tolerance.bound) > abs(than - self.tolerance.bound)
        return value > than if self._upper else value < than

    def silence(self, samples: int, length_s: float) -> int:
        """How many samples a probe should have brought in that time, where so few came that it fell silent; else 0."""
        expected = int(length_s / self.every_s) if self.every_s else 0
        # one more: at the edges of a stretch, one sample more or less is no sign of anything
        return expected if expected and not suffice(samples + 1, expected) else 0

    def judge(self, tally: Tally, length_s: float, whole: int = 0) -> Outcome:
        """The verdict over a stretch of `length_s` seconds.

        `whole` is how many samples it would have had, had it not been cut short: until those are there only a breach
        that they could not have made good again counts. The same goes for those that a silent probe did not bring.
        """
        wanted = max(self.needed, whole, self.silence(tally.total, length_s))
        if self.measure == "value":
            return self._value(tally, wanted)
        if self.measure == "success_rate":
            return self._success_rate(tally, wanted)
        if not tally.ok and tally.total >= wanted:  # a latency of nothing but refusals is none
            return Outcome(Verdict.FAILED, tally.total, True)
        if self.per_mille is not None:
            return self._percentile(tally, wanted, self.per_mille)
        if self.measure == "rate":
            return self._figure(tally.ok / length_s if length_s > 0 else None, tally.total, wanted)
        return self._figure(
            tally.answered_us / tally.answered / 1e6 if tally.answered else None, tally.answered, wanted
        )

    def _success_rate(self, tally: Tally, wanted: int) -> Outcome:
        value = 100 * tally.ok / tally.total if tally.total else None
        if value is None or tally.total >= wanted or self.tolerance.holds(value):
            return self._figure(value, tally.total, wanted)
        best = 100 * (wanted - (tally.total - tally.ok)) / wanted  # if every one that is missing had been ok
        certain = self.tolerance.compare in (">=", ">") and not self.tolerance.holds(best)
        enough = suffice(tally.total, wanted)
        return Outcome(Verdict.FAILED if certain else Verdict.INCONCLUSIVE, tally.total, enough, value)

    def _percentile(self, tally: Tally, wanted: int, per_mille: int) -> Outcome:
        samples = tally.kept + tally.broken + tally.waiting
        enough = suffice(samples, wanted)
        unsure = tally.broken + tally.waiting
        if self._upper:
            spare = 1000 - per_mille
            failed = tally.broken * 1000 > spare * max(tally.kept + tally.broken, wanted)
            passed = unsure * 1000 <= spare * samples
        elif self.tolerance.compare == "==":
            failed, passed = tally.broken > 0, not unsure
        else:
            failed = samples >= wanted and tally.broken * 1000 >= per_mille * samples
            passed = unsure * 1000 < per_mille * samples
        verdict = Verdict.FAILED if failed else Verdict.PASSED if passed and enough else Verdict.INCONCLUSIVE
        return Outcome(verdict, samples, enough)

    def _value(self, tally: Tally, wanted: int) -> Outcome:
        enough = suffice(tally.total, wanted)
        if tally.broken:
            return Outcome(Verdict.FAILED, tally.total, enough)
        sound = enough and not tally.waiting
        return Outcome(Verdict.PASSED if sound else Verdict.INCONCLUSIVE, tally.total, enough)

    def _figure(self, value: float | None, samples: int, wanted: int) -> Outcome:
        enough = value is not None and suffice(samples, wanted)
        if value is None or not enough or (samples < wanted and not self.tolerance.holds(value)):
            return Outcome(Verdict.INCONCLUSIVE, samples, enough, value)
        return Outcome(Verdict.PASSED if self.tolerance.holds(value) else Verdict.FAILED, samples, True, value)


def suffice(samples: int, wanted: int) -> bool:
    """Whether so many samples are enough where so many are wanted."""
    return samples > 0 and samples * 100 >= wanted * _ENOUGH_PERCENT
