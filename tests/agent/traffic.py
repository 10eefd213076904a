"""Real packets between the hosts of a test, and how long they take."""

import contextlib
import socket
import time
from collections.abc import Iterator

from tests.agent.netns import Namespace

LOST_AFTER_S = 0.2  # these links take microseconds
PORT = 9000
Connection = tuple[socket.socket, socket.socket]
CHUNK = 100  # datagrams in flight at once; a socket's buffer holds more


class Pair:
    """A UDP client on one host and an echo on another, driven by the test itself."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        for end in (client, server):
            end.settimeout(LOST_AFTER_S)

    def round_trip_ms(self) -> float | None:
        """How long a datagram takes there and back; None where it, or its echo, is lost."""
        begun = time.monotonic()
        self.client.send(b"ping")
        with contextlib.suppress(TimeoutError):
            data, sender = self.server.recvfrom(64)
            self.server.sendto(data, sender)
            self.client.recv(64)
            return (time.monotonic() - begun) * 1000
        return None

    def median_ms(self, rounds: int = 5) -> float:
        """The median round trip."""
        taken = sorted(self.round_trip_ms() or float("inf") for _ in range(rounds))
        return taken[len(taken) // 2]

    def flood(self, datagrams: int) -> int:
        """Sends datagrams one way and returns how many arrive."""
        arrived = 0
        for _ in range(datagrams // CHUNK):
            for _ in range(CHUNK):
                self.client.send(b"x")
            arrived += self._drain(0.0)
        return arrived + self._drain(LOST_AFTER_S)

    def _drain(self, patience_s: float) -> int:
        arrived = 0
        self.server.settimeout(patience_s)
        with contextlib.suppress(TimeoutError, BlockingIOError):
            while True:
                self.server.recv(64)
                arrived += 1
        self.server.settimeout(LOST_AFTER_S)
        return arrived


@contextlib.contextmanager
def udp(client: Namespace, server: Namespace, address: str, port: int = PORT) -> Iterator[Pair]:
    """A client and a server for datagrams."""
    with server.socket(socket.SOCK_DGRAM) as there, client.socket(socket.SOCK_DGRAM) as here:
        there.bind((address, port))
        here.connect((address, port))
        yield Pair(here, there)


@contextlib.contextmanager
def tcp(client: Namespace, server: Namespace, address: str, port: int = 0) -> Iterator[Connection]:
    """Both ends of an open connection: the client's, the server's."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(server.socket(socket.SOCK_STREAM))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen()
        here = stack.enter_context(client.socket(socket.SOCK_STREAM))
        here.connect(listening.getsockname())
        there = stack.enter_context(listening.accept()[0])
        for end in (here, there):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            end.settimeout(10.0)
        yield here, there
