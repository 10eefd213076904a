"""Rules over the method: faults, their parameters, targets and peers exist, and their windows fit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from pydantic import ValidationError

from chaos import faults
from chaos.errors import Problem
from chaos.parse import explain
from chaos.system import System
from chaos.targets.base import Capability
from chaos.units import duration_text
from chaos.validate.draft import Draft, DraftAct
from chaos.words import suggest

# Two faults that both act on one of these at the same time would undo each other.
_ONE_AT_A_TIME = frozenset({Capability.PROCESSES, Capability.THIRD_PARTY})


def act_problems(draft: Draft, system: System) -> Iterator[Problem]:
    """Every problem of the method."""
    for act in draft.acts:
        yield from _target(draft, act, system)
        yield from _fault(draft, act, system)
        yield from _window(draft, act)
    for first, second in combinations(draft.acts, 2):
        yield from _overlap(draft, first, second, system)


def _members(act: DraftAct, system: System) -> list[str]:
    """The services an act may hit, whatever is drawn; none where its target is unknown."""
    if act.selector is not None:
        return system.sets.get(act.selector[1], [])
    return [act.service] if act.service in system.services else []


def _target(draft: Draft, act: DraftAct, system: System) -> Iterator[Problem]:
    where = (*act.where, "target")
    if act.service is not None and act.service not in system.services:
        if act.service in system.sets:
            what = f"{act.service} is a set; write {{one of: {act.service}}} or {{all of: {act.service}}}"
        else:
            what = f"there is no service {act.service!r}{suggest(act.service, system.services)}"
        yield draft.problem(where, what)
    if act.selector is not None and act.selector[1] not in system.sets:
        key, name = act.selector
        if name in system.services:
            what = f"{name} is a service, not a set; write target: {name}"
        else:
            what = f"there is no set {name!r}{suggest(name, system.sets)}"
        yield draft.problem((*where, key), what)


def _fault(draft: Draft, act: DraftAct, system: System) -> Iterator[Problem]:
    if act.word is None:
        return
    if act.word not in faults.words():
        what = f"there is no fault {act.word!r}{suggest(act.word, faults.words())}"
        yield draft.problem((*act.where, "fault"), what)
        return
    kind = faults.fault_class(act.word)
    if "to" in kind.model_fields:
        yield from _peers(draft, act, system)
    try:
        fault = kind.model_validate(act.parameters, by_alias=True, by_name=False)
    except ValidationError as error:
        yield from explain.problems(error, kind, draft.document, (*act.where, "with"))
        return
    for what in dict.fromkeys(what for service in _members(act, system) for what in fault.problems(service, system)):
        yield draft.problem((*act.where, "target"), what)


def _peers(draft: Draft, act: DraftAct, system: System) -> Iterator[Problem]:
    """The parameter called `to` names services or sets; looked at apart, so that no other mistake hides it."""
    peers = act.parameters.get("to")
    for index, name in enumerate(peers if isinstance(peers, list) else []):
        if isinstance(name, str) and name not in system.services and name not in system.sets:
            what = f"there is no service or set {name!r}{suggest(name, [*system.services, *system.sets])}"
            yield draft.problem((*act.where, "with", "to", index), what)


def _window(draft: Draft, act: DraftAct) -> Iterator[Problem]:
    if act.for_s == 0:
        yield draft.problem((*act.where, "for"), "a fault must last longer than 0s")
    phase_s = draft.phases.fault if draft.phases is not None else None
    if phase_s is not None and act.end_s is not None and act.end_s > phase_s:
        what = f"this fault ends {duration_text(act.end_s)} into the fault phase, outside"
        yield draft.problem((*act.where, "for"), f"{what} phases.fault, which is {duration_text(phase_s)}")


def _overlap(draft: Draft, first: DraftAct, second: DraftAct, system: System) -> Iterator[Problem]:
    known = faults.words()
    if first.word not in known or second.word not in known or first.word is None or second.word is None:
        return
    if first.at_s is None or second.at_s is None or first.end_s is None or second.end_s is None:
        return
    shared = [name for name in _members(first, system) if name in _members(second, system)]
    needs = faults.fault_class(first.word).needs & faults.fault_class(second.word).needs
    same = first.word == second.word or needs & _ONE_AT_A_TIME
    start, end = max(first.at_s, second.at_s), min(first.end_s, second.end_s)
    if shared and same and start < end:
        line = draft.document.values[first.where].line
        what = (
            f"{second.word} and the {first.word} of line {line} can both be on {shared[0]} from {duration_text(start)} "
            f"to {duration_text(end)}, and would undo each other; let one end before the other starts"
        )
        yield draft.problem((*second.where, "fault"), what)
