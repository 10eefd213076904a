"""Heals all runs whose conductor died: those that are registered, and those whose folder or name a person gives.

On an engine that is shared, helper containers may be those of a run that goes on elsewhere: without a run's name only
those are removed whose maker is known to be dead. Leaves out how one run is healed: that is `dead_run`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chaos import registry
from chaos.errors import ChaosError, UsageError
from chaos.folder import RunFolder
from chaos.heal.dead_run import COMMAND, Healing, heal_run, open_in
from chaos.registry import Entry
from chaos.targets.docker.engine import Engine, connect
from chaos.targets.docker.leftovers import Leftover, leftovers, remove
from chaos.targets.docker.owner import Fate
from chaos.targets.order import Order

Say = Callable[[str], None]

_ASK_EVERY_S = 0.2


@dataclass
class Sweep:
    """What was found, and what is left of it."""

    found: int = 0  # dead runs and stray containers that were not clean
    left: list[str] = field(default_factory=list)


def sweep(runs: Sequence[str], say: Say, *, only_look: bool = False) -> Sweep:
    """Heals the runs that are named by folder or id, or else all; with `only_look` says what is left, and does nothing.

    Raises UsageError for a name that is no run.
    """
    entries, unreadable = registry.entries()
    done = Sweep()
    for name in runs:
        if (known := _named(name, entries)) is not None:
            _one(*known, done, say, only_look)
        else:
            _by_name(name, done, say, only_look)
    if not runs:
        for entry in entries:
            _one(entry.order, entry.engine, done, say, only_look)
        done.left += [f"{file} cannot be understood\n  rm {file}" for file in unreadable]
        _strays({entry.order.run for entry in entries}, done, say, only_look)
    return done


def wait_until_healed(folder: Path, within_s: float, say: Say) -> None:
    """After a conductor has ended, waits for its watchdog, and does what that left undone; quick if nothing is.

    What would not heal is in the journal, and stays registered.
    """
    entry = next((entry for entry in registry.entries()[0] if entry.order.folder == folder), None)
    if entry is None:
        return
    say("the conductor is gone before its time; what it left on is being taken off")
    deadline = time.monotonic() + within_s
    while registry.is_entered(entry.order.run) and time.monotonic() < deadline:
        time.sleep(_ASK_EVERY_S)  # at first too: the watchdog has all at hand, so that it is quicker than we are
        if not heal_run(entry.order, by=COMMAND, say=say).alive:
            return


def heal_dead_runs(say: Say) -> None:
    """Heals every registered run that is dead, before a new one is begun; quick where there is none."""
    done = Sweep()
    for entry in registry.entries()[0]:
        if entry.engine == _engine_here():
            _one(entry.order, entry.engine, done, say, False)
    for left in done.left:
        say(f"LEFT  {left}")


def _named(name: str, entries: Sequence[Entry]) -> tuple[Order, str] | None:
    """The order behind a folder or a name, and the engine it was begun on; None where there is neither."""
    folder = Path(name).resolve()
    for entry in entries:
        if name == entry.order.run or folder == entry.order.folder:
            return entry.order, entry.engine
    try:
        return Order.from_json(RunFolder(folder).target.read_text()), _engine_here()
    except OSError:
        return None
    except ValueError as error:
        raise UsageError(f"{RunFolder(folder).target} is not what a run wrote: {error}") from None


def _one(order: Order, engine: str, done: Sweep, say: Say, only_look: bool) -> None:
    name = order.folder.name
    if order.compose is None:
        say(f"{name}: it ran in a sandbox that ended with it, so nothing can be left")
        return
    if engine != _engine_here():
        where = f"DOCKER_HOST={engine}" if engine else "env -u DOCKER_HOST"
        done.left.append(f"{name} ran on another Docker engine\n  {where} chaos heal {order.run}")
        return
    if only_look:
        _look(order, done, say)
        return
    said: list[str] = []

    def tell(line: str) -> None:
        if not said:
            say(f"{name}: its conductor is dead")
        said.append(line)
        say(f"  {line}")

    healing: Healing = heal_run(order, by=COMMAND, say=tell, entered=False)
    if healing.alive:
        say(f"{name}: it is alive, or being healed by its watchdog; left alone")
    elif healing.did or healing.left:
        done.found += 1
        done.left += [f"{name}: {each}" for each in healing.left]


def _look(order: Order, done: Sweep, say: Say) -> None:
    with registry.hold(order) as ours:
        if not ours:
            say(f"{order.folder.name}: it is alive, or being healed by its watchdog")
            return
    assert order.compose is not None
    try:
        found = [on.what for on in open_in(order.folder)]
    except ChaosError as error:
        found = [f"faults unknown ({error})"]
    if order.compose.ours:
        found.append(f"the sandbox {order.compose.project}, if it is still up")
    engine = _connected()
    if engine is not None and (helpers := leftovers(engine, order.run)):
        found.append(f"{len(helpers)} helper containers")
    if found:
        done.found += 1
        done.left.append(f"{order.folder.name}: {', '.join(found)}\n  chaos heal {order.run}")


def _by_name(run: str, done: Sweep, say: Say, only_look: bool) -> None:
    """A run of which only helper containers may be known; a person named it, so they are removed, whoever made them."""
    engine = _connected()
    strays = leftovers(engine, run) if engine is not None else []
    if not strays:
        raise UsageError(
            f"{run} is not the folder of a run, nor the name of one that may have left something",
            remedy="give one of the folders under runs/; `chaos heal --check` lists what is left",
        )
    assert engine is not None
    _remove(engine, strays, done, say, only_look)


def _strays(known: set[str], done: Sweep, say: Say, only_look: bool) -> None:
    """Helper containers of runs that are in no registry here."""
    engine = _connected()
    if engine is None:
        say("no Docker engine answers here, so it was not asked for helper containers")
        return
    strays = [each for each in leftovers(engine, None) if each.run not in known]
    _remove(engine, [each for each in strays if each.fate is Fate.DEAD], done, say, only_look)
    for run in sorted({each.run for each in strays if each.fate is Fate.UNKNOWN}):
        say(f"{run}: nobody here can tell whether it is alive, so its helper containers stay; else: chaos heal {run}")


def _remove(engine: Engine, strays: Sequence[Leftover], done: Sweep, say: Say, only_look: bool) -> None:
    done.found += len(strays)
    for stray in strays:
        what = f"helper container {stray.identity[:12]} of {stray.run} ({stray.role} of {stray.target})"
        if only_look:
            done.left.append(f"{what}\n  chaos heal {stray.run}")
            continue
        try:
            remove(engine, stray)
            say(f"removed    {what}")
        except ChaosError as error:
            done.left.append(f"{what}: {error}")


def _connected() -> Engine | None:
    try:
        return connect()
    except ChaosError:
        return None


def _engine_here() -> str:
    return os.environ.get("DOCKER_HOST", "")
