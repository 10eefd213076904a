"""Rules over a whole experiment: what it names exists, its windows fit, and its metrics can be measured.

acts.py has the rules over faults and targets, traffic.py those over the load, measures.py those over tolerances, this
file the rest; draft.py is what they look at. What the file gets wrong is InvalidExperiment with every problem at its
place; what only this machine or target cannot do is Unsupported, from `require`. Nothing is started, asked or changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from chaos.endpoint import endpoint
from chaos.errors import InvalidExperiment, Problem, Unsupported
from chaos.metrics import NAME, STREAMS
from chaos.model import Experiment
from chaos.parse import Parsed, shaped
from chaos.parse.document import read
from chaos.plan import Plan
from chaos.system import System
from chaos.targets.base import Terrain
from chaos.units import duration, duration_text
from chaos.validate.acts import act_problems
from chaos.validate.draft import Draft, draft
from chaos.validate.measures import measure_problems
from chaos.validate.traffic import traffic_problems
from chaos.words import suggest

_PHASE_S_MAX = 86_400.0


def check(path: Path, terrain: Terrain) -> Parsed:
    """Parses and validates one file; raises InvalidExperiment with the problems of both."""
    document = read(path)
    problems = list(_problems(draft(document), terrain.system))
    try:
        experiment = shaped(document, Experiment)
    except InvalidExperiment as error:
        raise InvalidExperiment([*error.problems, *problems]) from None
    if problems:
        raise InvalidExperiment(problems)
    return Parsed(document, experiment)


def require(plan: Plan, terrain: Terrain) -> None:
    """Raises Unsupported where the target lacks what a fault needs, naming each, why, and what to do."""
    lacks: dict[str, None] = {}
    remedies: dict[str, None] = {}
    for step in plan.steps:
        for capability in sorted(step.fault.needs & terrain.missing.keys()):
            refusal = terrain.missing[capability]
            lacks[f"{step.fault.word} on {step.service} needs the capability '{capability}': {refusal.why}"] = None
            remedies[refusal.remedy] = None
    if lacks:
        raise Unsupported("\n".join(lacks), remedy="\n  ".join(remedies))


def _problems(draft: Draft, system: System) -> Iterator[Problem]:
    yield from act_problems(draft, system)
    yield from traffic_problems(draft, system)
    yield from measure_problems(draft, system)
    yield from _probes(draft, system)
    yield from _phases(draft)
    yield from _limits(draft)
    for index, name in enumerate(draft.weak):
        if isinstance(name, str) and name not in system.protections:
            what = f"there is no protection {name!r}{suggest(name, system.protections)}"
            yield draft.problem(("weak", index), what)
    if draft.invariants and system.records is None:
        what = f"{system.name} says nothing of its records, so no invariant can be judged; leave them out"
        yield draft.problem(("invariants", 0), what)


def _phases(draft: Draft) -> Iterator[Problem]:
    if draft.phases is None:
        return
    if draft.phases.baseline == 0:
        yield draft.problem(("phases", "baseline"), "without a baseline nothing can be judged; allowed: more than 0s")
    if draft.recovers is None:
        return
    recovery, within = draft.phases.recovery, draft.recovers.within
    if recovery == 0:
        yield draft.problem(("phases", "recovery"), "recovers cannot be judged without a recovery phase")
    elif within > recovery:
        what = f"{duration_text(within)} is longer than phases.recovery; allowed: at most {duration_text(recovery)}"
        yield draft.problem(("recovers", "within"), what)


def _limits(draft: Draft) -> Iterator[Problem]:
    """Far more than anybody means, so that a slip of the pen is not found out after a day."""
    if draft.phases is not None:
        for name in ("warmup", "baseline", "fault", "recovery"):
            if (getattr(draft.phases, name) or 0) > _PHASE_S_MAX:
                yield draft.problem(("phases", name), f"allowed: at most {_PHASE_S_MAX / 3600:g}h")


def _probes(draft: Draft, system: System) -> Iterator[Problem]:
    for name, probe in draft.probes.items():
        where = ("probes", name)
        if name in STREAMS or not re.fullmatch(NAME, name):
            what = f"{name!r} cannot name a probe; allowed: a letter, then letters, digits, _ and -, but not "
            yield draft.problem(where, what + " or ".join(STREAMS), key=True)
        for key in ("http", "on", "state"):
            asked = probe.get(key)
            if isinstance(asked, str) and (what := _unreachable(key, asked, probe, system)):
                yield draft.problem((*where, key), what)
        every = probe.get("every")
        if isinstance(every, str) and _is_zero(every):
            yield draft.problem((*where, "every"), "a probe needs time in between; allowed: more than 0s")


def _unreachable(key: str, asked: str, probe: Mapping[str, object], system: System) -> str:
    """Why what a probe looks at is not there; empty where it is."""
    if key == "http":
        try:
            endpoint(asked, system)
        except ValueError as error:
            return str(error)
        return ""
    if asked not in system.services:
        return f"there is no service {asked!r}{suggest(asked, system.services)}"
    able = [each for each, listed in system.services.items() if "sql" in listed.ports]
    if "sql" in probe and system.load is not None and asked not in able:
        return f"{asked} has no sql port; allowed: {', '.join(able)}"
    return ""


def _is_zero(text: str) -> bool:
    try:
        return duration(text) == 0
    except ValueError:
        return False
