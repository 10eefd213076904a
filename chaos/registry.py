"""Which runs on Docker may have left something, wherever their folders are: a small file for each, in the state folder.

A run is entered before anything of it is started, and struck off once nothing of it is left. Who has a run, its
conductor or one healer, holds a lock that the kernel takes back however that process ends: so the dead are told from
the living. Leaves out what other users and other machines run on the same engine.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from chaos.errors import SandboxError
from chaos.folder import RunFolder
from chaos.targets.order import Order
from chaos.targets.processes import state

_ASK_EVERY_S = 0.02


@dataclass(frozen=True)
class Entry:
    """A run that may have left something."""

    order: Order
    engine: str  # DOCKER_HOST as it was; empty where it was not set
    pid: int  # of the conductor
    started: int  # in clock ticks since boot


def enter(order: Order) -> None:
    """Enters a run of this process's. Raises SandboxError where it cannot be written down: then nothing is begun."""
    me = state(os.getpid())
    assert me is not None
    entry = {
        "order": json.loads(order.to_json()),
        "engine": os.environ.get("DOCKER_HOST", ""),
        "pid": me.pid,
        "started": me.started,
    }
    file = _file(order.run)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        written = file.with_suffix(f".{me.pid}")
        written.write_text(json.dumps(entry))
        written.rename(file)
    except OSError as error:
        raise SandboxError(
            f"{file.parent} cannot be written, so that `chaos heal` would not find this run: {error}",
            remedy="make room there, or name another folder in XDG_STATE_HOME",
        ) from error


def strike(run: str) -> None:
    """Strikes a run off; harmless when it is not there."""
    _file(run).unlink(missing_ok=True)


def is_entered(run: str) -> bool:
    """Whether a run is there."""
    return _file(run).exists()


def entries() -> tuple[list[Entry], list[Path]]:
    """The runs, in the order of their files' names, and the files that cannot be understood."""
    found, unreadable = [], []
    for file in sorted(_folder().glob("*.json")):
        try:
            fields = json.loads(file.read_text())
            order = Order.from_json(json.dumps(fields.pop("order")))
            found.append(Entry(order, **fields))
        except FileNotFoundError:  # struck off meanwhile
            continue
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            unreadable.append(file)
    return found, unreadable


@contextmanager
def hold(order: Order, *, within_s: float = 0.0) -> Iterator[bool]:
    """Whether this process has the run to itself while the context lasts; whoever has it is waited for `within_s`."""
    try:
        lock = os.open(RunFolder(order.folder).target, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:  # the folder was removed; the conductor may live nevertheless
        yield not _conductor_lives(order.run)
        return
    try:
        yield _locked(lock, time.monotonic() + within_s)
    finally:
        os.close(lock)


def _locked(lock: int, deadline: float) -> bool:
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_ASK_EVERY_S)
        else:
            return True


def _conductor_lives(run: str) -> bool:
    entry = next((entry for entry in entries()[0] if entry.order.run == run), None)
    if entry is None:
        return False
    process = state(entry.pid)
    return process is not None and process.started == entry.started and process.state not in "ZX"


def _file(run: str) -> Path:
    return _folder() / f"{quote(run, safe='')}.json"


def _folder() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "chaos" / "runs"
