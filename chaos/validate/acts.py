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

# Of the faults that need any of these, one at a time can be on a service: a second one would start what the first
# has stopped, or could not be told to end by a third party that is stopped.
_ONE_AT_A_TIME = frozenset({Capability.PROCESSES, Capability.THIRD_PARTY})


def act_problems(draft: Draft, system: System) -> Iterator[Problem]:
    """Every problem of the method."""
    for act in draft.acts:
        yield from _target(draft, act, system)
        yield from _fault(draft, act, system)
        yield from _window(draft, act)
    for first, second in combinations(draft.acts, 2):
        yield from _overlap(draft, first, second, system)
        yield from _other_callers(draft, first, second, system)


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
    for key in ("to", "from"):
        if key in kind.model_fields or f"{key}_" in kind.model_fields:
            yield from _peers(draft, act, key, system)
    try:
        fault = kind.model_validate(act.parameters, by_alias=True, by_name=False)
    except ValidationError as error:
        yield from explain.problems(error, kind, draft.document, (*act.where, "with"))
        return
    flaws = (flaw for service in _members(act, system) for flaw in fault.problems(service, system))
    for flaw in dict.fromkeys(flaws):
        yield draft.problem((*act.where, *flaw.where), flaw.what)


def _peers(draft: Draft, act: DraftAct, key: str, system: System) -> Iterator[Problem]:
    """The parameters `to` and `from` name services or sets; looked at apart, so that no other mistake hides them."""
    peers = act.parameters.get(key)
    for index, name in enumerate(peers if isinstance(peers, list) else []):
        if isinstance(name, str) and name not in system.services and name not in system.sets:
            what = f"there is no service or set {name!r}{suggest(name, [*system.services, *system.sets])}"
            yield draft.problem((*act.where, "with", key, index), what)


def _window(draft: Draft, act: DraftAct) -> Iterator[Problem]:
    if act.for_s == 0:
        yield draft.problem((*act.where, "for"), "a fault must last longer than 0s")
    elif act.for_s is not None and act.word in faults.words():
        kind = faults.fault_class(act.word)
        if act.for_s < kind.for_s_min:
            what = f"{act.word} cannot be this short; allowed: at least {duration_text(kind.for_s_min)}"
            yield draft.problem((*act.where, "for"), what)
        if act.for_s > kind.for_s_max:
            what = f"{act.word} cannot be this long; allowed: at most {duration_text(kind.for_s_max)}"
            yield draft.problem((*act.where, "for"), what)
    phase_s = draft.phases.fault if draft.phases is not None else None
    if phase_s is not None and act.end_s is not None and act.end_s > phase_s:
        what = f"this fault ends {duration_text(act.end_s)} into the fault phase, outside"
        yield draft.problem((*act.where, "for"), f"{what} phases.fault, which is {duration_text(phase_s)}")


def _other_callers(draft: Draft, first: DraftAct, second: DraftAct, system: System) -> Iterator[Problem]:
    """There is one proxy per service called, and its callers are told their way to it when the shop starts."""
    shared = [name for name in _members(first, system) if name in _members(second, system)]
    if not shared or not all(_through_proxy(act) for act in (first, second)):
        return
    if (one := _callers(first, system)) != (other := _callers(second, system)):
        line = draft.document.values[first.where].line
        what = f"the {first.word} of line {line} sends {', '.join(sorted(one)) or 'everybody'} through the proxy to"
        why = f"{shared[0]}, this one {', '.join(sorted(other)) or 'everybody'}; both have one proxy: name the same"
        where = ("with", "from") if "from" in second.parameters else ("fault",)
        yield draft.problem((*second.where, *where), f"{what} {why}")


def _through_proxy(act: DraftAct) -> bool:
    return act.word in faults.words() and Capability.PROXY in faults.fault_class(act.word or "").needs


def _callers(act: DraftAct, system: System) -> frozenset[str]:
    """The services whose calls an act means; those that can be told, where it does not say."""
    named = act.parameters.get("from")
    names = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
    found = [name for each in names for name in system.sets.get(each, [each])]
    return frozenset(found or (system.proxy.clients if system.proxy else ()))


def _overlap(draft: Draft, first: DraftAct, second: DraftAct, system: System) -> Iterator[Problem]:
    known = faults.words()
    if first.word not in known or second.word not in known or first.word is None or second.word is None:
        return
    if first.at_s is None or second.at_s is None or first.end_s is None or second.end_s is None:
        return
    shared = [name for name in _members(first, system) if name in _members(second, system)]
    start, end = max(first.at_s, second.at_s), min(first.end_s, second.end_s)
    if not shared or start >= end:
        return
    one, other = faults.fault_class(first.word).needs, faults.fault_class(second.word).needs
    closed = "proxy.down" in (first.word, second.word) and Capability.PROXY in one & other
    if first.word == second.word or closed or (one & _ONE_AT_A_TIME and other & _ONE_AT_A_TIME):
        why = "would undo or mask each other; let one end before the other starts"
    elif _reaches_control(first, other, shared, system) or _reaches_control(second, one, shared, system):
        why = f"then {shared[0]} cannot be told to behave again; name in `to` the peers whose packets are meant"
    else:
        return
    line = draft.document.values[first.where].line
    what = f"{second.word} and the {first.word} of line {line} can both be on {shared[0]} from {duration_text(start)}"
    yield draft.problem((*second.where, "fault"), f"{what} to {duration_text(end)}, and {why}")


def _reaches_control(act: DraftAct, needs: frozenset[Capability], shared: list[str], system: System) -> bool:
    """Whether an act hits the packets by which a fault with these needs is put on and taken off."""
    if Capability.THIRD_PARTY not in needs or "to" not in faults.fault_class(act.word or "").model_fields:
        return False
    third_parties = [name for name in shared if name in system.third_parties]
    controls = [system.services[name].ports[system.third_parties[name].control] for name in third_parties]
    ports = act.parameters.get("ports")
    hit = not isinstance(ports, list) or not ports or any(port in ports for port in controls)
    return hit and not act.parameters.get("to")
