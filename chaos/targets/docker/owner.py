"""Whose a helper container is: a label that names the process that made it, so that others can tell whether it lives.

Only who is on the same machine and in the same pid namespace can tell; whoever is not must leave it alone.
"""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path

from chaos.targets.processes import state

OWNER_LABEL = "chaos.owner"


class Fate(Enum):
    """What became of the process that a label names."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"  # it is, or was, on another machine or in another pid namespace


def owner() -> str:
    """The label of this process."""
    me = state(os.getpid())
    assert me is not None
    return f"{_here()} {me.pid} {me.started}"


def fate(label: str) -> Fate:
    """What became of a label's process; one that is no label of ours was made by nobody who lives."""
    machine, _, process = label.partition(" ")
    pid, _, started = process.partition(" ")
    if not (pid.isdecimal() and started.isdecimal()):
        return Fate.DEAD
    if machine != _here():
        return Fate.UNKNOWN
    found = state(int(pid))
    lives = found is not None and found.started == int(started) and found.state not in "ZX"
    return Fate.ALIVE if lives else Fate.DEAD


def _here() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
