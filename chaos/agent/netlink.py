"""Netlink as the agent needs it: messages and attributes as bytes, and a socket that says what the kernel answered.

The kernel handles a request before `send` returns, so its answers are already waiting: reading them never blocks for
long. Left out: everything else of netlink (multicast groups, extended error texts, namespaces); see rtnetlink(7) and
netlink(7).
"""

import contextlib
import errno
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

NETLINK_NETFILTER = 12

REQUEST, ACK, DUMP, EXCL, CREATE = 0x1, 0x4, 0x300, 0x200, 0x400
"""Flags of a message (NLM_F_…)."""

ERROR, DONE = 2, 3
"""Message types below 16 belong to netlink itself."""

NESTED = 0x8000
HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence number, port of the sender
ATTRIBUTE = struct.Struct("=HH")  # length, type
RECEIVE_BYTES = 1 << 18


class NetlinkError(OSError):
    """The kernel refused a request; `errno` says why."""

    def __init__(self, code: int) -> None:
        super().__init__(code, os.strerror(code))


@contextlib.contextmanager
def tolerating(code: int) -> Iterator[None]:
    """Passes over a refusal for this one reason, an errno; a NetlinkError is never a FileNotFoundError or its like."""
    try:
        yield
    except NetlinkError as error:
        if error.errno != code:
            raise


class Message(NamedTuple):
    """One message, without its header's length; `body` begins after the header."""

    kind: int
    flags: int
    sequence: int
    body: bytes


def attr(kind: int, value: bytes) -> bytes:
    """One attribute: length, type, value, padded to four bytes. ValueError where it is too long to be one."""
    length = ATTRIBUTE.size + len(value)
    if length > 0xFFFF:
        raise ValueError(
            f"a netlink attribute holds at most {0xFFFF - ATTRIBUTE.size} bytes, this one has {len(value)}"
        )
    return ATTRIBUTE.pack(length, kind) + value + bytes(-length % 4)


def nest(kind: int, *members: bytes) -> bytes:
    """An attribute that holds attributes."""
    return attr(kind | NESTED, b"".join(members))


def text(kind: int, value: str) -> bytes:
    """An attribute that holds a zero-terminated string."""
    return attr(kind, value.encode() + b"\0")


def be32(kind: int, value: int) -> bytes:
    """An attribute that holds 32 bits in network order, as netfilter wants nearly all its numbers."""
    return attr(kind, struct.pack("!I", value))


def be64(kind: int, value: int) -> bytes:
    """An attribute that holds 64 bits in network order."""
    return attr(kind, struct.pack("!Q", value))


def attributes(data: bytes) -> dict[int, bytes]:
    """The attributes in `data` by type, the last of a type winning; ValueError where a length runs beyond the data."""
    return dict(iter_attributes(data))


def iter_attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The attributes in `data` in their order, as (type without flags, value)."""
    at = 0
    while at + ATTRIBUTE.size <= len(data):
        length, kind = ATTRIBUTE.unpack_from(data, at)
        if length < ATTRIBUTE.size or at + length > len(data):
            raise ValueError(f"a netlink attribute of {length} bytes at {at}, of {len(data)}")
        yield kind & 0x3FFF, data[at + ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3


def pack(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    """One whole message, ready to send."""
    return HEADER.pack(HEADER.size + len(body), kind, flags, sequence, 0) + body


def unpack(data: bytes) -> Iterator[Message]:
    """The messages of one datagram; ValueError where a length runs beyond it."""
    at = 0
    while at + HEADER.size <= len(data):
        length, kind, flags, sequence, _ = HEADER.unpack_from(data, at)
        if length < HEADER.size or at + length > len(data):
            raise ValueError(f"a netlink message of {length} bytes at {at}, of {len(data)}")
        yield Message(kind, flags, sequence, data[at + HEADER.size : at + length])
        at += (length + 3) & ~3


class Request(NamedTuple):
    """A message to be sent: its type, flags and body; the socket adds the sequence number."""

    kind: int
    flags: int
    body: bytes


class Socket:
    """A netlink socket for requests and their answers. OSError where the kernel has no such family."""

    def __init__(self, family: int) -> None:
        self._sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, family)
        self._sock.bind((0, 0))
        self._sock.setblocking(False)
        self._sequence = 0

    def fileno(self) -> int:
        """The descriptor, for waiting on it."""
        return self._sock.fileno()

    def close(self) -> None:
        """Closes the socket; the kernel then destroys what it owned."""
        self._sock.close()

    def send(self, requests: Sequence[Request]) -> None:
        """Sends all requests in one datagram and raises NetlinkError for the first that was refused.

        The whole datagram is one netfilter batch where it is framed as one, and then takes effect as a whole or not
        at all.
        """
        first = self._sequence + 1
        self._sequence += len(requests)
        self._sock.send(b"".join(pack(r.kind, r.flags | REQUEST, first + i, r.body) for i, r in enumerate(requests)))
        refused: NetlinkError | None = None
        while True:
            try:
                data = self._sock.recv(RECEIVE_BYTES)
            except BlockingIOError:
                break
            for message in unpack(data):
                code = error_of(message)
                if code and message.sequence >= first and refused is None:
                    refused = NetlinkError(code)
        if refused is not None:
            raise refused

    def dump(self, request: Request) -> list[bytes]:
        """The bodies of all messages that answer a dump request; NetlinkError where it is refused."""
        self._sequence += 1
        sequence = self._sequence
        self._sock.send(pack(request.kind, request.flags | REQUEST | DUMP, sequence, request.body))
        bodies: list[bytes] = []
        while True:
            for message in unpack(self._sock.recv(RECEIVE_BYTES)):
                if message.sequence != sequence:
                    continue
                if code := error_of(message):
                    raise NetlinkError(code)
                if message.kind == DONE:
                    return bodies
                bodies.append(message.body)


def error_of(message: Message) -> int:
    """The errno that a message carries; 0 where it is no error (an acknowledgement is error 0)."""
    if message.kind not in (ERROR, DONE) or len(message.body) < 4:
        return 0
    code = -int(struct.unpack_from("=i", message.body)[0])
    return code if code > 0 else 0


def refused_for_lack_of_rights(error: OSError) -> bool:
    """Whether the kernel said that this process may not do such things, rather than that it cannot be done."""
    return error.errno in (errno.EPERM, errno.EACCES)
