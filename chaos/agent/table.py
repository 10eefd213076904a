"""The agent's nftables table, which the kernel destroys with the agent: faults go in and come out, and it is asked.

What is in force and what was counted is read from the kernel each time; memory only knows what the kernel does not:
where a fault's rules lie, how long packets were held, and the last figures of faults that are over.

Chains and queues are never deleted while the agent lives. To delete a chain makes the kernel drop every packet that
any queue of the namespace holds; so a slot that became free waits, empty, for the next fault.
"""

import errno
import os
import time
from typing import Any, NamedTuple

from . import netlink, rules
from . import nftables as nft
from .delay import Delay, Held
from .fault import Fault, Refused
from .hold import Holder
from .nfqueue import QUEUE_VOID, Listener
from .probe import can_duplicate, queue_expression

OVER_REMEMBERED_MAX = 1_024
EXPIRY_GRACE_S = 0.05  # the kernel counts in ticks; until its last tick is over, a fault is left alone
NAMES_TRIED_MAX = 100


class Entry:
    """A fault that has rules in the kernel."""

    def __init__(self, fault: Fault, place: rules.Place, delay: Delay | None) -> None:
        self.fault = fault
        self.place = place
        self.delay = delay
        self.expires_at = 0.0


class Slot:
    """A place for one fault at a time; it has a queue if it ever had a latency."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.has_chains = False
        self.queue: int | None = None


class Over(NamedTuple):
    """What is remembered of a fault that has no rules any more."""

    matched: nft.Count
    dropped: nft.Count
    delay: Delay | None


class Table:
    """The table of this agent. OSError where the kernel or its rights do not allow one."""

    def __init__(self) -> None:
        self._nft = netlink.Socket(netlink.NETLINK_NETFILTER)
        self.queue_expression = queue_expression(self._nft)
        self.holder = Holder(Listener()) if self.queue_expression else None
        self.name = self._create()
        self._queues = rules.Queues(self.queue_expression, QUEUE_VOID, can_duplicate(self._nft))
        self._entries: dict[str, Entry] = {}
        self._over: dict[str, Over] = {}
        self._free: list[Slot] = []
        self._slots: dict[int, Slot] = {}
        self._numbers = 0

    def _create(self) -> str:
        # An agent of another pid namespace may have the same number, and a table in this very network namespace.
        first = f"chaos-agent-{os.getpid()}"
        for name in [first, *(f"{first}-{n}" for n in range(2, NAMES_TRIED_MAX))]:
            with netlink.tolerating(errno.EEXIST):
                if name not in self._tables():
                    self._send(rules.prepare_table(name))
                    return name
        raise OSError(errno.EEXIST, f"every table name from {first} on is taken")

    def _tables(self) -> list[str]:
        return [nft.table_name_of(body) for body in self._nft.dump(nft.dump_tables())]

    def _send(self, requests: list[netlink.Request]) -> None:
        self._nft.send(nft.batch(requests))

    def add(self, fault: Fault) -> float:
        """Puts a fault in force and returns when that was (CLOCK_MONOTONIC, s). Refused where it cannot be."""
        if fault.name in self._entries and not self.is_active(fault.name):
            self._finish(fault.name)
        if fault.name in self._entries:
            raise Refused(f"fault {fault.name!r} is in force already", "another name, or remove it first")
        if fault.action == "latency" and self.holder is None:
            raise Refused("latency needs NFQUEUE, which this kernel lacks", "loss, partition")
        slot = self._take_slot()
        try:
            entry, requests = self._prepare(fault, slot)
            self._send(requests)
        except OSError:
            self._give_back(slot)
            raise
        at = time.monotonic()
        slot.has_chains = True
        entry.expires_at = at + fault.for_s
        self._entries[fault.name] = entry
        self._over.pop(fault.name, None)
        return at

    def _take_slot(self) -> Slot:
        if self._free:
            return self._free.pop()
        if len(self._slots) == rules.SLOTS_MAX:
            raise Refused(f"{rules.SLOTS_MAX} faults are in force", f"at most {rules.SLOTS_MAX} at once")
        slot = self._slots[len(self._slots)] = Slot(len(self._slots))
        return slot

    def _prepare(self, fault: Fault, slot: Slot) -> tuple[Entry, list[netlink.Request]]:
        delay = None
        if fault.action == "latency" and self.holder is not None:
            if slot.queue is None:
                slot.queue = self.holder.open_queue()
            delay = Delay(fault)
            self.holder.attach(slot.queue, delay)
        self._numbers += 1
        place = rules.Place(self.name, slot.index, slot.queue or QUEUE_VOID, self._numbers)
        chains = [] if slot.has_chains else rules.prepare_chains(place)
        return Entry(fault, place, delay), chains + rules.add(fault, place, self._queues)

    def _give_back(self, slot: Slot) -> None:
        if self.holder is not None and slot.queue is not None:
            self.holder.detach(slot.queue)
        self._free.append(slot)

    def remove(self, name: str) -> None:
        """Ends a fault at once and lets go what it holds; does nothing where it is over, or never was."""
        entry = self._entries.get(name)
        if entry is None:
            return
        with netlink.tolerating(errno.ENOENT):
            self._nft.send(nft.batch([rules.stop(entry.place)]))
        self._finish(name)
        if self.holder is not None and entry.delay is not None:
            self.holder.release(entry.delay)

    def remove_all(self) -> None:
        """Ends every fault and lets go what is held."""
        for name in list(self._entries):
            self.remove(name)

    def _finish(self, name: str) -> None:
        """Takes away the rules of a fault that is over; remembers its figures. What it holds goes on when due."""
        entry = self._entries[name]
        matched, dropped = self._counts(entry)
        self._send(rules.remove(entry.fault, entry.place))
        self._over[name] = Over(matched, dropped, entry.delay)
        while len(self._over) > OVER_REMEMBERED_MAX:
            del self._over[next(iter(self._over))]
        del self._entries[name]
        self._give_back(self._slots[entry.place.slot])

    def next_expiry(self) -> float | None:
        """When to call `expire` next (CLOCK_MONOTONIC, s); None where no fault has rules."""
        ends = [entry.expires_at for entry in self._entries.values()]
        return min(ends) + EXPIRY_GRACE_S if ends else None

    def expire(self, now: float) -> None:
        """Takes away the rules of faults that the kernel has ended."""
        for name in [n for n, entry in self._entries.items() if entry.expires_at + EXPIRY_GRACE_S <= now]:
            if self.is_active(name):
                self._entries[name].expires_at = now  # the kernel's clock is the one that counts
            else:
                self._finish(name)

    def is_active(self, name: str) -> bool:
        """Whether the kernel still treats packets for this fault."""
        entry = self._entries.get(name)
        return entry is not None and entry.place.number in self._in_force()

    def _in_force(self) -> dict[int, nft.Element]:
        bodies = self._nft.dump(nft.dump_elements(self.name, rules.IN_FORCE))
        return {rules.number_of(element): element for body in bodies for element in nft.elements_of(body)}

    def listed(self) -> list[dict[str, Any]]:
        """The faults in force, as the kernel has them, with the seconds each has left."""
        found = self._in_force()
        return [
            {"fault": found[number].note.decode(), "expires_in_s": (found[number].timeout_ms or 0) / 1000}
            for number in sorted(found)
        ]

    def counters(self, name: str) -> dict[str, Any]:
        """What a fault has done so far, or had done when it was over. Refused where there never was such a fault."""
        entry, over = self._entries.get(name), self._over.get(name)
        if entry is not None:
            return {"active": self.is_active(name), **_figures(*self._counts(entry), entry.delay)}
        if over is not None:
            return {"active": False, **_figures(*over)}
        known = [*self._entries, *self._over]
        raise Refused(f"there is no fault {name!r}", ", ".join(known[-20:]) or "no fault was added yet")

    def _counts(self, entry: Entry) -> tuple[nft.Count, nft.Count]:
        """Packets matched and dropped, by the kernel's counters; all those matched have been taken over afterwards."""
        counts = dict(nft.counter_of(body) for body in self._nft.dump(nft.dump_counters(self.name)))
        if self.holder is not None:
            self.holder.receive_all()
        return counts[entry.place.object("matched")], counts[entry.place.object("dropped")]


def _figures(matched: nft.Count, dropped: nft.Count, delay: Delay | None) -> dict[str, Any]:
    held = delay.held() if delay else Held(0, None, None, None)
    return {
        "matched": matched._asdict(),
        "dropped": dropped._asdict(),
        "delayed": {"packets": held.packets, "held_ms": {"p50": held.p50_ms, "p99": held.p99_ms, "max": held.max_ms}},
        "queue_dropped": max(0, matched.packets - delay.taken) if delay else 0,
    }
