"""When what was: the phases of a run and how it ended, read from its journal.

Leaves out the faults (`evidence`) and whether any of it is good enough (`doubts`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chaos.judge.wording import seconds
from chaos.model import Experiment
from chaos.verdict import Phase

Record = Mapping[str, Any]
JUDGED = ("baseline", "fault", "recovery")
_WHOLE = 0.95
"""The share of its asked length from which on a phase counts as whole."""
_LONGER, _LONGER_S = 1.05, 0.5


def overlong(lasted_s: float, asked_s: float) -> bool:
    """Whether something went on for so much longer than asked for that what was seen is not what was to be tested."""
    return lasted_s > _LONGER * asked_s + _LONGER_S


@dataclass(frozen=True)
class Timeline:
    """The phases of one run, in order, and how it ended."""

    phases: tuple[Phase, ...]
    asked_s: Mapping[str, float]  # how long each judged phase should have been
    end: float  # the time of the journal's last event
    done: bool  # the run ended by itself

    def phase(self, name: str) -> Phase | None:
        """The phase of that name; None if the run never got there."""
        return next((phase for phase in self.phases if phase.name == name), None)

    def at(self, t: float) -> str | None:
        """The name of the phase at that time; a phase's first moment belongs to it, its last to the next."""
        return next((phase.name for phase in self.phases if phase.start <= t < phase.end), None)

    def second(self, t: float) -> float:
        """The start of the chart's second that holds this moment. Seconds count from each phase's start, so that none
        straddles two phases: what a fault does must not be drawn into the baseline. A last bit joins the one before.
        """
        phase = next((phase for phase in self.phases if phase.start <= t < phase.end), None)
        if phase is None:
            return float(int(t))
        last = max(0, round(phase.end - phase.start) - 1)
        return phase.start + min(int(t - phase.start), last)

    def cut_short(self, name: str) -> bool:
        """Whether a phase ended before its time, or never began."""
        phase = self.phase(name)
        return phase is None or phase.end - phase.start < _WHOLE * self.asked_s[name]

    def overran(self) -> str:
        """A sentence about the first judged phase that lasted much longer than asked for; empty: none did."""
        for phase in self.phases:
            lasted_s, asked_s = phase.end - phase.start, self.asked_s.get(phase.name)
            if asked_s is not None and overlong(lasted_s, asked_s):
                return f"the {phase.name} phase lasted {seconds(lasted_s)} of the {seconds(asked_s)} asked for"
        return ""


def read(experiment: Experiment, journal: Sequence[Record]) -> Timeline:
    """The timeline of a journal, complete or not; who healed it afterwards did not make the run longer."""
    journal = own(journal)
    starts = list(events(journal, "phase"))
    end = max((record["t"] for record in journal), default=0.0)
    ends = [*(record["t"] for record in starts[1:]), end]
    phases = [Phase(record["name"], record["t"], until) for record, until in zip(starts, ends, strict=False)]
    last_act_s = max(act.at + act.for_ for act in experiment.method)
    asked = experiment.phases
    return Timeline(
        phases=tuple(phase for phase in phases if phase.name in ("warmup", *JUDGED)),
        asked_s={"baseline": asked.baseline, "fault": asked.fault or last_act_s, "recovery": asked.recovery},
        end=end,
        done=any(events(journal, "done")),
    )


def events(journal: Sequence[Record], *names: str) -> Iterator[Record]:
    """The journal's events of these names, in order."""
    return (record for record in journal if record["event"] in names)


def own(journal: Sequence[Record]) -> list[Record]:
    """What the conductor itself wrote."""
    return [record for record in journal if "by" not in record]


def others(journal: Sequence[Record]) -> list[Record]:
    """What was added after it died, by whoever healed in its place."""
    return [record for record in journal if "by" in record]


def last(journal: Sequence[Record], name: str) -> Record | None:
    """The journal's last event of that name, if any."""
    return next((record for record in reversed(journal) if record["event"] == name), None)
