"""What a fault's rules look like: which packets match it, where they are met, and what happens to them. Pure.

Every fault has a place of its own, a *slot*: up to three chains (packets to this host, from it, through it) and one
queue number. A packet therefore meets all faults one after the other, and one that was delayed by one goes on to the
next. A rule begins by asking whether the fault's number is still in the set `in_force`; the kernel takes it out when
the time is up.

A packet is what the network stack handles: of a bulk transfer that is a chunk of up to 64 kB, not what fits on a wire.
Loss is drawn by the kernel and so follows no seed.

Left out: loopback, which no rule ever sees, and packets that have no ports where a fault names ports (ICMP, for one).
"""

import struct
from typing import NamedTuple

from . import nftables as nft
from .fault import Fault
from .netlink import Request

IN_FORCE = "in_force"
TRANSPORTS = "transports"
LOOPBACK_INDEX = 1  # the kernel gives every network namespace's loopback this number
PRIORITY_FREE = 100  # before every slot's other chains
PRIORITY_FIRST = 200  # after the target's own filters and address translation, before conntrack's helpers (300)
LOSS_MODULUS = 1_000_000
TCP, UDP = 6, 17
IP_SOURCE, IP_DESTINATION, IP_ADDRESS_BYTES = 12, 16, 4
SOURCE_PORT, DESTINATION_PORT, PORT_BYTES = 0, 2, 2
TCP_FLAGS, TCP_SYN = 13, 0x02
BARE_ACKNOWLEDGEMENT_BYTES = 52  # headers of IPv4 and TCP with timestamps
_ADDRESS_TYPE, _PROTOCOL_TYPE, _PORT_TYPE, _MARK_TYPE = 7, 12, 13, 19  # how `nft list` prints keys
SLOTS_MAX = 90  # PRIORITY_FIRST + SLOTS_MAX stays below conntrack's helpers

_HOOKS = {"in": nft.HOOK_IN, "out": nft.HOOK_OUT, "through": nft.HOOK_FORWARD, "free": nft.HOOK_OUT}


class Queues(NamedTuple):
    """How packets leave the kernel's path: by which expression, and to which queue numbers."""

    expression: str | None  # "nft", "xtables", or None where the kernel has neither
    void: int  # a number that nobody listens on: what is sent there is gone, and its sender is not told
    duplicates: bool  # whether the kernel can copy packets


class Place(NamedTuple):
    """Where a fault's rules go: the table, the slot with its queue, and the number the kernel knows the fault by."""

    table: str
    slot: int
    queue: int
    number: int

    def chain(self, way: str) -> str:
        """The slot's chain for packets that go this way: "in", "out" or "through"."""
        return f"{way}-{self.slot}"

    def object(self, what: str) -> str:
        """The name of a set or counter of this fault."""
        return f"{what}-{self.number}"


def prepare_table(table: str) -> list[Request]:
    """The table with what all faults share."""
    return [
        nft.new_table(table),
        nft.new_set(table, IN_FORCE, _MARK_TYPE, 4, 1, nft.SET_WITH_TIMEOUT),
        nft.new_set(table, TRANSPORTS, _PROTOCOL_TYPE, 1, 2),
        nft.add_elements(table, TRANSPORTS, [nft.Element(bytes([TCP])), nft.Element(bytes([UDP]))]),
    ]


def ways(fault: Fault) -> list[str]:
    """The chains that a fault needs."""
    return [way for way, needed in (("in", fault.inwards), ("out", fault.outwards), ("through", True)) if needed]


def prepare_chains(place: Place) -> list[Request]:
    """A slot's chains. Later slots stand after earlier ones, so that a new chain never shifts a held packet's place."""
    return [
        nft.base_chain(
            place.table, place.chain(way), hook, place.slot + (PRIORITY_FREE if way == "free" else PRIORITY_FIRST)
        )
        for way, hook in _HOOKS.items()
    ]


def add(fault: Fault, place: Place, queues: Queues) -> list[Request]:
    """Everything that puts a fault in force, its chains being there already."""
    table = place.table
    requests = [nft.new_counter(table, place.object("matched")), nft.new_counter(table, place.object("dropped"))]
    if fault.peers:
        requests.append(nft.new_set(table, place.object("peers"), _ADDRESS_TYPE, IP_ADDRESS_BYTES, 3))
        requests.append(nft.add_elements(table, place.object("peers"), map(nft.Element, fault.peers)))
    if fault.ports:
        ports = [nft.Element(struct.pack("!H", port)) for port in fault.ports]
        requests.append(nft.new_set(table, place.object("ports"), _PORT_TYPE, PORT_BYTES, 4))
        requests.append(nft.add_elements(table, place.object("ports"), ports))
    for way in ways(fault):
        for match in _matches(fault, place, way):
            requests.append(nft.new_rule(table, place.chain(way), match + _action(fault, place, queues, way)))
            if fault.action == "latency" and way == "out" and queues.duplicates:
                requests.append(nft.new_rule(table, place.chain("free"), match + _free(queues)))
    alive = nft.Element(_key(place), round(fault.for_s * 1000), fault.name.encode())
    requests.append(nft.add_elements(table, IN_FORCE, [alive]))
    return requests


def stop(place: Place) -> Request:
    """Ends a fault at once in all its chains; ENOENT where it has expired."""
    return nft.delete_element(place.table, IN_FORCE, _key(place))


