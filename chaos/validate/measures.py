"""Rules over tolerances: the metric exists, the bound has its unit, and the phase is long enough to judge it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from chaos.errors import Problem
from chaos.metrics import BROWSE, MEASURES, ORDERS
from chaos.parse.document import Where
from chaos.samples import needed
from chaos.system import System
from chaos.units import Tolerance, duration, duration_text, rate_text
from chaos.validate.draft import Draft
from chaos.words import shown, suggest

_EXAMPLES = {"%": "a percentage, as in '>= 99.5%'", "s": "a duration, as in '< 800ms'"}
_EXAMPLES |= {"/s": "a rate, as in '> 15/s'", "": "a plain number, as in '<= 3'"}
_NUMERIC_PROBES = ("sql", "command")


def measure_problems(draft: Draft, system: System) -> Iterator[Problem]:
    """Every problem of the three sections that hold tolerances."""
    for section, tolerances in draft.tolerances.items():
        for name, tolerance in tolerances.items():
            where: Where = (section, name)
            unknown = _unknown(draft, system, section, name)
            if unknown is not None:
                yield draft.problem(where, unknown, key=True)
            if tolerance is None:
                continue
            measure = name.partition(".")[2]
            if measure in MEASURES and tolerance.unit != MEASURES[measure]:
                what = f"{name} is {_EXAMPLES[MEASURES[measure]]}; {shown(tolerance.text)} is not"
                yield draft.problem(where, what)
            elif (vain := _in_vain(measure, tolerance)) is not None:
                yield draft.problem(where, f"{name} {tolerance} {vain}")
            elif section == "abort_if" and draft.fault_s is not None and tolerance.for_s > draft.fault_s:
                fault = duration_text(draft.fault_s)
                yield draft.problem(where, f"this is never true for so long in a fault phase of {fault}")
            elif tolerance.for_s and section != "abort_if":
                yield draft.problem(where, "'for' belongs to abort_if alone; elsewhere a bound holds for the phase")
            elif unknown is None and section != "abort_if":
                yield from _too_few(draft, where, name, tolerance)


def _in_vain(measure: str, tolerance: Tolerance) -> str | None:
    """Why a bound proves nothing, whatever is measured; None for one that can both hold and be broken."""
    if measure not in MEASURES or measure == "value":  # a probe's number may be anything
        return None
    highest = 100.0 if MEASURES[measure] == "%" else math.inf
    compare, bound = tolerance.compare, tolerance.bound
    if (compare == ">=" and bound <= 0) or (compare == "<=" and bound >= highest):
        return "always holds, so it asks nothing"
    if (compare == "<" and bound <= 0) or (compare == ">" and bound >= highest):
        return "can never hold"
    return None


def _unknown(draft: Draft, system: System, section: str, name: str) -> str | None:
    """Why there is no such metric; None where there is."""
    stream, _, measure = name.partition(".")
    load = _load_streams(draft, system)
    streams = list(dict.fromkeys((*load, *(draft.probes if section != "abort_if" else ()))))
    if stream == BROWSE and system.load is not None and stream not in load:
        return "nobody browses, so there is nothing to measure; give load.browse a rate"
    if stream in draft.probes and stream not in streams:
        return f"abort_if looks at the load alone, and {stream} is a probe; allowed: {', '.join(streams)}"
    if stream not in streams:
        return f"there is nothing called {stream!r} to measure{suggest(stream, streams)}"
    probe = draft.probes.get(stream)
    numeric = probe is not None and any(key in probe for key in _NUMERIC_PROBES)
    measures = [each for each in MEASURES if each != "value" or numeric]
    if measure == "value" and not numeric:
        return f"{stream} has no value, only probes with sql or command have; allowed: {', '.join(measures)}"
    if not measure:
        return f"{stream} alone is no measurement; allowed: {', '.join(f'{stream}.{each}' for each in measures)}"
    if measure not in measures:
        return f"there is no measure {measure!r}{suggest(measure, measures)}"
    return None


def _load_streams(draft: Draft, system: System) -> list[str]:
    """What the load may be measured by; orders and pages are the shop's, which has a load of its own."""
    own = [each.name for each in draft.http if each.name is not None]
    if system.load is None:
        return own
    browsed = draft.load is None or draft.load.browse > 0
    return [ORDERS, *([BROWSE] if browsed else []), *own]


def _phases(draft: Draft, section: str) -> Mapping[str, float]:
    """The phases in which a section's tolerances are judged, with their lengths in seconds where known."""
    if draft.phases is None:
        return {}
    lengths: dict[str, float] = {}
    if section == "steady_state":
        lengths["baseline"] = draft.phases.baseline
        if draft.recovers is not None:
            lengths["recovery"] = draft.phases.recovery
    if draft.fault_s is not None and (section == "while_faulty" or "while_faulty" not in draft.tolerances):
        lengths["fault"] = draft.fault_s
    return lengths


def _too_few(draft: Draft, where: Where, name: str, tolerance: Tolerance) -> Iterator[Problem]:
    rate = _rate(draft, name.partition(".")[0])
    if not rate:  # not known, or none at all, which is told at its place
        return
    asked = needed(name, tolerance)
    for phase, length_s in _phases(draft, str(where[0])).items():
        expected = rate * length_s
        if expected >= asked - 1e-6:  # 0.1/s for 200s is a hair below 20 in floating point
            continue
        inherited = where[0] == "steady_state" and phase == "fault"
        here = (
            "fault phase (steady_state holds there too, since there is no while_faulty)"
            if inherited
            else f"{phase} phase"
        )
        what = f"{name} {tolerance} needs {asked} samples, and the {here} has {int(expected)} "
        how = f"({rate_text(rate)} for {duration_text(length_s)}); allowed: at least {duration_text(asked / rate)}"
        more = f", or {rate_text(math.ceil(asked / length_s))}" if length_s else ""
        yield draft.problem(where, f"{what}{how}{more}")


def _rate(draft: Draft, stream: str) -> float | None:
    """How often a stream is measured, per second; None where that cannot be told."""
    if stream in (ORDERS, BROWSE):
        return None if draft.load is None else (draft.load.orders if stream == ORDERS else draft.load.browse)
    for each in draft.http:
        if each.name == stream:
            return each.per_s
    try:
        every_s = duration(draft.probes[stream].get("every", "1s"))
    except ValueError:
        return None
    return 1 / every_s if every_s > 0 else None
