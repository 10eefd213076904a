"""When held packets are due. Pure: the caller brings the clock, in seconds.

Each packet of a fault is held for the fault's share of the delay, give or take the jitter drawn for it. Packets of
one flow keep their order, as on a link: one that drew a short delay waits for those before it. So jitter never
reorders within a flow, and under a dense flow the times bunch at the longer draws.

Left out: reordering, corruption, bandwidth.
"""

import heapq
import random
from collections import Counter
from typing import NamedTuple

from . import nftables as nft
from .fault import Fault
from .nfqueue import Packet

FLOWS_PRUNED_AT = 4_096
HELD_BUCKETS_PER_DELAY = 5_000  # the resolution of the held times that are reported
HELD_BUCKET_MS_MIN = 0.01


class Held(NamedTuple):
    """What was measured of held packets: how many, and for how many milliseconds (None where there were none)."""

    packets: int
    p50_ms: float | None
    p99_ms: float | None
    max_ms: float | None


class Delay:
    """One latency fault's delays, and what they were in truth."""

    def __init__(self, fault: Fault) -> None:
        # What a round trip grows by is spread over its two packets where both are met, as a router that is no
        # peer itself meets them.
        halved = fault.direction == "both"
        through_halved = halved or not fault.peers
        self._seconds = _share(fault.delay_ms, halved=halved)
        self._jitter = _share(fault.jitter_ms, halved=halved)
        self._through_seconds = _share(fault.delay_ms, halved=through_halved)
        self._through_jitter = _share(fault.jitter_ms, halved=through_halved)
        self._random = random.Random(fault.seed)
        self._latest_of_flow: dict[bytes, float] = {}
        self._prune_at = FLOWS_PRUNED_AT
        self._held: Counter[int] = Counter()
        self._bucket_ms = max(HELD_BUCKET_MS_MIN, (fault.delay_ms + fault.jitter_ms) / HELD_BUCKETS_PER_DELAY)
        self._max_ms = 0.0
        self.taken = 0

    def due(self, packet: Packet, now: float) -> float:
        """When a packet that arrived now may go on."""
        self.taken += 1
        through = packet.hook == nft.HOOK_FORWARD
        seconds, jitter = (self._through_seconds, self._through_jitter) if through else (self._seconds, self._jitter)
        if not jitter:
            return now + seconds
        flow = packet.flow()
        drawn = now + max(0.0, seconds + self._random.uniform(-jitter, jitter))
        due = max(drawn, self._latest_of_flow.get(flow, drawn))
        self._latest_of_flow[flow] = due
        if len(self._latest_of_flow) > self._prune_at:
            self._latest_of_flow = {f: latest for f, latest in self._latest_of_flow.items() if latest > now}
            self._prune_at = max(FLOWS_PRUNED_AT, 2 * len(self._latest_of_flow))
        return due

    def record(self, held_s: float) -> None:
        """Notes how long a packet was held in truth."""
        held_ms = held_s * 1000
        self._held[round(held_ms / self._bucket_ms)] += 1
        self._max_ms = max(self._max_ms, held_ms)

    def held(self) -> Held:
        """What was measured so far."""
        total = self._held.total()
        if not total:
            return Held(0, None, None, None)
        marks = {0.50: 0.0, 0.99: 0.0}
        for mark in marks:
            left = mark * total
            for bucket in sorted(self._held):
                left -= self._held[bucket]
                if left <= 0:
                    marks[mark] = bucket * self._bucket_ms
                    break
        return Held(total, round(marks[0.50], 3), round(marks[0.99], 3), round(self._max_ms, 3))


class Waiting(NamedTuple):
    """A held packet; the order of these is the order in which they go on."""

    due: float
    order: int
    arrived: float
    queue: int
    number: int
    delay: Delay


class Schedule:
    """All packets that are held, the next one due first."""

    def __init__(self) -> None:
        self._heap: list[Waiting] = []
        self._order = 0

    def __len__(self) -> int:
        return len(self._heap)

    def hold(self, packet: Packet, delay: Delay, now: float) -> None:
        """Holds a packet that arrived now."""
        self._order += 1
        waiting = Waiting(delay.due(packet, now), self._order, now, packet.queue, packet.number, delay)
        heapq.heappush(self._heap, waiting)

    def next_due(self) -> float | None:
        """When the next packet is due; None where none is held."""
        return self._heap[0].due if self._heap else None

    def due(self, now: float) -> list[Waiting]:
        """Takes out what is due by now, in order."""
        ready = []
        while self._heap and self._heap[0].due <= now:
            ready.append(heapq.heappop(self._heap))
        return ready

    def of(self, delay: Delay) -> list[Waiting]:
        """Takes out everything held for one fault, in order."""
        taken = sorted(waiting for waiting in self._heap if waiting.delay is delay)
        self._heap = [waiting for waiting in self._heap if waiting.delay is not delay]
        heapq.heapify(self._heap)
        return taken


def _share(milliseconds: float, *, halved: bool) -> float:
    return milliseconds / 1000 / (2 if halved else 1)
