"""What can be made out of a file even where parts of it have the wrong shape.

The rules work on this draft rather than on the Experiment, so that a mistyped unit in one line does not hide an
unknown fault in another: all problems of a file come in one go. A part that cannot be understood is None or left
out here, and `parse` has said why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from chaos.errors import Problem
from chaos.model import Load, Phases, Recovers
from chaos.parse.document import Document, Where
from chaos.units import Tolerance, duration, rate, tolerance

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")
_SELECTORS = ("one of", "all of", "percent of")


@dataclass(frozen=True)
class DraftAct:
    """One entry of the method."""

    where: Where
    word: str | None
    service: str | None  # where the target is a service by name
    selector: tuple[str, str] | None  # where it is a set: ("one of", "storefronts")
    parameters: Mapping[str, object]
    at_s: float | None
    for_s: float | None

    @property
    def end_s(self) -> float | None:
        """When the fault ends, in seconds since the start of the fault phase."""
        return None if self.at_s is None or self.for_s is None else self.at_s + self.for_s


@dataclass(frozen=True)
class DraftStream:
    """One entry of `load.http`."""

    where: Where
    name: str | None
    url: str | None
    per_s: float | None
    entry: Mapping[str, object]


@dataclass(frozen=True)
class Draft:
    """The parts of a file that could be understood."""

    document: Document
    load: Load | None  # without `http`
    http: tuple[DraftStream, ...]
    phases: Phases | None
    recovers: Recovers | None
    acts: tuple[DraftAct, ...]
    probes: Mapping[str, Mapping[str, object]]
    weak: tuple[object, ...]
    invariants: tuple[object, ...]
    tolerances: Mapping[str, Mapping[str, Tolerance | None]]  # section → metric → bound

    @property
    def fault_s(self) -> float | None:
        """How long the fault phase lasts; None where that cannot be told."""
        if self.phases is not None and self.phases.fault is not None:
            return self.phases.fault
        ends = [act.end_s for act in self.acts]
        known = [end for end in ends if end is not None]
        return max(known) if known and len(known) == len(ends) else None

    def problem(self, where: Where, what: str, *, key: bool = False) -> Problem:
        """A problem at a place of the document."""
        return self.document.problem(where, what, key=key)


def draft(document: Document) -> Draft:
    """The draft of any document, however wrong."""
    data = _mapping(document.data)
    load = data.get("load")
    method = data.get("method")
    weak, invariants = data.get("weak"), data.get("invariants")
    return Draft(
        document,
        load=_model(
            Load, {key: part for key, part in load.items() if key != "http"} if isinstance(load, dict) else load
        ),
        http=tuple(_streams(_mapping(load).get("http"))),
        phases=_model(Phases, data.get("phases", {})),
        recovers=_model(Recovers, data.get("recovers")),
        acts=tuple(_acts(method if isinstance(method, list) else [])),
        probes={name: _mapping(probe) for name, probe in _mapping(data.get("probes")).items()},
        weak=tuple(weak) if isinstance(weak, list) else (),
        invariants=tuple(invariants) if isinstance(invariants, list) else (),
        tolerances={
            section: {name: _understood(tolerance, bound) for name, bound in _mapping(data.get(section)).items()}
            for section in ("steady_state", "while_faulty", "abort_if")
            if section in data
        },
    )


def _streams(http: object) -> Iterator[DraftStream]:
    for index, each in enumerate(http if isinstance(http, list) else []):
        entry = _mapping(each)
        name, url = entry.get("name"), entry.get("url")
        yield DraftStream(
            where=("load", "http", index),
            name=name if isinstance(name, str) else None,
            url=url if isinstance(url, str) else None,
            per_s=_understood(rate, entry.get("rate")),
            entry=entry,
        )


def _acts(method: list[object]) -> Iterator[DraftAct]:
    for index, entry in enumerate(method):
        act = _mapping(entry)
        word, target = act.get("fault"), act.get("target")
        sets = [(key, name) for key in _SELECTORS if isinstance(name := _mapping(target).get(key), str)]
        yield DraftAct(
            where=("method", index),
            word=word if isinstance(word, str) else None,
            service=target if isinstance(target, str) else None,
            selector=sets[0] if sets else None,
            parameters=_mapping(act.get("with")),
            at_s=_understood(duration, act.get("at", "0s")),
            for_s=_understood(duration, act.get("for")),
        )


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _understood(unit: Callable[[object], T], value: object) -> T | None:
    try:
        return unit(value)
    except ValueError:
        return None


def _model(model: type[M], value: object) -> M | None:
    try:
        return model.model_validate(value, by_alias=True, by_name=False)
    except ValidationError:
        return None
