"""One pass over the history and the samples: every figure that a verdict or a report needs, in bounded memory.

An operation belongs to the phase in which it was *due*, whenever it ended. Memory grows with the length of the run
(one cell per half second, one bucket per second) and with the number of distinct latencies, which are rounded, but
not with the number of operations. Leaves out any verdict.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chaos.judge.latency import Latencies, microseconds
from chaos.judge.tally import Meter, Point, Tally
from chaos.judge.timeline import Timeline
from chaos.load.history import NEVER_ENDED, OVERLOADED, STOPPED, TIMEOUT, Operation
from chaos.verdict import Bucket, StreamStats

if TYPE_CHECKING:  # for its fields alone: the module brings the network with it
    from chaos.observe import Sample

GRID_S = 0.5
"""The grid on which recovery is measured."""
_GIVEN_UP = frozenset({NEVER_ENDED, STOPPED, TIMEOUT})
_ERROR_KINDS_MAX = 40
_CHART_DIGITS = 2


@dataclass(slots=True)
class Stream:
    """One stream within one phase."""

    results: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    latencies: Latencies = field(default_factory=Latencies)
    lags: Latencies = field(default_factory=Latencies)  # how late operations were sent
    overloaded: int = 0
    worst: dict[str, float] = field(default_factory=dict)  # per tolerance on a probe's value: the one furthest off

    @property
    def total(self) -> int:
        """How many operations or samples there were."""
        return self.results.total()

    def error(self, word: str) -> None:
        """Counts an error by its kind; what comes after forty kinds is "other"."""
        self.errors[word if word in self.errors or len(self.errors) < _ERROR_KINDS_MAX else "other"] += 1


@dataclass(slots=True)
class _Second:
    results: Counter[str] = field(default_factory=Counter)
    latencies: Latencies = field(default_factory=Latencies)


class Figures:
    """What was measured: fill it with `operation` and `sample`, then read it.

    `meters` are the tolerances of each phase; `origin` is the end of the last fault, from which recovery is counted
    (None: there is none). With `live`, operations in flight are left out instead of counted as unknown: the run was
    cut off, or goes on, so that it was not the system that left them without an answer. `faulty` are the spans in which
    a fault was on.
    """

    def __init__(
        self,
        meters: Mapping[str, list[Meter]],
        timeline: Timeline,
        *,
        origin: float | None,
        live: bool,
        faulty: Sequence[tuple[float, float]] = (),
    ) -> None:
        self.streams: dict[tuple[str, str], Stream] = defaultdict(Stream)
        self.tallies = {phase: [Tally() for _ in meters[phase]] for phase in meters}
        self.cells: list[dict[int, Tally]] = [defaultdict(Tally) for _ in meters["recovery"]]
        self.answered_ok: Counter[str] = Counter()  # per stream, over the whole run
        self.under_fault: Counter[str] = Counter()  # per stream: due in the fault phase while a fault was on
        self.while_on = [0 for _ in faulty]  # per fault: operations of the load that came due while it was on
        self.sent = 0
        self.never_ended = 0
        self._meters = meters
        self._timeline = timeline
        self._origin = origin
        self._live = live
        self._faulty = faulty
        self._seconds: dict[tuple[str, float], _Second] = defaultdict(_Second)
        recovery = timeline.phase("recovery")
        self._recovery_end = recovery.end if recovery else None

    def operation(self, operation: Operation) -> None:
        """Counts one operation of the load."""
        self.sent += operation.sent is not None
        self.never_ended += operation.error == NEVER_ENDED
        if self._live and operation.error in (NEVER_ENDED, STOPPED):
            return
        self.answered_ok[operation.kind] += operation.result == "ok"
        waited = None if operation.end is None else operation.end - operation.due
        point = Point(
            ok=operation.result == "ok",
            gave_up=operation.result == "unknown" and operation.error in _GIVEN_UP,
            latency_us=None if waited is None else microseconds(waited),
        )
        error = operation.error or (str(operation.status) if operation.status else "no reason given")
        stream = self._count(operation.kind, operation.due, operation.result, point, error)
        if stream is not None:
            stream.overloaded += operation.error == OVERLOADED
            if operation.sent is not None:
                stream.lags.add(microseconds(operation.sent - operation.due), refused=False)
        for index, (start, end) in enumerate(self._faulty):
            self.while_on[index] += start <= operation.due < end
        self._chart(operation.kind, operation.due, operation.result, point, waited)

    def sample(self, sample: Sample) -> None:
        """Counts one sample of a probe; what it measured counts in the phase in which it was taken."""
        latency = sample.latency_s
        point = Point(ok=sample.ok, latency_us=None if latency is None else microseconds(latency), value=sample.value)
        result = "ok" if sample.ok else "failed"
        self._count(sample.probe, sample.t, result, point, sample.error or "no reason given")
        self._chart(sample.probe, sample.t, result, point, latency)

    def _count(self, kind: str, t: float, result: str, point: Point, error: str) -> Stream | None:
        """Into the stream's figures and the tallies of the phase; None outside every phase."""
        if self._origin is not None and self._recovery_end is not None and self._origin <= t < self._recovery_end:
            cell = int((t - self._origin) / GRID_S)
            for meter, cells in zip(self._meters["recovery"], self.cells, strict=True):
                if meter.stream == kind:
                    meter.add(cells[cell], point)
        phase = self._timeline.at(t)
        if phase is None:
            return None
        stream = self.streams[kind, phase]
        stream.results[result] += 1
        self.under_fault[kind] += phase == "fault" and any(start <= t < end for start, end in self._faulty)
        if result != "ok":
            stream.error(error)
        if point.latency_us is not None:
            stream.latencies.add(point.latency_us, refused=not (point.ok or point.gave_up))
        for meter, tally in zip(self._meters.get(phase, ()), self.tallies.get(phase, ()), strict=True):
            if meter.stream == kind:
                meter.add(tally, point)
                if meter.measure == "value" and point.ok and point.value is not None:
                    seen = stream.worst.get(meter.name)
                    if seen is None or meter.is_worse(point.value, seen):
                        stream.worst[meter.name] = point.value
        return stream

    def _chart(self, kind: str, t: float, result: str, point: Point, latency_s: float | None) -> None:
        second = self._seconds[kind, self._timeline.second(t)]
        second.results[result] += 1
        if latency_s is not None:
            coarse = microseconds(latency_s, _CHART_DIGITS)
            second.latencies.add(coarse, refused=not (point.ok or point.gave_up))

    def stats(self, streams: Sequence[str] = ()) -> tuple[StreamStats, ...]:
        """Every stream in every phase, in the order of the run, and within it in the order of `streams`."""
        order = {phase.name: index for index, phase in enumerate(self._timeline.phases)}
        rank = {name: index for index, name in enumerate(streams)}
        return tuple(
            StreamStats(
                stream=kind,
                phase=phase,
                ok=stream.results["ok"],
                failed=stream.results["failed"],
                unknown=stream.results["unknown"],
                percentiles_s=stream.latencies.percentiles_s("p50", "p90", "p99", "max"),
                errors=dict(stream.errors.most_common()),
            )
            for (kind, phase), stream in sorted(
                self.streams.items(), key=lambda item: (order[item[0][1]], rank.get(item[0][0], len(rank)), item[0][0])
            )
        )

    def buckets(self) -> tuple[Bucket, ...]:
        """Every second of every stream, for the chart; latencies rounded up to two digits."""
        return tuple(
            Bucket(
                stream=kind,
                t=t,
                ok=second.results["ok"],
                failed=second.results["failed"],
                unknown=second.results["unknown"],
                p50_s=second.latencies.percentile_s(500),
                p99_s=second.latencies.percentile_s(990),
            )
            for (kind, t), second in sorted(self._seconds.items())
        )
