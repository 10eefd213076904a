"""A conversation of our own with a service through its proxy, timed: before a fault and while it is on.

Harmless questions: PostgreSQL is asked whether it speaks TLS (and for some bytes, where it lets us in without a
password), Valkey and Redis for an echo, everything else for a page over HTTP; told apart by port number. Afterwards our
end is closed, and the other's close is waited for. Leaves out protocols that answer none of these.
"""

from __future__ import annotations

import re
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Self

_POSTGRES, _VALKEY = 5432, 6379
_CONNECT_WITHIN_S = 1.0
_READ_BYTES = 65_536
_SSL_REQUEST = struct.pack("!II", 8, 80_877_103)
_PADDING_MAX = 4_000  # of one HTTP header; servers take 8 kB of them
_EXCHANGES_MAX = 100
_LENGTH = re.compile(rb"^content-length:\s*(\d+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Talk:
    """How it went. Times in seconds; None: that moment never came."""

    ended: str  # whole: answered in full; refused, silent, closed (early), reset
    connect_s: float | None = None
    reply_s: float | None = None  # from the first question to the end of the last answer, or to the early end
    close_s: float | None = None  # from the close of our end to that of the other's
    sent: int = 0
    received: int = 0
    pieces: int = 0  # in which the answers came

    def to_journal(self) -> dict[str, Any]:
        """As `from_journal` reads it."""
        return asdict(self)

    @classmethod
    def from_journal(cls, fields: dict[str, Any]) -> Self:
        """What `to_journal` wrote."""
        return cls(**fields)


@dataclass(frozen=True)
class Exchange:
    """A question, and when its answer is whole."""

    question: bytes
    whole: Callable[[bytes], bool]


@dataclass(frozen=True)
class Speech:
    """What to say to a service; `path` is for HTTP, `user` and `database` for PostgreSQL, where they are known."""

    port: int
    upstream: bool = False  # whether it is the questions that are to be long, and not the answers
    path: str = "/"
    user: str = ""
    database: str = ""

    @property
    def is_http(self) -> bool:
        """Whether it is pages that are asked for."""
        return self.port not in (_POSTGRES, _VALKEY)

    def exchanges(self, amount: int) -> Iterator[Exchange]:
        """Questions that move about `amount` bytes, or as few as will do for 0; of pages more, as some are short."""
        if self.port == _POSTGRES:
            yield from self._postgres(amount)
        elif self.port == _VALKEY:
            text = b"x" * max(1, amount)
            yield Exchange(b"*2\r\n$4\r\nECHO\r\n$%d\r\n%s\r\n" % (len(text), text), _line(len(text)))
        else:
            yield from self._http(amount)

    def _postgres(self, amount: int) -> Iterator[Exchange]:
        yield Exchange(_SSL_REQUEST, bool)
        if amount and self.user:
            words = ("user", self.user, "database", self.database)
            body = struct.pack("!I", 196_608) + b"".join(word.encode() + b"\0" for word in words) + b"\0"
            yield Exchange(struct.pack("!I", len(body) + 4) + body, lambda reply: reply.endswith(b"Z\0\0\0\5I"))
            query = b"select 1 -- %s\0" % (b"x" * amount) if self.upstream else b"select repeat('x', %d)\0" % amount
            yield Exchange(
                b"Q" + struct.pack("!I", len(query) + 4) + query, lambda reply: reply.endswith(b"Z\0\0\0\5I")
            )

    def _http(self, amount: int) -> Iterator[Exchange]:
        head = f"GET {self.path} HTTP/1.1\r\nHost: proxied\r\nX-Padding: ".encode()
        padding = b"x" * min(amount, _PADDING_MAX) if self.upstream else b""
        for _ in range(_EXCHANGES_MAX):
            yield Exchange(head + padding + b"\r\n\r\n", _page_is_whole)


def talk(door: str, speech: Speech, amount: int, *, patience_s: float) -> Talk:
    """One conversation through `door` (host:port); gives up on an answer after `patience_s` seconds in all."""
    host, _, port = door.rpartition(":")
    began = time.monotonic()
    try:
        connection = socket.create_connection((host, int(port)), timeout=_CONNECT_WITHIN_S)
    except TimeoutError:
        return Talk("silent")
    except OSError:
        return Talk("refused")
    with connection:
        return _Conversation(connection, time.monotonic() - began, patience_s).run(speech, amount)


class _Conversation:
    def __init__(self, connection: socket.socket, connect_s: float, patience_s: float) -> None:
        self._connection, self._connect_s, self._patience_s = connection, connect_s, patience_s
        self._sent = self._received = self._pieces = 0
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self, speech: Speech, amount: int) -> Talk:
        began = time.monotonic()
        deadline = began + self._patience_s
        ended = "whole"
        for exchange in speech.exchanges(amount):
            ended = self._exchange(exchange, deadline)
            if ended != "whole" or (speech.is_http and self._moved(speech) >= amount):
                break
        reply_s = time.monotonic() - began
        close_s = self._close() if ended == "whole" else None
        return Talk(ended, self._connect_s, reply_s, close_s, self._sent, self._received, self._pieces)

    def _moved(self, speech: Speech) -> int:
        return self._sent if speech.upstream else self._received

    def _exchange(self, exchange: Exchange, deadline: float) -> str:
        reply = b""
        try:
            self._connection.settimeout(max(0.001, deadline - time.monotonic()))
            self._connection.sendall(exchange.question)
            self._sent += len(exchange.question)
            while not exchange.whole(reply):
                self._connection.settimeout(max(0.001, deadline - time.monotonic()))
                piece = self._connection.recv(_READ_BYTES)
                if not piece:
                    return "closed"
                reply += piece
                self._received += len(piece)
                self._pieces += 1
        except TimeoutError:
            return "silent"
        except OSError:
            return "reset"
        return "whole"

    def _close(self) -> float | None:
        """How long the other end took to close after ours; None when it did not within our patience."""
        began = time.monotonic()
        try:
            self._connection.shutdown(socket.SHUT_WR)
            self._connection.settimeout(self._patience_s)
            while self._connection.recv(_READ_BYTES):
                pass
        except TimeoutError:
            return None
        except OSError:  # a reset is an end too
            pass
        return time.monotonic() - began


def _line(length: int) -> Callable[[bytes], bool]:
    """An answer of Valkey's of that length, or the line of an error."""
    return lambda reply: reply.endswith(b"\r\n") and (reply.startswith(b"-") or len(reply) > length)


def _page_is_whole(reply: bytes) -> bool:
    if not reply.startswith(b"HTTP/"):
        return bool(reply)  # it speaks something else, but it speaks
    head, end, body = reply.partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)
