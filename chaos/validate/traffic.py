"""Rules over the load: there is traffic of the kind that the system takes, as much as can be sent, and well formed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from chaos.endpoint import endpoint
from chaos.errors import Problem
from chaos.metrics import NAME, STREAMS
from chaos.system import System
from chaos.units import duration_text, rate_text
from chaos.validate.draft import Draft, DraftStream
from chaos.words import shown

RATE_MAX = 2_000.0
_TIMEOUT_S_MAX = 300.0
_BASELINE_MIN = 2  # one to each interval, at a moment drawn in it: of two intervals a phase surely has one
_FILLED_IN = ("n", "key")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_A_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OURS = ("content-length", "transfer-encoding")  # follow from the body; another value breaks the request


def traffic_problems(draft: Draft, system: System) -> Iterator[Problem]:
    """Every problem of the load."""
    yield from _kinds(draft, system)
    yield from _limits(draft)
    for stream in draft.http:
        yield from _name(draft, stream)
        yield from _rate(draft, stream)
        yield from _request(draft, stream, system)


def _kinds(draft: Draft, system: System) -> Iterator[Problem]:
    if draft.load is None:
        return
    if system.load is not None:
        if draft.load.orders == 0:
            yield draft.problem(("load", "orders"), "without orders nothing is put to the test; allowed: more than 0/s")
        return
    given = [name for name in STREAMS if ("load", name) in draft.document.keys]
    for name in given:
        what = f"{system.name} has no {'orders' if name == 'orders' else 'pages that are known'}; use load.http"
        yield draft.problem(("load", name), what, key=True)
    if not given and ("load", "http", 0) not in draft.document.values:
        what = "without requests nothing is put to the test; write http: [{name: read, url: SERVICE/PATH, rate: 20/s}]"
        yield draft.problem(("load", "http"), what)


def _limits(draft: Draft) -> Iterator[Problem]:
    total = sum(stream.per_s or 0.0 for stream in draft.http)
    if total > RATE_MAX:
        what = f"{rate_text(total)} in all are too many for one machine; allowed: at most {RATE_MAX:g}/s"
        yield draft.problem(("load", "http"), what)
    if draft.load is None:
        return
    for name in STREAMS:
        if getattr(draft.load, name) > RATE_MAX:
            yield draft.problem(("load", name), f"too many for one machine; allowed: at most {RATE_MAX:g}/s")
    if draft.load.timeout == 0:
        yield draft.problem(("load", "timeout"), "a customer waits longer than 0s")
    if draft.load.timeout > _TIMEOUT_S_MAX:
        what = f"no customer waits that long; allowed: at most {duration_text(_TIMEOUT_S_MAX)}"
        yield draft.problem(("load", "timeout"), what)


def _name(draft: Draft, stream: DraftStream) -> Iterator[Problem]:
    name, where = stream.name, (*stream.where, "name")
    if name is None:
        return
    first = next(each for each in draft.http if each.name == name)
    if name in STREAMS or not re.fullmatch(NAME, name):
        what = f"{name!r} cannot name requests; allowed: a letter, then letters, digits, _ and -, but not "
        yield draft.problem(where, what + " or ".join(STREAMS))
    elif name in draft.probes:
        yield draft.problem(where, f"a probe is called {name!r} already; give one of them another name")
    elif first is not stream:
        line = draft.document.values[(*first.where, "name")].line
        yield draft.problem(where, f"the requests of line {line} are called {name!r} already")


def _rate(draft: Draft, stream: DraftStream) -> Iterator[Problem]:
    where = (*stream.where, "rate")
    if stream.per_s is None:
        return
    if stream.per_s == 0:
        yield draft.problem(where, "requests that are never sent prove nothing; allowed: more than 0/s")
    elif draft.phases is not None and 0 < draft.phases.baseline * stream.per_s < _BASELINE_MIN:
        baseline = draft.phases.baseline
        what = f"too few to say in a baseline of {duration_text(baseline)} whether they succeed at all; allowed: "
        yield draft.problem(where, f"{what}at least {rate_text(_BASELINE_MIN / baseline)}")


def _request(draft: Draft, stream: DraftStream, system: System) -> Iterator[Problem]:
    if stream.url is not None:
        try:
            path = endpoint(stream.url, system).path
        except ValueError as error:
            yield draft.problem((*stream.where, "url"), str(error))
        else:
            for word in re.findall(r"\{([^{}]*)\}", path):
                if word not in _FILLED_IN:
                    what = f"nothing is known of {{{word}}}; allowed in a path: {{n}}, {{key}}"
                    yield draft.problem((*stream.where, "url"), what)
    if "json" in stream.entry and "body" in stream.entry:
        yield draft.problem((*stream.where, "body"), "json is given already; leave one of them out", key=True)
    headers = stream.entry.get("headers")
    for name, value in headers.items() if isinstance(headers, dict) else ():
        where = (*stream.where, "headers", name)
        if not _HEADER.fullmatch(name):
            yield draft.problem(where, f"{shown(name)} cannot name a header", key=True)
        elif name.lower() in _OURS:
            yield draft.problem(where, f"{name} follows from the body; leave it out", key=True)
        if isinstance(value, str) and _NOT_IN_A_HEADER.search(value):
            yield draft.problem(where, f"the value of a header is one line of text; {shown(value)} is not")