def remove(fault: Fault, place: Place) -> list[Request]:
    """Takes away what `add` made, leaving the slot's chains empty for the next fault."""
    table = place.table
    requests = [nft.flush_chain(table, place.chain(way)) for way in _HOOKS]
    requests += [nft.delete_counter(table, place.object(name)) for name in ("matched", "dropped")]
    named = (("peers", fault.peers), ("ports", fault.ports))
    requests += [nft.delete_set(table, place.object(name)) for name, used in named if used]
    return requests


def number_of(element: nft.Element) -> int:
    """The number of the fault that an element of `in_force` stands for."""
    return int(struct.unpack("=I", element.key)[0])


def _key(place: Place) -> bytes:
    return struct.pack("=I", place.number)


def _matches(fault: Fault, place: Place, way: str) -> list[list[bytes]]:
    """The conditions of the rules in one chain. No packet passes two of them, so that each is treated once."""
    common = [nft.immediate(_key(place)), nft.lookup(IN_FORCE, 1)]
    if way != "through":
        interface = nft.meta(nft.IIF if way == "in" else nft.OIF)
        common += [interface, nft.compare(nft.NOT_EQUAL, struct.pack("=I", LOOPBACK_INDEX))]
    return [common + peers + ports for peers in _peers(fault, place, way) for ports in _ports(fault, place)]


def _peers(fault: Fault, place: Place, way: str) -> list[list[bytes]]:
    if not fault.peers:
        return [[]]
    peers = place.object("peers")
    source = nft.payload(nft.NETWORK, IP_SOURCE, IP_ADDRESS_BYTES)
    destination = nft.payload(nft.NETWORK, IP_DESTINATION, IP_ADDRESS_BYTES)
    from_peer = [source, nft.lookup(peers, 3)]
    to_peer = [destination, nft.lookup(peers, 3)]
    if way == "in":
        return [from_peer]
    if way == "out":
        return [to_peer]
    if not fault.outwards:
        return [from_peer]
    if not fault.inwards:
        return [to_peer]
    return [from_peer, [source, nft.lookup(peers, 3, absent=True), *to_peer]]


def _ports(fault: Fault, place: Place) -> list[list[bytes]]:
    if not fault.ports:
        return [[]]
    ports = place.object("ports")
    transport = [nft.meta(nft.L4PROTO), nft.lookup(TRANSPORTS, 2)]
    source = nft.payload(nft.TRANSPORT, SOURCE_PORT, PORT_BYTES)
    destination = nft.payload(nft.TRANSPORT, DESTINATION_PORT, PORT_BYTES)
    return [
        [*transport, source, nft.lookup(ports, 4)],
        [*transport, source, nft.lookup(ports, 4, absent=True), destination, nft.lookup(ports, 4)],
    ]


def _action(fault: Fault, place: Place, queues: Queues, way: str) -> list[bytes]:
    matched, dropped = nft.count(place.object("matched")), nft.count(place.object("dropped"))
    if fault.action == "count":
        return [matched]
    if fault.action == "latency":
        return [matched, _queue(queues, place.queue, bypass=True)]
    chance = []
    if fault.action == "loss" and fault.percent < 100:
        chance = [nft.random_below(max(1, round(fault.percent / 100 * LOSS_MODULUS)), LOSS_MODULUS)]
    return [matched, *chance, dropped, _drop(queues, way)]


def _free(queues: Queues) -> list[bytes]:
    """Lets a connection's own segments be held without stalling it.

    TCP sends hardly more than two segments beyond those that still wait in its own host (TCP small queues), so that
    holding them would delay a large reply once for every few segments. So the segment is copied, the copy, which
    belongs to no socket, goes the same way and is held, and the segment itself vanishes. Not for SYN, by which
    connection tracking learns of a connection, nor for bare acknowledgements, which do not count.

    The price: rules of the target's own at output see such a segment twice, the second time as untracked.
    """
    return [
        nft.meta(nft.SOCKET_OWNER),  # a copy has none, and passes
        nft.meta(nft.L4PROTO),
        nft.compare(nft.EQUAL, bytes([TCP])),
        nft.payload(nft.TRANSPORT, TCP_FLAGS, 1),
        nft.mask(bytes([TCP_SYN])),
        nft.compare(nft.EQUAL, bytes(1)),
        nft.meta(nft.LENGTH),
        nft.to_network_order(),
        nft.compare(nft.GREATER, struct.pack("!I", BARE_ACKNOWLEDGEMENT_BYTES)),
        nft.payload(nft.NETWORK, IP_DESTINATION, IP_ADDRESS_BYTES),
        nft.duplicate(),
        _queue(queues, queues.void, bypass=False),
    ]


def _drop(queues: Queues, way: str) -> bytes:
    """A loss that nobody notices.

    A plain drop of a packet that this host sends is told to the sender: `sendto` fails with EPERM, and TCP holds the
    segment for unsent, which no lost packet ever does to them. Sent to a queue without a listener, it vanishes after
    a send that succeeded.
    """
    if way == "out" and queues.expression:
        return _queue(queues, queues.void, bypass=False)
    return nft.verdict("drop")


def _queue(queues: Queues, number: int, *, bypass: bool) -> bytes:
    expression = nft.xtables_queue if queues.expression == "xtables" else nft.queue
    return expression(number, bypass=bypass)
