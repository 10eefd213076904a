"""Can the run itself be trusted? Checks of the load generator, the history and the run's own course.

Latencies are the system's only if the generator was on time, and a rate is only what was asked for if it was sent.
Leaves out what follows from a doubt: that is `conclusion`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chaos.judge.figures import Figures
from chaos.judge.timeline import JUDGED, Record, Timeline, events, last
from chaos.judge.wording import counted, seconds
from chaos.model import Experiment
from chaos.verdict import Check, Verdict

LAG_S_MAX = 0.05
"""How late the generator may be at its 99th percentile."""
_RATE_MIN = 0.95
_GENERATOR, _HISTORY, _COURSE, _SERVICES = "load generator", "load history", "course of the run", "services"


def generator(experiment: Experiment, journal: Sequence[Record], timeline: Timeline, figures: Figures) -> Check:
    """Whether the load was sent on time and as much as was asked for, in every judged phase."""
    load = last(journal, "load")
    lags = [figures.streams[key].lags.percentile_s(990) or 0.0 for key in figures.streams if key[1] in JUDGED]
    lag_s = max([*lags, float(load["lag_p99_s"])] if load else lags, default=0.0)
    overloaded = sum(stream.overloaded for stream in figures.streams.values())
    why = ""
    if not figures.sent:
        why = "the load generator never sent anything"
    elif overloaded or (load is not None and load.get("complete") is not True):
        why = f"the load generator was overloaded and did not send {counted(overloaded, 'operation')} of its load"
    elif lag_s > LAG_S_MAX:
        why = f"the load generator itself was late, by {seconds(lag_s)} at p99, so latencies are not the system's"
    elif short := _short(experiment, timeline, figures):
        why = f"the load generator sent less than was asked for: {short}"
    elif load is None and timeline.done and timeline.phase("baseline") is not None:
        why = "the load generator never reported how it went"
    return _check(
        _GENERATOR,
        why,
        expected=f"on time within {seconds(LAG_S_MAX)} at p99, at least {_RATE_MIN:.0%} of the rate",
        measured=f"late by {seconds(lag_s)} at p99",
        fine=f"the load was sent as asked for, late by {seconds(lag_s)} at p99",
    )


def _short(experiment: Experiment, timeline: Timeline, figures: Figures) -> str:
    for kind, rate in experiment.load.rates.items():
        for phase in timeline.phases:
            if phase.name not in JUDGED:
                continue
            stream = figures.streams.get((kind, phase.name))
            due, asked = stream.total if stream else 0, rate * (phase.end - phase.start)
            # at least one less: in a phase of a moment, one operation more or less is no sign of anything
            if due < _RATE_MIN * asked - 1 and timeline.done:
                return f"{due:,} of {asked:,.0f} operations of {kind} in the {phase.name} phase"
    return ""


def history(journal: Sequence[Record], timeline: Timeline, figures: Figures) -> Check:
    """Whether the history holds everything that was sent."""
    load = last(journal, "load")
    why = ""
    if not figures.sent:
        why = "no operation was ever sent"
    elif load is not None and not isinstance(load.get("sent"), int):
        why = "the load generator never said how many operations it sent"
    elif load is not None and figures.sent < load["sent"]:
        why = f"the history holds {figures.sent:,} of the {load['sent']:,} operations that were sent"
    elif figures.never_ended and timeline.done:
        why = f"the history does not say how {counted(figures.never_ended, 'operation')} ended"
    return _check(
        _HISTORY,
        why,
        expected="every operation that was sent, with its end",
        measured=counted(figures.sent, "operation"),
        fine=f"the history holds all of the {counted(figures.sent, 'operation')} that were sent",
    )


def course(experiment: Experiment, journal: Sequence[Record], timeline: Timeline) -> Check:
    """Whether the run went through all its phases and ended by itself."""
    interrupted, error, aborted = (last(journal, name) for name in ("interrupted", "error", "aborted"))
    missing = [name for name in JUDGED if timeline.asked_s[name] > 0 and timeline.phase(name) is None]
    cut = [name for name in JUDGED if timeline.phase(name) is not None and timeline.cut_short(name)]
    why = ""
    if error is not None:
        why = f"the run broke off at t={error['t']:.1f} s: {error.get('what', 'no reason given')}"
    elif interrupted is not None:
        why = f"interrupted by {interrupted.get('signal', 'a signal')} at t={interrupted['t']:.1f} s"
    elif not timeline.done:
        why = f"the run was cut short at t={timeline.end:.1f} s"
    elif not (experiment.invariants or experiment.recovers or experiment.while_faulty != {}):
        why = "the experiment asks nothing of the system once faults are on, so it proves nothing"
    elif missing and aborted is None:
        why = f"the run never got to its {missing[0]} phase"
    elif cut and aborted is None:
        phase = timeline.phase(cut[0])
        lasted = phase.end - phase.start if phase else 0.0
        why = f"the {cut[0]} phase lasted {seconds(lasted)} of the {seconds(timeline.asked_s[cut[0]])} asked for"
    else:
        why = timeline.overran()
    return _check(
        _COURSE,
        why,
        expected="all phases, each in full",
        measured=f"{timeline.end:.1f} s",
        fine=f"the run went through all its phases in {timeline.end:.1f} s",
    )


def services(experiment: Experiment, journal: Sequence[Record]) -> list[Check]:
    """Whether the services lived as long as the faults let them: none died of something else, all served in the end.

    A service that a fault of the method is aimed at may end at other times too: that it dies of it is a finding.
    """
    found = []
    aimed_at = {act.target for act in experiment.method if isinstance(act.target, str)}
    aimed_at |= {str(intent["target"]) for intent in events(journal, "intent")}
    died = [each for each in events(journal, "ended") if each["service"] not in aimed_at]
    if died:
        why = "; ".join(
            f"{each['service']} ended by itself at {each['t']:.1f} s, exit code {each.get('code')}" for each in died
        )
        names = ", ".join(dict.fromkeys(str(each["service"]) for each in died))
        found.append(_check(_SERVICES, why, expected="none ends by itself", measured=names, fine=""))
    if (ready := last(journal, "services")) is not None:
        names = ", ".join(map(str, ready["unready"]))
        why = f"not serving when the recovery was over: {names}" if names else ""
        fine = "every service served when the recovery was over"
        check = _check(_SERVICES, why, expected="all serve again", measured=names or "all do", fine=fine)
        found.append(replace(check, phase="afterwards"))
    return found


def aborted(experiment: Experiment, journal: Sequence[Record]) -> Check | None:
    """Failed where the experiment's own `abort_if` ended it; None where it did not."""
    record = last(journal, "aborted")
    if record is None:
        return None
    metric, tolerance = str(record.get("metric")), str(record.get("tolerance"))
    bound = experiment.abort_if.get(metric)
    value = record.get("value")
    if isinstance(value, int | float) and bound is not None:
        unit = "" if bound.unit == "s" else bound.unit
        measured = seconds(float(value)) if bound.unit == "s" else f"{float(value):.4g}{unit}"
    else:
        measured = str(value)
    return Check(
        name=metric,
        kind="abort",
        phase="fault",
        verdict=Verdict.FAILED,
        expected=f"not {tolerance}",
        measured=measured,
        why=f"aborted: {metric} was {measured} while faults were on, and the experiment says to stop at {tolerance}",
    )


def _check(name: str, why: str, *, expected: str, measured: str, fine: str) -> Check:
    verdict = Verdict.INCONCLUSIVE if why else Verdict.PASSED
    return Check(name, "run", "run", verdict, expected, measured, why or fine)
