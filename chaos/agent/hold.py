"""Holds packets: takes them over from the kernel, lets them go when they are due, and measures how long that was.

An agent that is frozen holds what it holds: new packets join them until the fault expires in the kernel, or pass once
the queue or its socket is full. TCP sends again what is stuck; a datagram is late by as long as the freeze lasts, and
lost if the agent dies of it.

Left out: when a packet is due (delay.py), and which packets come here at all (rules.py).
"""

import time
from collections.abc import Sequence
from itertools import islice

from .delay import Delay, Schedule, Waiting
from .nfqueue import Listener

# To be told of a packet, to wake up for it and to tell the kernel takes 0.2 ms and more, so packets go a little early.
EARLY_S = 0.00015
PACKETS_AT_ONCE = 256  # then those that fell due meanwhile have their turn


class Holder:
    """All packets that this agent holds."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._schedule = Schedule()
        self._delay_of_queue: dict[int, Delay] = {}

    def fileno(self) -> int:
        """The descriptor, for waiting on it."""
        return self._listener.fileno()

    def open_queue(self) -> int:
        """A new queue; its packets pass at once until it is given a delay."""
        return self._listener.bind()

    def attach(self, queue: int, delay: Delay) -> None:
        """Holds the packets of this queue from now on."""
        self._delay_of_queue[queue] = delay

    def detach(self, queue: int) -> None:
        """Lets the packets of this queue pass at once from now on; those held already go on when due."""
        self._delay_of_queue.pop(queue, None)

    def next_due(self) -> float | None:
        """When to call `release_due` next (CLOCK_MONOTONIC, s); None where nothing is held."""
        due = self._schedule.next_due()
        return None if due is None else due - EARLY_S

    def receive_all(self) -> None:
        """Takes over all packets that the kernel has handed up."""
        while self.receive() == PACKETS_AT_ONCE:
            pass

    def receive(self) -> int:
        """Takes over packets that the kernel has handed up, PACKETS_AT_ONCE at most, and returns how many."""
        passing: list[tuple[int, int]] = []
        count = 0
        for packet in islice(self._listener.receive(), PACKETS_AT_ONCE):
            count += 1
            delay = self._delay_of_queue.get(packet.queue)
            if delay is None:
                passing.append((packet.queue, packet.number))
            else:
                self._schedule.hold(packet, delay, time.monotonic())
        self._listener.accept(passing)
        return count

    def release_due(self) -> None:
        """Lets go what is due."""
        self._release(self._schedule.due(time.monotonic() + EARLY_S))

    def release(self, delay: Delay) -> None:
        """Lets go at once what is held for one fault."""
        self._release(self._schedule.of(delay))

    def _release(self, waiting: Sequence[Waiting]) -> None:
        if not waiting:
            return
        self._listener.accept([(one.queue, one.number) for one in waiting])
        now = time.monotonic()
        for one in waiting:
            one.delay.record(now - one.arrived)
