"""The journal of a run: append-only JSON Lines, on disk before anything is done to a target.

`docs/design.md` lists the events. A torn last line, left by a crash or a full disk, is understood when reading.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from chaos.errors import InvalidExperiment, Problem, SandboxError

Record = dict[str, Any]


class Journal:
    """Writes events with their time; `now` gives seconds since the run started."""

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        self.now = now
        self._path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def write(self, event: str, *, durable: bool = False, **keys: Any) -> None:
        """Appends one event; with `durable` it is on the disk when this returns. Raises SandboxError on a full disk."""
        line = (json.dumps({"t": round(self.now(), 4), "event": event, **keys}) + "\n").encode()
        try:
            written = os.write(self._descriptor, line)
            if written != len(line):
                end = os.fstat(self._descriptor).st_size
                os.ftruncate(self._descriptor, end - written)  # so that a later line does not join a torn one
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if durable:
                os.fsync(self._descriptor)
        except OSError as error:
            raise SandboxError(
                f"the journal {self._path} cannot be written: {error}",
                remedy="make room on that disk; nothing was injected",
            ) from error

    def note(self, event: str, **keys: Any) -> None:
        """Appends one event if that can be done: for what has to go on although the disk is full, such as healing."""
        with suppress(SandboxError):
            self.write(event, **keys)

    def close(self) -> None:
        """Flushes to the disk, as far as that can be done, and closes."""
        with suppress(OSError):
            os.fsync(self._descriptor)
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read(path: Path) -> list[Record]:
    """All events in order. A torn last line is left out; any other line that is no event is an error with its place."""
    records: list[Record] = []
    lines = path.read_text(errors="replace").split("\n")
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            if number == len(lines):  # no newline behind it: the write was cut off
                break
            raise InvalidExperiment([Problem(str(path), number, error.colno, "not a line of a journal")]) from None
        if not isinstance(record, dict) or not isinstance(record.get("event"), str) or "t" not in record:
            raise InvalidExperiment([Problem(str(path), number, 1, "not an event: needs `t` and `event`")])
        records.append(record)
    return records
