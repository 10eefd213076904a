"""Did a user's own requests put the system to the test? Checks over `load.http`, whatever its tolerances ask.

A stream that never once succeeded shows a wrong path or a system that was down all along, and a fault during which no
request came due was felt by nobody: neither may end in a success. Orders need no such rule, since their tolerances and
invariants have theirs.
"""

from __future__ import annotations

from chaos.judge.evidence import Faults
from chaos.judge.figures import Figures
from chaos.judge.timeline import Timeline
from chaos.judge.wording import WHEN, counted, operations
from chaos.metrics import ORDERS
from chaos.model import Experiment
from chaos.verdict import Check, Verdict


def answered(experiment: Experiment, timeline: Timeline, figures: Figures) -> list[Check]:
    """Whether every stream succeeded at least once before any fault; nothing where there is no such stream yet."""
    if timeline.phase("baseline") is None:
        return []
    found = []
    for each in experiment.load.http:
        stream = figures.streams.get((each.name, "baseline"))
        total, ok = (stream.total, stream.results["ok"]) if stream else (0, 0)
        why = ""
        if not total:
            why = f"there was nothing of {each.name} {WHEN['baseline']}, so nobody knows whether it succeeds at all"
        elif not ok:
            error = next(iter(dict(stream.errors.most_common(1)) if stream else {}), "no reason given")
            why = f"not one of {operations(each.name, total)} succeeded {WHEN['baseline']}; most often: {error}"
        found.append(
            _check(
                each.name,
                "baseline",
                why,
                expected="succeeds before any fault",
                measured=f"{ok:,} of {total:,} answered ok",
                fine=f"{each.name} was answered ok {counted(ok, 'time')} {WHEN['baseline']}",
            )
        )
    return found


def under_fault(experiment: Experiment, figures: Figures, faults: Faults) -> list[Check]:
    """Whether anything came due while each fault was on; nothing where no fault was, or the load is not the user's."""
    if not experiment.load.http or not faults.on:
        return []
    put_on = [window for window in faults.windows if window.start is not None]
    unfelt = [
        f"{window.fault} on {window.target}"
        for window, count in zip(put_on, figures.while_on, strict=True)
        if not count
    ]
    return [
        _check(
            "load",
            "fault",
            f"no request came due while {' and '.join(unfelt)} was on, so nobody can have felt it" if unfelt else "",
            expected="requests while each fault is on",
            measured=counted(min(figures.while_on), "request") + " at least",
            fine=f"at least {counted(min(figures.while_on), 'request')} came due while each fault was on",
        )
    ]


def amount(experiment: Experiment, figures: Figures) -> str:
    """How much came due in the fault phase, in words; empty for nothing."""

    def total(name: str) -> int:
        stream = figures.streams.get((name, "fault"))
        return stream.total if stream else 0

    requests = sum(total(each.name) for each in experiment.load.http)
    parts = [(total(ORDERS), "order"), (requests, "request")]
    return " and ".join(counted(count, noun) for count, noun in parts if count)


def _check(name: str, phase: str, why: str, *, expected: str, measured: str, fine: str) -> Check:
    verdict = Verdict.INCONCLUSIVE if why else Verdict.PASSED
    return Check(name, "run", phase, verdict, expected, measured, why or fine)
