"""The processes of a service, read from /proc: its tree, its states, and signals to all of it.

A service is a process and its descendants. A signal to the first one alone, or to its process group, would miss
PostgreSQL's children, which each have a session of their own.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from chaos.errors import FaultError
from chaos.targets.base import ProcessState

_GONE_WITHIN_S = 5.0


def state(pid: int) -> ProcessState | None:
    """One process, or None when there is none with this pid."""
    fields = _stat(pid)
    return ProcessState(pid, fields[0], int(fields[19])) if fields else None


def tree(root: int) -> list[ProcessState]:
    """`root` and its descendants, parents before children; empty when it is gone or dead and not yet reaped."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found: list[ProcessState] = []
    waiting = [root]
    while waiting:
        pid = waiting.pop(0)
        seen = state(pid)
        if seen is not None and seen.state not in "ZX":
            found.append(seen)
            waiting += children.get(pid, [])
    return found


def kill_tree(root: int) -> None:
    """SIGKILL to the whole tree; returns once it is gone. Raises FaultError if something survives."""
    doomed: dict[int, ProcessState] = {}
    deadline = time.monotonic() + _GONE_WITHIN_S
    send(root, signal.SIGSTOP)  # what is stopped cannot have further children, nor start them again
    while alive := {process.pid: process for process in tree(root)}.keys() - doomed.keys():
        for pid in alive:
            doomed |= {process.pid: process for process in [state(pid)] if process}
            if pid != root:
                send(pid, signal.SIGKILL)
    send(root, signal.SIGKILL)
    while left := [pid for pid, process in doomed.items() if _still_runs(process)]:
        if time.monotonic() > deadline:
            raise FaultError(f"processes {left} are still there {_GONE_WITHIN_S:.0f} s after SIGKILL")
        time.sleep(0.002)


def signal_tree(root: int, number: signal.Signals) -> None:
    """Sends a signal to the whole tree, the first process first."""
    for process in tree(root):
        send(process.pid, number)


def send(pid: int, number: signal.Signals) -> None:
    """Sends a signal; a process that is gone already is fine."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _still_runs(process: ProcessState) -> bool:
    now = state(process.pid)
    return now is not None and now.started == process.started and now.state not in "ZX"


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the name: [0] state, [1] parent, [19] start time."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text[text.rindex(")") + 2 :].split()
