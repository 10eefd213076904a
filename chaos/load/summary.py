"""What the load tells the conductor: each stream in each quarter of a second, and the whole load at its end.

Latencies travel as HDR histograms of two significant digits, which is enough to watch a run and to abort it; the
verdict is computed from the exact figures in the history. Leaves out adding several together: that is `window`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hdrh.histogram import HdrHistogram

from chaos.load.history import Result

EVERY_S = 0.25
_LATENCY_US_MAX = 3_600_000_000  # an hour: longer than any customer waits
_DIGITS = 2


def latencies() -> HdrHistogram:
    """An empty histogram of latencies in microseconds."""
    return HdrHistogram(1, _LATENCY_US_MAX, _DIGITS)


@dataclass(frozen=True, slots=True)
class StreamSummary:
    """One stream in one interval: operations that ended in it, by result."""

    ok: int
    failed: int
    unknown: int
    hdr: str  # latencies in microseconds of all that ended, as hdrhistogram's base64


@dataclass(frozen=True, slots=True)
class Summary:
    """All streams in one interval; `t` is its end in seconds since the run started."""

    t: float
    streams: Mapping[str, StreamSummary]

    def record(self) -> dict[str, Any]:
        """As one JSON object."""
        return {"t": self.t, "streams": {name: asdict(stream) for name, stream in self.streams.items()}}

    @staticmethod
    def of(record: Mapping[str, Any]) -> Summary:
        """From that JSON object; KeyError or TypeError if it is another."""
        return Summary(record["t"], {name: StreamSummary(**stream) for name, stream in record["streams"].items()})


@dataclass(frozen=True, slots=True)
class LoadResult:
    """A whole load in figures."""

    sent: int  # handed to the network
    overloaded: int  # never sent, because the generator or its machine could not; `failed` in the history
    lag_p99_s: float  # how late operations left the generator, in seconds

    @property
    def complete(self) -> bool:
        """Whether the system got all the traffic that was asked for; if not, the run proves nothing."""
        return self.overloaded == 0

    def record(self) -> dict[str, Any]:
        """As one JSON object."""
        return asdict(self)


class Tally:
    """Counts one stream until it is taken."""

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._results: dict[Result, int] = {"ok": 0, "failed": 0, "unknown": 0}
        self._latencies_us = latencies()

    def ended(self, result: Result, latency_s: float) -> None:
        """One more operation ended."""
        self._results[result] += 1
        self._latencies_us.record_value(min(max(1, round(latency_s * 1e6)), _LATENCY_US_MAX))

    def take(self) -> StreamSummary:
        """What was counted since the last time."""
        summary = StreamSummary(**self._results, hdr=self._latencies_us.encode().decode("ascii"))
        self._clear()
        return summary
