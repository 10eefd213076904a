"""NFQUEUE: the kernel hands over packets, this process says when they may go on.

One netlink socket listens on any number of queues. Packets stay in the kernel; only their numbers and
headers are copied. Segmentation is left to the kernel (GSO), and a full queue lets packets
pass instead of dropping them (fail-open), as does a queue that nobody listens on (bypass, in rules.py).

Left out: changing or dropping packets. A listener that dies takes the packets it holds with it, as the kernel has it.
"""

import contextlib
import errno
import socket
import struct
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from . import netlink
from .netlink import attr, be32

SUBSYSTEM = 3
PACKET, VERDICT, CONFIG = SUBSYSTEM << 8 | 0, SUBSYSTEM << 8 | 1, SUBSYSTEM << 8 | 2
BIND = 1
COPY_PACKET = 2
FAIL_OPEN, GSO = 0x1, 0x4
ACCEPT = 1

QUEUE_PACKETS_MAX = 32_768  # more than this held at once pass undelayed
HEADERS_BYTES = 64  # the longest IPv4 header and the two ports behind it
SOCKET_BUFFER_BYTES = 16 << 20
QUEUE_FIRST = 40_000
QUEUE_VOID = 65_535
_VERDICTS_AT_ONCE = 512

_SO_RCVBUFFORCE = 33  # socket(7); Python does not name it
_MESSAGE_BYTES = 4096
_CONFIG_SEQUENCE = 0xFFFFFFFF  # verdicts have number 0
_PACKET_HEADER, _PAYLOAD = 1, 10  # attributes of a packet's message
_ATTRIBUTES_AT = netlink.HEADER.size + 4
_ANSWER = struct.Struct("=4xH2xI4xi")  # type, sequence number, error
_PACKET = struct.Struct("=4xH12xH2xHI2xB")  # type, queue, type of the first attribute, number of the packet, hook
_VERDICT_HEADER = netlink.HEADER.pack(32, VERDICT, netlink.REQUEST, 0, 0)
_VERDICT_ATTRIBUTE = netlink.ATTRIBUTE.pack(12, 2)
_VERDICT = struct.Struct("!BBH4sII")  # family, version, queue, head of the attribute, verdict, number


class Packet(NamedTuple):
    """A packet that waits in the kernel: its queue, its number there, the hook it waits at, and its message."""

    queue: int
    number: int
    hook: int
    message: bytes

    def flow(self) -> bytes:
        """What tells its flow from others: protocol, addresses and, for TCP and UDP, ports."""
        data = self.message[_ATTRIBUTES_AT:]
        headers = next((value for kind, value in netlink.iter_attributes(data) if kind == _PAYLOAD), b"")
        if len(headers) < 20:
            return b""
        protocol, after = headers[9:10], (headers[0] & 0xF) * 4
        ports = headers[after : after + 4] if protocol in (b"\x06", b"\x11") else b""
        return protocol + headers[12:20] + ports


class Listener:
    """The socket that all of the agent's queues report to. OSError where the kernel has no NFQUEUE."""

    def __init__(self) -> None:
        self._sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, netlink.NETLINK_NETFILTER)
        self._sock.bind((0, 0))
        # A burst must fit before we read it. The first needs rights in the initial user namespace; the second
        # is capped by a sysctl.
        for option in (_SO_RCVBUFFORCE, socket.SO_RCVBUF):
            with contextlib.suppress(PermissionError):
                self._sock.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER_BYTES)
                break
        self._sock.setblocking(False)
        self._next_queue = QUEUE_FIRST
        self._backlog: deque[bytes] = deque()

    def fileno(self) -> int:
        """The descriptor, for waiting on it."""
        return self._sock.fileno()

    def close(self) -> None:
        """Closes the socket and with it all its queues; the kernel drops what they hold."""
        self._sock.close()

    def bind(self) -> int:
        """Listens on a further queue and returns its number: the next that no other program in this namespace has."""
        while self._next_queue < QUEUE_VOID:
            number = self._next_queue
            self._next_queue += 1
            try:
                self._configure(number, attr(1, struct.pack("!BBH", BIND, 0, socket.AF_INET)))
            except netlink.NetlinkError as error:
                if error.errno in (errno.EBUSY, errno.EPERM):
                    continue  # another agent's, in the same namespace
                raise
            flags = struct.pack("!I", FAIL_OPEN | GSO)
            copy = struct.pack("!IB", HEADERS_BYTES, COPY_PACKET)
            self._configure(number, attr(2, copy), be32(3, QUEUE_PACKETS_MAX), attr(4, flags), attr(5, flags))
            return number
        raise OSError(errno.EBUSY, "every queue number is taken")

    def _configure(self, queue: int, *settings: bytes) -> None:
        body = struct.pack("!BBH", 0, 0, queue) + b"".join(settings)
        self._sock.send(netlink.pack(CONFIG, netlink.REQUEST | netlink.ACK, _CONFIG_SEQUENCE, body))
        while True:  # the answer is there already, perhaps behind packets of other queues
            data = self._sock.recv(netlink.RECEIVE_BYTES)
            kind, sequence, code = _ANSWER.unpack_from(data)
            if kind == netlink.ERROR and sequence == _CONFIG_SEQUENCE:
                if code:
                    raise netlink.NetlinkError(-code)
                return
            self._backlog.append(data)

    def receive(self) -> Iterator[Packet]:
        """The packets that wait to be read."""
        while True:
            try:
                data = self._backlog.popleft() if self._backlog else self._sock.recv(_MESSAGE_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno == errno.ENOBUFS:  # a burst overflowed the socket; what did not fit went on undelayed
                    continue
                raise
            kind, queue, first, number, hook = _PACKET.unpack_from(data.ljust(_PACKET.size, b"\0"))
            if kind == PACKET and first == _PACKET_HEADER:  # else the kernel answers a verdict that came too late
                yield Packet(socket.ntohs(queue), socket.ntohl(number), hook, data)

    def accept(self, packets: Sequence[tuple[int, int]]) -> None:
        """Lets packets go on, in this order, given as (queue, number)."""
        for at in range(0, len(packets), _VERDICTS_AT_ONCE):
            chunk = packets[at : at + _VERDICTS_AT_ONCE]
            self._sock.send(
                b"".join([_VERDICT_HEADER + _VERDICT.pack(0, 0, q, _VERDICT_ATTRIBUTE, ACCEPT, n) for q, n in chunk])
            )
