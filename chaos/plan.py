"""Experiment + seed → the ordered timeline that will be played, and the text `chaos plan` prints.

Pure: the same experiment, system and seed give the same plan on every machine; the only randomness is drawn from
the seed. Leaves out playing it: that is `inject`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from chaos import faults
from chaos.faults.base import Fault
from chaos.metrics import BROWSE
from chaos.model import AllOf, Experiment, OneOf, Selector, Tolerances
from chaos.system import System
from chaos.units import duration_text, rate_text
from chaos.verdict import Phase

_SEED_BITS = 31  # a lease's own seed; every party it is handed to can hold that many
_TRAFFIC = {BROWSE: "pages"}


@dataclass(frozen=True)
class Step:
    """One fault on one service, at its time."""

    lease_id: str
    at_s: float  # since the start of the fault phase
    for_s: float
    fault: Fault
    service: str
    seed: int


@dataclass(frozen=True)
class Plan:
    """All that will be done; lengths in seconds, steps in the order they start."""

    experiment: Experiment
    seed: int
    steps: tuple[Step, ...]
    warmup_s: float
    baseline_s: float
    fault_s: float
    recovery_s: float

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases as planned, those without length left out."""
        phases, start = [], 0.0
        for name, length_s in (
            ("warmup", self.warmup_s),
            ("baseline", self.baseline_s),
            ("fault", self.fault_s),
            ("recovery", self.recovery_s),
        ):
            if length_s:
                phases.append(Phase(name, start, start + length_s))
            start += length_s
        return tuple(phases)

    @property
    def total_s(self) -> float:
        """How long the traffic lasts."""
        return self.warmup_s + self.baseline_s + self.fault_s + self.recovery_s


def plan(experiment: Experiment, system: System, seed: int) -> Plan:
    """Draws the targets and orders the steps. The experiment must be valid; a KeyError means that it was not."""
    steps = []
    for index, act in enumerate(experiment.method):
        random = Random(f"{seed}:{index}")
        fault = faults.fault_class(act.fault).model_validate(act.with_, by_alias=True, by_name=False)
        for service in _drawn(act.target, system, random):
            lease_id = f"{index + 1}-{act.fault}-{service}"
            steps.append(Step(lease_id, act.at, act.for_, fault, service, random.getrandbits(_SEED_BITS)))
    phases = experiment.phases
    fault_s = phases.fault if phases.fault is not None else max(step.at_s + step.for_s for step in steps)
    ordered = tuple(sorted(steps, key=lambda step: step.at_s))  # stable: the file's order where times are equal
    return Plan(experiment, seed, ordered, phases.warmup, phases.baseline, fault_s, phases.recovery)


def _drawn(target: Selector, system: System, random: Random) -> list[str]:
    """The services a selector means, in the set's order."""
    if isinstance(target, str):
        return [target]
    if isinstance(target, AllOf):
        return list(system.sets[target.all_of])
    if isinstance(target, OneOf):
        return [random.choice(system.sets[target.one_of])]
    members = system.sets[target.percent_of]
    count = max(1, math.floor(len(members) * target.percent / 100 + 0.5))
    chosen = set(random.sample(members, count))
    return [member for member in members if member in chosen]


def describe(plan: Plan) -> str:
    """The plan as text: the phases with their times, each step with its undo, and what must hold when."""
    experiment = plan.experiment
    load = [f"{rate_text(per_s)} {_TRAFFIC.get(name, name)}" for name, per_s in experiment.load.rates.items()]
    lines = [
        experiment.title,
        ", ".join([f"lasts {duration_text(plan.total_s)}", f"seed {plan.seed}", *load]),
    ]
    if experiment.weak:
        lines.append(f"switched off in the {experiment.sandbox}: {', '.join(experiment.weak)}")
    for phase in plan.phases:
        lines += ["", f"{_time(phase.start)}  {phase.name}, {duration_text(phase.end - phase.start)}"]
        lines += _in_phase(plan, phase)
    lines += ["", f"{_time(plan.total_s)}  afterwards, once the backlog has drained"]
    lines += [_detail("must hold", each) for each in experiment.invariants] or [_detail("", "nothing is reconciled")]
    return "\n".join(lines)


def summary(plan: Plan) -> str:
    """The plan in one line: its title, how much is injected and judged, and how long it takes."""
    experiment = plan.experiment
    checks = len(experiment.steady_state) + len(_hypothesis(experiment))
    checks += len(experiment.invariants) + (experiment.recovers is not None)
    faults_text = f"{len(plan.steps)} fault{'s' * (len(plan.steps) != 1)}"
    return f"{experiment.title} — {faults_text}, {checks} checks, lasts {duration_text(plan.total_s)}"


def describe_steps(plan: Plan) -> list[str]:
    """One line for each step, for the head of a timeline."""
    return [
        f"planned: {step.fault.word} on {step.service} for {duration_text(step.for_s)}, "
        f"{duration_text(step.at_s)} into the fault phase: {step.fault.describe(step.service)}"
        for step in plan.steps
    ]


def _in_phase(plan: Plan, phase: Phase) -> list[str]:
    experiment = plan.experiment
    if phase.name == "baseline":
        return [*_must_hold(experiment.steady_state), _detail("", "otherwise nothing is injected")]
    if phase.name == "fault":
        lines = _must_hold(_hypothesis(experiment))
        lines += [_detail("heal if", f"{metric} {bound}") for metric, bound in experiment.abort_if.items()]
        for step in plan.steps:
            start = phase.start + step.at_s
            lines += [
                f"{_time(start)}  {step.fault.word} on {step.service} for {duration_text(step.for_s)}",
                _detail("does", step.fault.describe(step.service)),
                _detail("undo", f"at {start + step.for_s:.1f} s: {step.fault.undo}"),
            ]
        return lines
    if phase.name == "recovery" and experiment.recovers:
        return [
            _detail("must hold", f"steady_state, within {duration_text(experiment.recovers.within)} and from then on")
        ]
    return []


def _hypothesis(experiment: Experiment) -> Tolerances:
    return experiment.steady_state if experiment.while_faulty is None else experiment.while_faulty


def _must_hold(tolerances: Tolerances) -> list[str]:
    return [_detail("must hold", f"{metric} {bound}") for metric, bound in tolerances.items()]


def _detail(label: str, text: str) -> str:
    return f"{'':12}{label:<9}  {text}"


def _time(seconds: float) -> str:
    """A moment as it lines up under others."""
    return f"{seconds:>7.1f} s"
