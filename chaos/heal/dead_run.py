"""Heals one run whose conductor died: removes its helper containers, undoes its faults, takes its sandbox down.

Only who holds the run may do it, so that there are never two at it, and a run that is alive is left alone. What is done
is added to its journal; once nothing is left the run is struck off the registry.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from chaos import registry
from chaos.errors import ChaosError
from chaos.folder import RunFolder
from chaos.heal.healer import Healer
from chaos.heal.leases import Open, open_leases
from chaos.journal import Journal, read, resume
from chaos.targets.order import Order

Say = Callable[[str], None]
Failed = list[tuple[Open, Exception]]

WATCHDOG, COMMAND = "watchdog", "heal"
_BY = {WATCHDOG: "the watchdog", COMMAND: "`chaos heal`"}
_TRIES = 3
_BETWEEN_TRIES_S = 0.3


@dataclass
class Healing:
    """What became of one run."""

    alive: bool = False  # it goes on, or somebody else heals it: nothing was done
    did: int = 0  # how many things were undone
    left: list[str] = field(default_factory=list)  # what would not heal, with what a person can do


def heal_run(
    order: Order,
    *,
    by: str,
    say: Say,
    within_s: float = 0.0,
    healer: Healer | None = None,
    entered: bool = True,
) -> Healing:
    """Heals a run once whoever has it lets go of it, for `within_s` seconds at most. What fails is in the result.

    `by` is who does it, `healer` one that is connected already; `entered` says that the run was in the registry,
    so that nothing is left of it where somebody has struck it off meanwhile.
    """
    with registry.hold(order, within_s=within_s) as ours:
        if not ours:
            return Healing(alive=True)
        if entered and not registry.is_entered(order.run):
            return Healing()
        if order.compose is None:  # the kernel ended the sandbox, and all that was on in it
            registry.strike(order.run)
            return Healing()
        try:
            mine = healer or Healer(order)
        except ChaosError as error:
            return Healing(left=[str(error)])
        try:
            healing = _Work(order, mine, by, say).do()
        finally:
            if mine is not healer:
                mine.close()
        if not healing.left:
            registry.strike(order.run)
        return healing


def open_in(folder: Path) -> list[Open]:
    """The faults that the journal in a run's folder leaves open; raises InvalidExperiment if it cannot be read."""
    try:
        return open_leases(read(RunFolder(folder).journal))
    except FileNotFoundError:  # nothing was begun, or the folder was removed
        return []


class _Work:
    """Healing one run that nobody else has."""

    def __init__(self, order: Order, healer: Healer, by: str, say: Say) -> None:
        self._order, self._healer, self._by, self._say = order, healer, by, say
        self._healing = Healing()
        self._journal: Journal | None = None

    def do(self) -> Healing:
        """Does all of it, whatever of it fails."""
        assert self._order.compose is not None
        path = RunFolder(self._order.folder).journal
        leases, unknown = [], ""
        try:
            leases = open_in(self._order.folder)
            self._journal = resume(path) if path.exists() else None
        except (ChaosError, OSError) as error:
            remedy = f"look at the services yourself; then remove {self._order.folder}"
            unknown = f"nobody knows which faults are on: {error}\n  {remedy}"
        try:
            self._remove_helpers()
            failed = self._undo_all(leases)
            if self._order.compose.ours and self._take_down():
                unknown = ""
                for on, _ in failed:
                    self._healed(on, "it ended with the sandbox")
                failed = []
            self._give_up(failed)
        finally:
            if self._journal is not None:
                self._journal.close()
        if unknown:
            self._healing.left.append(unknown)
        return self._healing

    def _remove_helpers(self) -> None:
        try:
            if count := self._healer.remove_helpers():
                self._healing.did += count
                self._say(f"removed    {count} helper container{'s' if count > 1 else ''}")
        except ChaosError as error:
            self._healing.left.append(str(error))

    def _undo_all(self, leases: list[Open]) -> Failed:
        """Undoes each, the latest first; those that would not, with why. Some can be undone only after others."""
        failed: Failed = []
        for on in leases:
            self._note("heal", on)
        for tried in range(_TRIES):
            if tried and leases:
                time.sleep(_BETWEEN_TRIES_S)
            failed = []
            for on in leases:
                try:
                    known = self._healer.undo(on)
                except Exception as error:  # noqa: BLE001  whatever it is, the other faults must still be healed
                    failed.append((on, error))
                else:
                    self._healed(on, known)
            leases = [on for on, _ in failed]
        return failed

    def _take_down(self) -> bool:
        try:
            self._healer.down()
        except ChaosError as error:
            self._healing.left.append(str(error))
            return False
        self._healing.did += 1
        self._say("taken down the sandbox, which the run had brought up")
        return True

    def _healed(self, on: Open, known: str) -> None:
        evidence = f"healed by {_BY[self._by]}, after the conductor had died: {known}"
        self._note("healed", on, gone=True, effective=False, evidence=evidence, measured={})
        self._healing.did += 1
        self._say(f"healed     {on.what}: {known}")

    def _give_up(self, failed: Failed) -> None:
        for on, error in failed:
            what, remedy = (error.what, error.remedy) if isinstance(error, ChaosError) else (repr(error), "")
            remedy = remedy or f"start {on.lease.service} again"
            self._note("heal_failed", on, what=what, by_hand=remedy)
            self._say(f"NOT HEALED {on.what}: {what}; by hand: {remedy}")
            self._healing.left.append(f"{on.what}: {what}\n  {remedy}")

    def _note(self, event: str, on: Open, **keys: object) -> None:
        if self._journal is not None:
            self._journal.note(event, lease=on.lease.id, by=self._by, **keys)
