"""How a third party refuses every connection to its public port, and how many were refused.

In a network namespace of its own the port is really closed, so clients see ECONNREFUSED. Nobody accepts, so nobody in
this process can count: the kernel does, which sends one reset for each refusal (OutRsts). On loopback that figure is
the whole machine's, and would prove nothing. There the port stays open, and each connection is reset as soon as it
is accepted, which can be counted; clients see ECONNRESET instead, and cannot be as sure that nothing was done.
"""

import asyncio
import socket
import struct
from pathlib import Path
from typing import Protocol

from sandbox.serve import BACKLOG
from sandbox.settings import Address

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds
_SNMP = Path("/proc/self/net/snmp")


class Refusal(Protocol):
    """One stretch of refusing, on an address at which nobody listens any more."""

    async def begin(self) -> None:
        """Refuses from now on; OSError where the address cannot be had."""

    async def end(self) -> None:
        """Refuses no longer; somebody else may listen. The count stays."""

    def count(self) -> int:
        """How many connections were refused."""


def refusal(address: Address) -> Refusal:
    """The way that can be counted at this address."""
    return Resets(address) if _is_loopback(address.host) else ClosedPort()


class ClosedPort:
    """Nobody listens. Only the resets of this network namespace are counted, so it must be the service's own."""

    def __init__(self) -> None:
        self._before = 0
        self._after: int | None = None

    async def begin(self) -> None:
        """Counts from now on."""
        self._before = _resets_sent()

    async def end(self) -> None:
        """Counts no further."""
        self._after = _resets_sent()

    def count(self) -> int:
        """The resets that the kernel sent meanwhile."""
        return (_resets_sent() if self._after is None else self._after) - self._before


class Resets:
    """Accepts every connection and resets it at once."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._count = 0
        self._server: asyncio.Server | None = None

    async def begin(self) -> None:
        """Listens."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _ResetAtOnce(self), self._address.host, self._address.port, backlog=BACKLOG, reuse_address=True
        )

    async def end(self) -> None:
        """Listens no longer."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def met(self) -> None:
        """One more connection was reset."""
        self._count += 1

    def count(self) -> int:
        """The connections that were reset."""
        return self._count


class _ResetAtOnce(asyncio.Protocol):
    def __init__(self, resets: Resets) -> None:
        self._resets = resets

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        reset(transport)
        self._resets.met()


def reset(transport: asyncio.BaseTransport | None) -> None:
    """Closes a connection so that the other side sees a reset."""
    if not isinstance(transport, asyncio.Transport):
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()


def _is_loopback(host: str) -> bool:
    return host.startswith("127.") or host in ("localhost", "::1")


def _resets_sent() -> int:
    """TCP resets sent in this network namespace since it was made."""
    names, values = [line.split() for line in _SNMP.read_text(encoding="ascii").splitlines() if line.startswith("Tcp:")]
    return int(values[names.index("OutRsts")])
