"""The messages and expressions that the agent's rules are made of, as in the kernel's linux/netfilter/nf_tables.h.

One function for each, returning a request or the bytes of one expression; a batch of requests takes effect as a whole.
Left out: all families but IPv4. An IPv6 table would have the same rules with other offsets and another address length.
"""

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from . import netlink
from .netlink import Request, attr, be32, be64, nest, text

IPV4 = 2  # NFPROTO_IPV4: nft_compat takes no "inet" table, and the NFQUEUE target needs nft_compat
SUBSYSTEM = 10
NEWTABLE, GETTABLE, NEWCHAIN, NEWRULE, DELRULE, NEWSET, DELSET = 0, 1, 3, 6, 8, 9, 11
NEWSETELEM, GETSETELEM, DELSETELEM, NEWOBJ, GETOBJ, DELOBJ = 12, 13, 14, 18, 19, 20
BATCH_BEGIN, BATCH_END = 0x10, 0x11

OWNER = 0x2  # table flag: the table dies with the socket that made it
SET_WITH_TIMEOUT = 0x10
COUNTER = 1  # object type
HOOK_IN, HOOK_FORWARD, HOOK_OUT = 1, 2, 3  # NF_INET_LOCAL_IN, _FORWARD, _LOCAL_OUT

LENGTH, IIF, OIF, SOCKET_OWNER, L4PROTO = 0, 4, 5, 10, 16  # keys of `meta`
NETWORK, TRANSPORT = 1, 2  # bases of `payload`
EQUAL, NOT_EQUAL, LESS, GREATER = 0, 1, 2, 4  # operators of `cmp`
REGISTER = 1
_VERDICT_CODES = {"drop": 0, "accept": 1}


class Count(NamedTuple):
    """What a counter has seen."""

    packets: int
    bytes: int


class Element(NamedTuple):
    """An element of a set: its key, the milliseconds it lives (None: for good) and a note kept with it."""

    key: bytes
    timeout_ms: int | None = None
    note: bytes = b""


def batch(requests: Sequence[Request], *, commit: bool = True) -> list[Request]:
    """The requests framed as one transaction. Without `commit` the kernel checks them all and then forgets them."""
    frame = struct.pack("!BBH", 0, 0, SUBSYSTEM)
    framed = [Request(BATCH_BEGIN, 0, frame), *requests]
    return [*framed, Request(BATCH_END, 0, frame)] if commit else framed


def _request(kind: int, flags: int, *parts: bytes) -> Request:
    return Request(SUBSYSTEM << 8 | kind, flags, struct.pack("!BBH", IPV4, 0, 0) + b"".join(parts))


def new_table(name: str, flags: int = OWNER) -> Request:
    """A table; EEXIST or EPERM where the name is taken."""
    return _request(NEWTABLE, netlink.CREATE | netlink.EXCL, text(1, name), be32(2, flags))


def base_chain(table: str, name: str, hook: int, priority: int) -> Request:
    """A chain that packets enter at `hook`, chains of lower priority first; packets it does not drop go on."""
    where = nest(4, be32(1, hook), attr(2, struct.pack("!i", priority)))
    return _request(NEWCHAIN, netlink.CREATE, text(1, table), text(3, name), where, be32(5, 1), text(7, "filter"))


def new_set(table: str, name: str, key_type: int, key_bytes: int, number: int, flags: int = 0) -> Request:
    """A set; `key_type` only tells `nft list` how to print the keys; `number` names it within this batch."""
    key = be32(4, key_type) + be32(5, key_bytes)
    return _request(NEWSET, netlink.CREATE, text(1, table), text(2, name), be32(3, flags), key, be32(10, number))


def delete_set(table: str, name: str) -> Request:
    """Deletes a set that no rule uses any more."""
    return _request(DELSET, 0, text(1, table), text(2, name))


def add_elements(table: str, set_name: str, elements: Iterable[Element]) -> Request:
    """Puts elements into a set; an element's life is counted by the kernel from the moment this takes effect."""
    return _request(NEWSETELEM, netlink.CREATE, *_elements(table, set_name, elements))


def delete_element(table: str, set_name: str, key: bytes) -> Request:
    """Takes an element out of a set; ENOENT where it has expired."""
    return _request(DELSETELEM, 0, *_elements(table, set_name, [Element(key)]))


def _elements(table: str, set_name: str, elements: Iterable[Element]) -> tuple[bytes, ...]:
    packed = []
    for element in elements:
        parts = [nest(1, attr(1, element.key))]
        if element.timeout_ms is not None:
            parts.append(be64(4, element.timeout_ms))
        if element.note:
            parts.append(attr(6, element.note))
        packed.append(nest(1, *parts))
    return text(1, table), text(2, set_name), nest(3, *packed)


def dump_elements(table: str, set_name: str) -> Request:
    """Asks for the elements of a set; expired ones are not among them."""
    return _request(GETSETELEM, 0, text(1, table), text(2, set_name))


def elements_of(body: bytes) -> list[Element]:
    """The elements in one answer to `dump_elements`; `timeout_ms` is what is left of each life."""
    found = []
    listed = netlink.attributes(body[4:]).get(3, b"")
    for _, packed in netlink.iter_attributes(listed):
        parts = netlink.attributes(packed)
        left = struct.unpack("!Q", parts[5])[0] if 5 in parts else None
        found.append(Element(netlink.attributes(parts[1])[1], left, parts.get(6, b"")))
    return found


