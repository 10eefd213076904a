"""Faults as they really were: when each was on, what it measurably did, and whether it is gone; from the journal.

A fault that never went on, that the system itself did not show, or that had no measured effect proves nothing, and
is inconclusive, and so is one that somebody else had to heal because the conductor died. A fault that is not known to
be gone outranks every verdict in the exit code.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chaos.judge.timeline import Record, Timeline, events, last, others, overlong, own
from chaos.judge.wording import counted, seconds
from chaos.model import Experiment
from chaos.verdict import Check, FaultWindow, Verdict

_HELD = 0.5
"""The share of its asked time that a fault must have been on, from the intent to the order to heal."""


@dataclass(frozen=True)
class Faults:
    """Every fault of a run and what can be said of it."""

    windows: tuple[FaultWindow, ...]
    checks: tuple[Check, ...]
    origin: float | None  # when the last fault was told to end: recovery is counted from here; None: none did
    on: tuple[tuple[float, float], ...]  # from when to when each was on that went on, in seconds
    not_put_on: str  # why the first that could not be put on was not; empty: none was refused

    @property
    def left_on(self) -> tuple[FaultWindow, ...]:
        """Those that are known not to be gone, or not known to be although the run ended by itself."""
        return tuple(window for window in self.windows if window.left_on)

    @property
    def effective(self) -> bool:
        """Whether any fault was shown to have had an effect."""
        return any(check.verdict is Verdict.PASSED for check in self.checks)


def read(experiment: Experiment, journal: Sequence[Record], timeline: Timeline) -> Faults:
    """The faults of a journal; it may have been cut off anywhere."""
    windows, checks, told, on, refused = [], [], [], [], []
    for intent in events(journal, "intent"):
        lease = intent["lease"]
        of_lease: dict[str, Record] = {r["event"]: r for r in own(journal) if r.get("lease") == lease}
        in_the_end = of_lease if timeline.done else {**_said_by_others(lease, journal), **of_lease}
        window = _window(intent, in_the_end, journal, timeline)
        windows.append(window)
        checks.append(_check(window, intent, in_the_end, journal))
        if "heal" in of_lease or "healed" in of_lease:
            told.append(of_lease.get("heal", of_lease.get("healed", intent))["t"])
        if "injected" in of_lease:
            ends = (of_lease[name]["t"] for name in ("lapsed", "heal", "healed") if name in of_lease)
            on.append((of_lease["injected"]["t"], min(ends, default=math.inf)))
        if "inject_failed" in of_lease:
            refused.append(checks[-1].why)
    return Faults(
        windows=tuple(windows),
        checks=(*checks, *_never_tried(experiment, journal, timeline)),
        origin=max(told, default=None),
        on=tuple(on),
        not_put_on=next(iter(refused), ""),
    )


def _said_by_others(lease: str, journal: Sequence[Record]) -> dict[str, Record]:
    """The last that others said of a fault after the conductor died; where it said how the fault ended, that stands."""
    said = [r for r in others(journal) if r.get("lease") == lease and r["event"] in ("healed", "heal_failed")]
    return {record["event"]: record for record in said[-1:]}


def _window(intent: Record, of_lease: dict[str, Record], journal: Sequence[Record], timeline: Timeline) -> FaultWindow:
    healed = of_lease.get("healed")
    failed = of_lease.get("heal_failed")
    if healed is not None and failed is not None and failed["t"] > healed["t"]:
        healed = None
    gone = healed is not None and bool(healed.get("gone"))
    return FaultWindow(
        lease=intent["lease"],
        fault=intent["fault"],
        target=intent["target"],
        parameters=dict(intent.get("parameters") or {}),
        start=of_lease["injected"]["t"] if "injected" in of_lease else None,
        end=healed["t"] if healed is not None and gone else None,
        healed=gone,
        effective=bool(healed and healed.get("effective")),
        evidence=str(healed.get("evidence") or "") if healed else "",
        measured=dict(healed.get("measured") or {}) if healed else {},
        by_hand="" if gone else str((failed or {}).get("by_hand", "")),
        # Where the journal ends before the run did, the kernel has ended the sandbox and all that was on in it; but not
        # containers, which outlive us.
        left_on=not gone and (failed is not None or timeline.done or _in_containers(journal)),
    )


def _in_containers(journal: Sequence[Record]) -> bool:
    return (last(journal, "run") or {}).get("sandbox") == "compose"


def _check(window: FaultWindow, intent: Record, of_lease: dict[str, Record], journal: Sequence[Record]) -> Check:
    what = f"{window.fault} on {window.target}"
    why = _doubt(window, intent, of_lease, _ended_early(journal))
    return Check(
        name=what,
        kind="evidence",
        phase="fault",
        verdict=Verdict.INCONCLUSIVE if why else Verdict.PASSED,
        expected="a measured effect, and healed afterwards",
        measured=window.evidence or "nothing",
        why=f"{what} {why}" if why else f"{what}: {window.evidence}",
    )


def _doubt(window: FaultWindow, intent: Record, of_lease: dict[str, Record], ended_early: bool) -> str:
    """Why a fault proves nothing; empty where it does."""
    if failed := of_lease.get("inject_failed"):
        return f"could not be put on: {failed.get('what', 'no reason given')}"
    if "injected" not in of_lease:
        return "was about to be put on when the journal ends, so nobody knows whether it was"
    if not of_lease["injected"].get("active"):
        return "was put on, but the system itself did not show it"
    if not window.healed and not window.left_on:
        return "was on when the run was cut short, and ended with the sandbox"
    if window.healed and "by" in of_lease["healed"]:
        return f"was on when the run was cut short; {window.evidence}"
    if not window.healed:
        reason = of_lease.get("heal_failed", {}).get("what", "the journal does not say that it was healed")
        return f"is not known to be gone: {reason}"
    if not window.effective:
        return (
            f"had no measured effect, so nothing was put to the test: {window.evidence or 'no evidence was recorded'}"
        )
    on_s = of_lease.get("heal", of_lease["healed"])["t"] - intent["t"]
    if on_s < _HELD * intent["for_s"] and not ended_early:
        return f"was on for {seconds(on_s)} of the {seconds(intent['for_s'])} asked for"
    if overlong(on_s, intent["for_s"]):
        return f"was on for {seconds(on_s)} of the {seconds(intent['for_s'])} asked for, too long to be the same test"
    return ""


def _ended_early(journal: Sequence[Record]) -> bool:
    return any(events(journal, "aborted", "interrupted", "error"))


def _never_tried(experiment: Experiment, journal: Sequence[Record], timeline: Timeline) -> list[Check]:
    """One check for each word of the method that was put on less often than the method asks, once faults began."""
    if timeline.phase("fault") is None:
        return []
    asked = Counter(act.fault for act in experiment.method)
    tried: Counter[Any] = Counter(intent["fault"] for intent in events(journal, "intent"))
    return [
        Check(
            name=word,
            kind="evidence",
            phase="fault",
            verdict=Verdict.INCONCLUSIVE,
            expected=counted(count, "fault"),
            measured=counted(tried[word], "fault"),
            why=f"{word} stands {counted(count, 'time')} in the method, and was put on {counted(tried[word], 'time')}",
        )
        for word, count in asked.items()
        if tried[word] < count
    ]
