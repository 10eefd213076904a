"""Rules over a whole experiment: what it names exists, its windows fit, and its metrics can be measured.

acts.py has the rules over faults and targets, measures.py those over tolerances, this file the rest; draft.py is what
they look at. What the file gets wrong is InvalidExperiment with every problem at its place; what only this machine
or target cannot do is Unsupported, from `require`. Nothing is started, asked or changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from chaos.errors import InvalidExperiment, Problem, Unsupported
from chaos.metrics import STREAMS
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
from chaos.words import suggest

_RATE_MAX = 2_000.0
_TIMEOUT_S_MAX = 300.0
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


def validate(parsed: Parsed, terrain: Terrain) -> None:
    """Raises InvalidExperiment with every rule that a well-formed file breaks."""
    problems = list(_problems(draft(parsed.document), terrain.system))
    if problems:
        raise InvalidExperiment(problems)


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
    yield from measure_problems(draft)
    yield from _probes(draft, system)
    yield from _phases(draft)
    yield from _limits(draft)
    for index, name in enumerate(draft.weak):
        if isinstance(name, str) and name not in system.protections:
            what = f"there is no protection {name!r}{suggest(name, system.protections)}"
            yield draft.problem(("weak", index), what)


def _phases(draft: Draft) -> Iterator[Problem]:
    if draft.load is not None and draft.load.orders == 0:
        yield draft.problem(("load", "orders"), "without orders nothing is put to the test; allowed: more than 0/s")
    if draft.load is not None and draft.load.timeout == 0:
        yield draft.problem(("load", "timeout"), "a customer waits longer than 0s")
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
    if draft.load is not None:
        for name in ("orders", "browse"):
            if getattr(draft.load, name) > _RATE_MAX:
                yield draft.problem(("load", name), f"too many for one machine; allowed: at most {_RATE_MAX:g}/s")
        if draft.load.timeout > _TIMEOUT_S_MAX:
            what = f"no customer waits that long; allowed: at most {duration_text(_TIMEOUT_S_MAX)}"
            yield draft.problem(("load", "timeout"), what)
    if draft.phases is not None:
        for name in ("warmup", "baseline", "fault", "recovery"):
            if (getattr(draft.phases, name) or 0) > _PHASE_S_MAX:
                yield draft.problem(("phases", name), f"allowed: at most {_PHASE_S_MAX / 3600:g}h")


def _probes(draft: Draft, system: System) -> Iterator[Problem]:
    for name, probe in draft.probes.items():
        where = ("probes", name)
        if name in STREAMS or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name):
            what = f"{name!r} cannot name a probe; allowed: a letter, then letters, digits, _ and -, but not "
            yield draft.problem(where, what + " or ".join(STREAMS), key=True)
        for key, port in (("http", "http"), ("on", "sql" if "sql" in probe else None), ("state", None)):
            asked = probe.get(key)
            if not isinstance(asked, str):
                continue
            service, slash, _ = asked.partition("/") if key == "http" else (asked, "/", "")
            if service not in system.services:
                what = f"there is no service {service!r}{suggest(service, system.services)}"
                yield draft.problem((*where, key), what)
            elif not slash:
                yield draft.problem((*where, key), f"a path is missing; write {service}/PATH")
            elif port is not None and port not in system.services[service].ports:
                able = [each for each, listed in system.services.items() if port in listed.ports]
                yield draft.problem((*where, key), f"{service} has no {port} port; allowed: {', '.join(able)}")
        every = probe.get("every")
        if isinstance(every, str) and _is_zero(every):
            yield draft.problem((*where, "every"), "a probe needs time in between; allowed: more than 0s")


def _is_zero(text: str) -> bool:
    try:
        return duration(text) == 0
    except ValueError:
        return False