def new_counter(table: str, name: str) -> Request:
    """A counter that rules refer to by name."""
    return _request(NEWOBJ, netlink.CREATE, text(1, table), text(2, name), be32(3, COUNTER), nest(4))


def delete_counter(table: str, name: str) -> Request:
    """Deletes a counter that no rule uses any more."""
    return _request(DELOBJ, 0, text(1, table), text(2, name), be32(3, COUNTER))


def dump_counters(table: str) -> Request:
    """Asks for all counters of a table."""
    return _request(GETOBJ, 0, text(1, table), be32(3, COUNTER))


def counter_of(body: bytes) -> tuple[str, Count]:
    """Name and figures of one answer to `dump_counters`."""
    parts = netlink.attributes(body[4:])
    data = netlink.attributes(parts[4])
    return parts[2].rstrip(b"\0").decode(), Count(*(struct.unpack("!Q", data[kind])[0] for kind in (2, 1)))


def dump_tables() -> Request:
    """Asks for all tables of the network namespace."""
    return _request(GETTABLE, 0)


def table_name_of(body: bytes) -> str:
    """The name in one answer to `dump_tables`."""
    return netlink.attributes(body[4:])[1].rstrip(b"\0").decode()


def new_rule(table: str, chain: str, expressions: Iterable[bytes]) -> Request:
    """Appends a rule: a packet that passes all its expressions meets the verdict among them."""
    return _request(NEWRULE, netlink.CREATE | 0x800, text(1, table), text(2, chain), nest(4, *expressions))


def flush_chain(table: str, chain: str) -> Request:
    """Deletes every rule of a chain. The chain stays: to delete one makes the kernel drop all queued packets."""
    return _request(DELRULE, 0, text(1, table), text(2, chain))


def _expression(name: str, *parts: bytes) -> bytes:
    return nest(1, text(1, name), nest(2, *parts))


def meta(key: int) -> bytes:
    """Loads a property of the packet that is not in its bytes."""
    return _expression("meta", be32(1, REGISTER), be32(2, key))


def payload(base: int, offset: int, length: int) -> bytes:
    """Loads bytes of the packet; packets that are too short do not match."""
    return _expression("payload", be32(1, REGISTER), be32(2, base), be32(3, offset), be32(4, length))


def immediate(value: bytes) -> bytes:
    """Loads a constant."""
    return _expression("immediate", be32(1, REGISTER), nest(2, attr(1, value)))


def compare(operator: int, value: bytes) -> bytes:
    """Goes on where the loaded bytes compare so with `value`, byte by byte."""
    return _expression("cmp", be32(1, REGISTER), be32(2, operator), nest(3, attr(1, value)))


def mask(bits: bytes) -> bytes:
    """Keeps only these bits of what was loaded."""
    head = (be32(kind, value) for kind, value in ((1, REGISTER), (2, REGISTER), (3, len(bits))))
    return _expression("bitwise", *head, nest(4, attr(1, bits)), nest(5, attr(1, bytes(len(bits)))))


def to_network_order() -> bytes:
    """Turns the loaded 32 bits round, so that `compare` sees the larger number as larger."""
    return _expression("byteorder", *(be32(k, v) for k, v in enumerate((REGISTER, REGISTER, 1, 4, 4), 1)))


def duplicate() -> bytes:
    """Sends a copy of the packet, which belongs to no socket, towards the IPv4 address that is loaded."""
    return _expression("dup", be32(1, REGISTER))


def lookup(set_name: str, number: int, *, absent: bool = False) -> bytes:
    """Goes on where what was loaded is in the set (or is not)."""
    return _expression("lookup", text(1, set_name), be32(2, REGISTER), be32(4, number), be32(5, int(absent)))


def count(counter: str) -> bytes:
    """Counts the packet."""
    return _expression("objref", be32(1, COUNTER), text(2, counter))


def random_below(limit: int, modulus: int) -> bytes:
    """Goes on for `limit` packets of `modulus`, drawn by the kernel for each packet."""
    draw = _expression("numgen", be32(1, REGISTER), be32(2, modulus), be32(3, 1), be32(4, 0))
    return draw + to_network_order() + compare(LESS, struct.pack("!I", limit))


def verdict(name: str) -> bytes:
    """Ends the packet's way here: "drop" or "accept"."""
    code = nest(2, be32(1, _VERDICT_CODES[name]))
    return _expression("immediate", be32(1, 0), nest(2, code))


def queue(number: int, *, bypass: bool) -> bytes:
    """Hands the packet to whoever listens on that queue; without a listener it passes (bypass) or vanishes."""
    parts = (attr(k, struct.pack("!H", v)) for k, v in ((1, number), (2, 1), (3, int(bypass))))
    return _expression("queue", *parts)


def xtables_queue(number: int, *, bypass: bool) -> bytes:
    """The same as `queue`, by the xtables target, for kernels without that expression."""
    info = struct.pack("=HHH2x", number, 1, int(bypass))
    return _expression("target", text(1, "NFQUEUE"), be32(2, 3), attr(3, info))
