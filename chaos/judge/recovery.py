"""How soon the system was steady again, counted from the moment at which the last fault was to be undone.

The answer is the smallest offset, on a grid of half seconds, such that from there and from every later offset to the
end of the recovery everything that came due holds `steady_state`, as far as there are samples enough to tell. Undoing
a fault (a service that starts again) is part of the recovery, because customers wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from chaos.judge.figures import GRID_S
from chaos.judge.tally import Meter, Tally
from chaos.judge.wording import seconds
from chaos.model import Recovers
from chaos.verdict import Check, Verdict


@dataclass(frozen=True)
class Recovery:
    """What is known about it; offsets are seconds after the end of the last fault."""

    steady_from_s: float  # at every judged offset from here on the system was steady
    known: bool  # whether there were samples enough for every tolerance from there on
    broken: str  # the tolerance that was broken last; empty: none was
    length_s: float
    samples: int

    @property
    def time_s(self) -> float | None:
        """The time to recover; None if it did not, or if that cannot be told."""
        return self.steady_from_s if self.known else None


def measure(meters: list[Meter], cells: list[dict[int, Tally]], length_s: float) -> Recovery:
    """Adds the half seconds up from the end backwards, and judges what is left from each offset on."""
    offsets = max(0, int(length_s / GRID_S))
    first_steady = 0
    broken = ""
    too_few: set[int] = set()  # the offsets from which on some tolerance lacks samples
    samples = 0
    for meter, of_meter in zip(meters, cells, strict=True):
        rest = of_meter.get(offsets, Tally())  # what is left of the last half second
        last_broken: int | None = None
        for offset in range(offsets - 1, -1, -1):
            rest = rest + of_meter.get(offset, Tally())
            outcome = meter.judge(rest, length_s - offset * GRID_S)
            steady = outcome.verdict is Verdict.PASSED
            if not outcome.enough:
                too_few.add(offset)
            if last_broken is None and not steady and (outcome.enough or outcome.verdict is Verdict.FAILED):
                last_broken = offset
        samples = max(samples, rest.total)
        if last_broken is not None and last_broken + 1 > first_steady:
            first_steady, broken = last_broken + 1, f"{meter.name} {meter.tolerance}"
    known = first_steady < offsets and first_steady not in too_few
    return Recovery(first_steady * GRID_S, known, broken, length_s, samples)


def check(recovers: Recovers, recovery: Recovery | None, *, whole: bool) -> Check:
    """Judges it; `whole` is False when the recovery was cut short, so that nobody saw how it would have gone on."""
    verdict, measured, why = _judge(recovers.within, recovery, whole)
    return Check(
        name="recovers",
        kind="recovery",
        phase="recovery",
        verdict=verdict,
        expected=f"within {seconds(recovers.within)}",
        measured=measured,
        why=why,
        samples=recovery.samples if recovery else 0,
    )


def _judge(within_s: float, recovery: Recovery | None, whole: bool) -> tuple[Verdict, str, str]:
    limit = seconds(within_s)
    if recovery is None or not recovery.samples:
        return Verdict.INCONCLUSIVE, "nothing", "recovery could not be measured: nothing came due after the last fault"
    if not whole:
        return Verdict.INCONCLUSIVE, "cut short", "recovery could not be measured: it ended before its time"
    time_s = recovery.time_s
    if time_s is not None:
        took = seconds(time_s)
        after = f"{took} after the last fault" if time_s else "at once"
        sentence = f"steady again {after}, and must be within {limit}"
        return (Verdict.PASSED if time_s <= within_s else Verdict.FAILED), took, sentence
    if recovery.steady_from_s > within_s:
        return (
            Verdict.FAILED,
            "not steady again",
            f"not steady again {seconds(recovery.length_s)} after the last fault, and must be within {limit}: "
            f"{recovery.broken} was still broken",
        )
    return (
        Verdict.INCONCLUSIVE,
        "not known",
        "recovery could not be told: it was too short, or its samples too few, to show a steady state",
    )
