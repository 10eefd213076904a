"""Appends JSON lines to a file descriptor from a thread of its own, so that a slow disk or reader never delays traffic.

Lines wait in memory for at most `FLUSH_S`; if the descriptor takes nothing, they wait longer and none is dropped. The
first error (a full disk, a reader that went away) is reported at once and again by `close`. Leaves out opening,
syncing and closing the descriptor.
"""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

FLUSH_S = 0.05
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class Appender:
    """Writes lines in the order they are put; `put` is for one thread and never blocks."""

    def __init__(self, descriptor: int, failed: Callable[[OSError], object]) -> None:
        """`failed` is called in the writing thread, once, with the first error; nothing is written after it."""
        self._descriptor = descriptor
        self._failed = failed
        self._error: OSError | None = None
        self._lines: deque[str] = deque()  # append and popleft are atomic, so no lock is needed
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write_until_closed, daemon=True)
        self._thread.start()

    def put(self, record: Mapping[str, Any]) -> None:
        """Appends one line, soon."""
        self._lines.append(_encode(record))

    def close(self) -> None:
        """Writes what waits and ends the thread; raises the first OSError of all writes, if there was one."""
        self._closing.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _write_until_closed(self) -> None:
        try:
            while not self._closing.wait(FLUSH_S):
                self._flush()
            self._flush()
        except OSError as error:
            self._error = error
            self._failed(error)

    def _flush(self) -> None:
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        data = memoryview("".join(f"{line}\n" for line in lines).encode())
        while data:
            data = data[os.write(self._descriptor, data) :]
