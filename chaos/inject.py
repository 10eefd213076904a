"""Plays the timeline: journal the intent → inject → is it active? → hold → evidence → heal → is it gone?

One thread, one fault after the other at its time. Whatever happens, what was put on is taken off before this returns;
a heal that fails is tried again, journalled with what a person can do, and does not keep the others from healing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from chaos.errors import ChaosError, HealFailed
from chaos.faults.base import Evidence, Lease, Seen
from chaos.journal import Journal
from chaos.plan import Plan, Step
from chaos.targets.base import Target

_HEAL_TRIES = 3


@dataclass
class Player:
    """Puts faults on and takes them off; `on` tells which are on, for the live view."""

    target: Target
    journal: Journal
    say: Callable[[str], None]
    on: dict[str, tuple[Step, Seen | None]] = field(default_factory=dict)

    def prepare(self, plan: Plan) -> None:
        """Does beforehand what is slow, such as attaching agents; raises FaultError."""
        for step in plan.steps:
            step.fault.prepare(self.target, _lease(step))

    def play(self, plan: Plan, hold_until: Callable[[float], bool]) -> None:
        """Plays all steps, in seconds since the call; `hold_until` waits, and says False when the run must stop."""
        acts = [(step.at_s + step.for_s, 0, self._heal, step) for step in plan.steps]
        acts += [(step.at_s, 1, self._inject, step) for step in plan.steps]
        try:
            for at_s, _, act, step in sorted(acts, key=lambda act: act[:2]):
                if not hold_until(at_s) or not act(step):
                    return
            hold_until(plan.fault_s)
        finally:
            self.heal_all()

    def heal_all(self) -> None:
        """Takes off everything that is still on, the latest first."""
        for step, _ in reversed(list(self.on.values())):
            self._heal(step)

    def _inject(self, step: Step) -> bool:
        lease = _lease(step)
        self.journal.write(
            "intent",
            durable=True,
            lease=lease.id,
            fault=step.fault.word,
            target=lease.service,
            parameters=step.fault.model_dump(),
            for_s=lease.for_s,
            seed=lease.seed,
        )
        self.on[lease.id] = (step, None)
        try:
            seen = step.fault.inject(self.target, lease)
            self.on[lease.id] = (step, seen)
            active = step.fault.is_active(self.target, lease, seen)
        except ChaosError as error:
            self.journal.note("inject_failed", lease=lease.id, what=error.what)
            self.say(f"fault FAILED to go on: {step.fault.describe(lease.service)}: {error.what}")
            return False
        self.journal.write("injected", lease=lease.id, active=active, seen=dict(seen))
        self.say(f"fault on   {step.fault.word}: {step.fault.describe(lease.service)}")
        return True

    def _heal(self, step: Step) -> bool:
        lease = _lease(step)
        if lease.id not in self.on:
            return True
        _, seen = self.on.pop(lease.id)
        evidence = self._evidence(step, lease, seen)
        self.journal.note("heal", lease=lease.id)
        failure = None
        for _ in range(_HEAL_TRIES):
            try:
                step.fault.heal(self.target, lease)
                gone = not step.fault.is_active(self.target, lease, seen or {})
            except Exception as error:  # noqa: BLE001  whatever it is, the other faults must still be healed
                failure = error
                continue
            if gone:
                self.journal.note(
                    "healed",
                    lease=lease.id,
                    gone=True,
                    effective=evidence.effective,
                    evidence=evidence.summary,
                    measured=evidence.measured,
                )
                self.say(f"healed     {step.fault.word} on {lease.service}: {evidence.summary}")
                return True
        what = failure.what if isinstance(failure, ChaosError) else str(failure or "it is still active after healing")
        by_hand = failure.remedy if isinstance(failure, HealFailed) and failure.remedy else step.fault.by_hand
        self.journal.note("heal_failed", lease=lease.id, what=what, by_hand=by_hand)
        self.say(f"NOT HEALED {step.fault.word} on {lease.service}: {what}; by hand: {by_hand}")
        return False

    def _evidence(self, step: Step, lease: Lease, seen: Seen | None) -> Evidence:
        if seen is None:
            return Evidence(False, "it never went on")
        try:
            return step.fault.evidence(self.target, lease, seen)
        except Exception as error:  # noqa: BLE001  whatever it is, the fault must still be healed
            return Evidence(False, f"its effect could not be measured: {error}")


def _lease(step: Step) -> Lease:
    return Lease(step.lease_id, step.service, step.for_s, step.seed)
