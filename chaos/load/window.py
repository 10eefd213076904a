"""Success rate, latency and throughput of the load over the last seconds: for the live view and for `abort_if`.

Pure: time is that of the summaries. A verdict never rests on it, since it sees operations when they end, while the
judge counts each in the phase in which it came due.
"""

from __future__ import annotations

import re
from collections import deque

from hdrh.histogram import HdrHistogram

from chaos.load.summary import EVERY_S, StreamSummary, Summary, latencies

_PERCENTILE = re.compile(r"p\d+(\.\d+)?")


class Window:
    """The summaries of the last `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._summaries: deque[Summary] = deque()

    def add(self, summary: Summary) -> None:
        """Takes the next summary, and drops those that ended `seconds` or more before it."""
        self._summaries.append(summary)
        while self._summaries[0].t <= summary.t - self._seconds:
            self._summaries.popleft()

    @property
    def span_s(self) -> float:
        """How many seconds it holds: fewer than asked for until enough have passed."""
        if not self._summaries:
            return 0.0
        return self._summaries[-1].t - self._summaries[0].t + EVERY_S

    def full(self) -> bool:
        """Whether it holds as many seconds as it was made for."""
        return self.span_s >= self._seconds - EVERY_S / 2

    def streams(self) -> list[str]:
        """The streams that the load has; none before the first summary."""
        return list(self._summaries[-1].streams) if self._summaries else []

    def measure(self, metric: str) -> float | None:
        """A metric as experiments name it, as in orders.p99, in the unit of its tolerances; None if it is not known.

        The measures are success_rate, rate, mean, max and percentiles; KeyError for any other.
        """
        stream, _, measure = metric.partition(".")
        match measure:
            case "success_rate":
                return self.success_rate(stream)
            case "rate":
                return self.rate(stream)
            case "mean":
                merged = self._latencies_us(stream)
                return float(merged.get_mean_value()) / 1e6 if merged.get_total_count() else None
            case "max":
                return self.percentile(stream, 100.0)
        if not _PERCENTILE.fullmatch(measure):
            raise KeyError(metric)
        return self.percentile(stream, float(measure[1:]))

    def ended(self, stream: str) -> int:
        """How many operations ended."""
        return sum(one.ok + one.failed + one.unknown for one in self._of(stream))

    def success_rate(self, stream: str) -> float | None:
        """Percent of the operations that ended which were ok; None if none ended."""
        ended = self.ended(stream)
        return 100.0 * sum(one.ok for one in self._of(stream)) / ended if ended else None

    def rate(self, stream: str) -> float | None:
        """Operations per second that ended ok; None if the window is empty."""
        return sum(one.ok for one in self._of(stream)) / self.span_s if self._summaries else None

    def percentile(self, stream: str, percent: float) -> float | None:
        """Seconds of latency that `percent` of the operations did not exceed, within 1%; None if none ended."""
        merged = self._latencies_us(stream)
        return float(merged.get_value_at_percentile(percent)) / 1e6 if merged.get_total_count() else None

    def _latencies_us(self, stream: str) -> HdrHistogram:
        merged = latencies()
        for one in self._of(stream):
            if one.ok + one.failed + one.unknown:
                merged.decode_and_add(one.hdr)
        return merged

    def _of(self, stream: str) -> list[StreamSummary]:
        return [summary.streams[stream] for summary in self._summaries if stream in summary.streams]
