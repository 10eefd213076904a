"""The streams of a container or a command: the connection of one request, which the engine then leaves to us.

What comes is cut in frames of either standard output or standard error, with a head of eight bytes. Bytes that came in
one piece with the reply's head wait in a buffer of the HTTP library, and are taken out of there first.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from typing import Any, NamedTuple

STDOUT, STDERR = 1, 2
_HEAD_BYTES = 8
_READ_BYTES = 65_536


class Frame(NamedTuple):
    """Some output, and which of the two streams it is of."""

    stream: int
    data: bytes


class Stream:
    """A connection to a container's or a command's standard streams; raises OSError where it broke."""

    def __init__(self, answered: Any) -> None:
        """`answered` is what the SDK returns for a request with `socket=True`."""
        self._response = answered._response  # kept, because its end would close the connection
        self._socket: socket.socket = getattr(answered, "_sock", answered)
        self._socket.settimeout(0)
        self._pending: bytes = self._response.raw._fp.fp.peek()
        self._ended = False

    def write(self, data: bytes, timeout_s: float) -> None:
        """Sends all of it."""
        self._socket.settimeout(timeout_s)
        self._socket.sendall(data)

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame; one without data at the end; None when none was whole within `timeout_s` seconds."""
        deadline = time.monotonic() + timeout_s
        while (frame := self._frame()) is None:
            if self._ended:
                return Frame(STDOUT, b"")
            if not self._receive(deadline - time.monotonic()):
                return None
        return frame

    def ended(self) -> bool:
        """Whether the other end has closed; does not wait."""
        while not self._ended and self._receive(0):
            pass
        return self._ended

    def finish(self, timeout_s: float) -> bool:
        """Closes our end and waits for the other's; whether it came within `timeout_s` seconds. It is closed anyway."""
        deadline = time.monotonic() + timeout_s
        try:
            self._socket.shutdown(socket.SHUT_WR)
            while not self._ended and self._receive(deadline - time.monotonic()):
                self._pending = b""
        except OSError:  # closed already, or broken, which is no end that we have seen
            return self._ended
        finally:
            self.close()
        return self._ended

    def close(self) -> None:
        """Closes it both ways; twice is harmless."""
        with contextlib.suppress(OSError):  # the other end was quicker
            self._socket.shutdown(socket.SHUT_RDWR)
        self._response.close()
        self._socket.close()

    def _receive(self, timeout_s: float) -> bool:
        """Whether anything came, the end included."""
        self._socket.settimeout(max(0.0, timeout_s))
        try:
            chunk = self._socket.recv(_READ_BYTES)
        except (BlockingIOError, TimeoutError, ssl.SSLWantReadError):
            return False
        self._pending += chunk
        self._ended = not chunk
        return True

    def _frame(self) -> Frame | None:
        if len(self._pending) < _HEAD_BYTES:
            return None
        end = _HEAD_BYTES + int.from_bytes(self._pending[4:_HEAD_BYTES])
        if len(self._pending) < end:
            return None
        frame = Frame(self._pending[0], self._pending[_HEAD_BYTES:end])
        self._pending = self._pending[end:]
        return frame if frame.data else self._frame()
