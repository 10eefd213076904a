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
from chaos.targets.base import Capability, Target

_HEAL_TRIES = 3
_ENDS_WITHIN_S = 0.3


@dataclass
class On:
    """A fault that is on, or about to be."""

    step: Step
    until: float  # when its time is over, in seconds since the run started
    seen: Seen
    went_on: bool = False
    lapsed_at: float | None = None


@dataclass
class Player:
    """Puts faults on and takes them off."""

    target: Target
    journal: Journal
    say: Callable[[str], None]
    on: dict[str, On] = field(default_factory=dict)

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
        for on in reversed(list(self.on.values())):
            self._heal(on.step)

    def faults_on(self) -> list[str]:
        """The faults that are on, for people."""
        return [f"{on.step.fault.word} on {on.step.service}" for on in self.on.values()]

    def may_be_dead(self, service: str) -> bool:
        """Whether a fault that is on acts on the service's processes."""
        return any(
            on.step.service == service and Capability.PROCESSES in on.step.fault.needs for on in self.on.values()
        )

    def look(self) -> None:
        """Asks the system whether every fault that is on still acts; one that lapsed has no evidence any more."""
        now = self.journal.now()
        for lease_id, on in self.on.items():
            # A packet fault ends in the kernel at about the moment at which it is healed here: that is no lapse.
            if not on.went_on or on.lapsed_at is not None or now > on.until - _ENDS_WITHIN_S:
                continue
            try:
                acts = on.step.fault.is_active(self.target, _lease(on.step), on.seen)
            except ChaosError:
                acts = False
            if not acts:
                on.lapsed_at = now
                self.journal.note("lapsed", lease=lease_id)
                self.say(f"lapsed     {on.step.fault.word} on {on.step.service}: the system no longer shows it")

    def _inject(self, step: Step) -> bool:
        lease = _lease(step)
        try:
            seen = step.fault.before(self.target, lease)
        except ChaosError as error:
            self.journal.note("error", what=f"{step.fault.word} on {step.service}: {error.what}", exit=int(error.exit))
            self.say(f"fault NOT put on: {step.fault.describe(lease.service)}: {error.what}")
            return False
        self.journal.write(
            "intent",
            durable=True,
            lease=lease.id,
            fault=step.fault.word,
            target=lease.service,
            parameters=step.fault.model_dump(mode="json", exclude_unset=True),
            for_s=lease.for_s,
            seed=lease.seed,
            seen=dict(seen),
        )
        on = self.on[lease.id] = On(step, self.journal.now() + lease.for_s, seen)
        try:
            step.fault.inject(self.target, lease, seen)
            on.went_on = True
            active = step.fault.is_active(self.target, lease, seen)
        except ChaosError as error:
            self.journal.note("inject_failed", lease=lease.id, what=error.what)
            self.say(f"fault FAILED to go on: {step.fault.describe(lease.service)}: {error.what}")
            return False
        self.journal.write("injected", lease=lease.id, active=active)
        self.say(f"fault on   {step.fault.word}: {step.fault.describe(lease.service)}")
        return True

    def _heal(self, step: Step) -> bool:
        lease = _lease(step)
        if lease.id not in self.on:
            return True
        on = self.on.pop(lease.id)
        evidence = self._evidence(on, lease)
        self.journal.note("heal", lease=lease.id)
        failure = None
        for _ in range(_HEAL_TRIES):
            try:
                step.fault.heal(self.target, lease, on.seen)
                gone = not step.fault.is_active(self.target, lease, on.seen)
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

    def _evidence(self, on: On, lease: Lease) -> Evidence:
        if not on.went_on:
            return Evidence(False, "it never went on")
        if on.lapsed_at is not None:
            return Evidence(False, f"at {on.lapsed_at:.1f} s the system no longer showed it, before its time was over")
        try:
            return on.step.fault.evidence(self.target, lease, on.seen)
        except Exception as error:  # noqa: BLE001  whatever it is, the fault must still be healed
            return Evidence(False, f"its effect could not be measured: {error}")


def _lease(step: Step) -> Lease:
    return Lease(step.lease_id, step.service, step.for_s, step.seed)
