"""The journal of a run: append-only JSON Lines, on disk before anything is done to a target.

`docs/design.md` lists the events. A torn last line, left by a crash or a full disk, is understood when reading. Who
heals a run after its conductor died goes on with its journal, and says in each event that it was not the conductor.
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from chaos.errors import InvalidExperiment, Problem, SandboxError

Record = dict[str, Any]

T_MAX_S = 10 * 24 * 3600.0
"""The latest time that an event can have; a later one is no time of a run."""


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_map(value: object) -> bool:
    return isinstance(value, dict)


def _is_whole(value: object) -> bool:
    return type(value) is int and abs(value) < 2**63


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and -1e15 <= value <= 1e15  # type: ignore[operator]  # false for NaN too


def _is_time(value: object) -> bool:
    return _is_number(value) and 0 <= value <= T_MAX_S  # type: ignore[operator]


_KINDS: dict[str, Callable[[object], bool]] = {
    "text": _is_text,
    "list of texts": _is_texts,
    "true or false": _is_flag,
    "object": _is_map,
    "whole number": _is_whole,
    "number": _is_number,
    f"number of seconds from 0 to {T_MAX_S:g}": _is_time,
}
_TEXT, _TEXTS, _FLAG, _MAP, _WHOLE, _NUMBER, _TIME = _KINDS
_NEEDED = {
    "phase": {"name": _TEXT},
    "intent": {"lease": _TEXT, "fault": _TEXT, "target": _TEXT, "for_s": _TIME},
    "injected": {"lease": _TEXT, "active": _FLAG},
    "inject_failed": {"lease": _TEXT, "what": _TEXT},
    "lapsed": {"lease": _TEXT},
    "heal": {"lease": _TEXT},
    "healed": {"lease": _TEXT, "gone": _FLAG, "effective": _FLAG, "evidence": _TEXT},
    "heal_failed": {"lease": _TEXT, "what": _TEXT, "by_hand": _TEXT},
    "baseline_failed": {"checks": _TEXTS},
    "aborted": {"metric": _TEXT, "tolerance": _TEXT, "value": _NUMBER},
    "interrupted": {"signal": _TEXT},
    "load": {"lag_p99_s": _TIME, "sent": _WHOLE, "complete": _FLAG},
    "services": {"unready": _TEXTS},
    "drained": {"drained": _FLAG, "waited_s": _TIME},
    "records": {"name": _TEXT},
    "ended": {"service": _TEXT, "code": _WHOLE},
    "watchdog": {"what": _TEXT},
    "error": {"what": _TEXT, "exit": _WHOLE},
}
"""Event → the fields that it cannot be judged without, and what they hold."""
_POSSIBLE = {
    "run": {
        "seed": _WHOLE,
        "argv": _TEXTS,
        "weak": _TEXTS,
        "t0": _NUMBER,  # when the run started, on the monotonic clock, which all processes of a machine share
        **dict.fromkeys(("version", "started", "platform", "sandbox", "experiment"), _TEXT),
    },
    "intent": {"parameters": _MAP, "seed": _WHOLE, "seen": _MAP},
    "heal": {"by": _TEXT},  # who, if not the conductor
    "healed": {"measured": _MAP, "by": _TEXT},
    "heal_failed": {"by": _TEXT},
    "records": {"rows": _WHOLE, "error": _TEXT},
}
"""Event → the fields that it may lack, and what they hold otherwise."""


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


def resume(path: Path) -> Journal:
    """Goes on with the journal of a run whose writer is dead; its times go on too, or stand still after a reboot.

    Raises InvalidExperiment where it cannot be read. Nobody else may write to it meanwhile.
    """
    records = read(path)
    last_s = max((record["t"] for record in records), default=0.0)
    began = next((record["t0"] for record in records if record["event"] == "run" and "t0" in record), None)
    _mend(path)

    def now() -> float:
        return min(max(last_s, time.monotonic() - began), T_MAX_S) if began is not None else last_s

    return Journal(path, now)


def _mend(path: Path) -> None:
    """Ends the last line, or cuts it off where it is torn, so that the next does not join it."""
    whole, newline, last = path.read_bytes().rpartition(b"\n")
    if not last:
        return
    with path.open("r+b") as file:
        try:
            json.loads(last.decode(errors="replace"))
        except (ValueError, RecursionError):
            file.truncate(len(whole + newline))
        else:
            file.seek(0, os.SEEK_END)
            file.write(b"\n")


def read(path: Path) -> list[Record]:
    """All events in order. A torn last line is left out; any other line that is no event is an error with its place.

    Raises InvalidExperiment, with file and line, also for fields that are missing or hold something else than they can.
    """
    records: list[Record] = []
    lines = path.read_text(errors="replace").split("\n")
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            record = json.loads(line, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            if number == len(lines):  # no newline behind it: the write was cut off
                break
            column = error.colno if isinstance(error, json.JSONDecodeError) else 1
            raise InvalidExperiment([Problem(str(path), number, column, "not a line of a journal")]) from None
        if flaw := _flaw(record):
            raise InvalidExperiment([Problem(str(path), number, 1, f"not an event: {flaw}")])
        records.append(record)
    return records


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _flaw(record: object) -> str:
    """Why a line cannot be an event of a run; empty where it can."""
    if not isinstance(record, dict) or not isinstance(record.get("event"), str) or "t" not in record:
        return "needs `t` and `event`"
    event = record["event"]
    for name, kind in {"t": _TIME, **_NEEDED.get(event, {})}.items():
        if name not in record:
            return f"`{event}` needs `{name}`"
        if not _KINDS[kind](record[name]):
            return f"`{name}` of `{event}` must hold: {kind}"
    for name, kind in _POSSIBLE.get(event, {}).items():
        if name in record and not _KINDS[kind](record[name]):
            return f"`{name}` of `{event}` must hold: {kind}"
    return ""
