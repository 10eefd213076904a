"""What the chart draws: one stream's seconds as lines, few enough for a page, and the bounds that were asked of it.

Long runs are thinned to at most `POINTS_MAX` points a line by joining neighbouring seconds: their counts add up, their
p50 is the middle one, and their p99 the worst, so that no spike is lost. Pure; knows nothing of pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median, median_low

from chaos.units import Tolerance, tolerance
from chaos.verdict import Bucket, Judgement

POINTS_MAX = 600
_GAP_STEPS = 2.5  # no seconds for longer than this many usual steps: the line is broken there

Line = list[tuple[float, float]]
"""(seconds since the run started, value) in order of time."""


@dataclass(frozen=True)
class Bound:
    """A tolerance while its phase lasted; `value` is percent or seconds."""

    text: str
    upper: bool
    value: float
    start: float
    end: float


@dataclass(frozen=True)
class Point:
    """One second, or a few joined; None where there was nothing to measure."""

    t: float
    width: float
    success: float | None
    p50_s: float | None
    p99_s: float | None


def points(buckets: Sequence[Bucket], points_max: int = POINTS_MAX) -> list[Point]:
    """One stream's buckets in order of time, joined so that at most `points_max` remain."""
    ordered = sorted(buckets, key=lambda each: each.t)
    if not ordered:
        return []
    size = -(-len(ordered) // points_max)
    step = usual_step([each.t for each in ordered])
    return [_joined(ordered[i : i + size], step) for i in range(0, len(ordered), size)]


def lines(found: Sequence[Point], name: str) -> list[Line]:
    """The unbroken lines of one figure (`success`, `p50_s`, `p99_s`); a lone point becomes a line of its own width."""
    step = usual_step([point.t for point in found])
    parts: list[Line] = []
    before: float | None = None
    for point in found:
        value = getattr(point, name)
        if value is None:
            before = None
            continue
        middle = point.t + point.width / 2
        if before is None or point.t - before > _GAP_STEPS * step:
            parts.append([])
        parts[-1].append((middle, value))
        before = point.t
    half = step / 2
    return [
        part if len(part) > 1 else [(part[0][0] - half, part[0][1]), (part[0][0] + half, part[0][1])] for part in parts
    ]


def bounds(judgement: Judgement, metric: str) -> list[Bound]:
    """The tolerances of one metric (`orders.p99`), each over its phase; texts that are no tolerance are skipped."""
    phases = {phase.name: phase for phase in judgement.phases}
    found = []
    for check in judgement.checks:
        phase = phases.get(check.phase)
        asked = _tolerance(check.expected) if check.kind == "tolerance" and check.name == metric else None
        if phase is not None and asked is not None:
            found.append(Bound(check.expected, "<" in asked.compare, asked.bound, phase.start, phase.end))
    return found


def usual_step(times: Sequence[float]) -> float:
    """The median distance between neighbours, in seconds; 1 where there are no two."""
    return median(b - a for a, b in pairwise(times)) if len(times) > 1 else 1.0


def _joined(buckets: Sequence[Bucket], step: float) -> Point:
    ok = sum(each.ok for each in buckets)
    total = ok + sum(each.failed + each.unknown for each in buckets)
    p50s = [each.p50_s for each in buckets if each.p50_s is not None]
    p99s = [each.p99_s for each in buckets if each.p99_s is not None]
    return Point(
        t=buckets[0].t,
        width=buckets[-1].t - buckets[0].t + min(step, 1.0),
        success=100 * ok / total if total else None,
        p50_s=median_low(p50s) if p50s else None,
        p99_s=max(p99s) if p99s else None,
    )


def _tolerance(text: str) -> Tolerance | None:
    try:
        return tolerance(text)
    except ValueError:
        return None
