"""Tolerances → checks: what was measured in a phase against what it must be, each with a sentence that says so.

A broken `steady_state` in the baseline is inconclusive and not failed, since no fault was on yet.
"""

from __future__ import annotations

from dataclasses import replace

from chaos.judge.figures import Figures, Stream
from chaos.judge.tally import Meter, Outcome, Tally, suffice
from chaos.judge.timeline import Timeline
from chaos.judge.wording import WHEN, counted, figure, operations, seconds
from chaos.model import Experiment
from chaos.verdict import Check, Verdict


def meters(experiment: Experiment) -> dict[str, list[Meter]]:
    """The tolerances of each judged phase; those of the recovery are judged by `recovery`."""
    steady = experiment.steady_state
    faulty = steady if experiment.while_faulty is None else experiment.while_faulty
    return {
        phase: [Meter(name, tolerance, _every_s(experiment, name)) for name, tolerance in tolerances.items()]
        for phase, tolerances in (("baseline", steady), ("fault", faulty), ("recovery", steady))
    }


def _every_s(experiment: Experiment, name: str) -> float | None:
    probe = experiment.probes.get(name.partition(".")[0])
    return None if probe is None else probe.every


def checks(
    experiment: Experiment, phase: str, meters: list[Meter], figures: Figures, timeline: Timeline
) -> list[Check]:
    """One check per tolerance of a phase; none for a phase that never was."""
    span = timeline.phase(phase)
    if span is None:
        return []
    cut = timeline.cut_short(phase)
    found = []
    for meter, tally in zip(meters, figures.tallies[phase], strict=True):
        whole = _samples_of_whole_phase(experiment, meter, timeline.asked_s[phase]) if cut else 0
        outcome = meter.judge(tally, span.end - span.start, whole)
        stream = figures.streams.get((meter.stream, phase), Stream())
        silence = 0 if cut else meter.silence(tally.total, span.end - span.start)
        check = _check(phase, meter, tally, outcome, stream, cut, silence)
        found.append(_under_fault(check, meter, tally, figures) if phase == "fault" else check)
    return found


def _under_fault(check: Check, meter: Meter, tally: Tally, figures: Figures) -> Check:
    """The check of a phase with faults, if enough of it came due while one was really on; otherwise it proves nothing.

    A breach needs no more of them than there were operations: it can be certain before all have come.
    """
    seen = figures.under_fault[meter.stream]
    wanted = min(meter.needed, tally.total) if check.verdict is Verdict.FAILED else meter.needed
    if check.verdict is Verdict.INCONCLUSIVE or suffice(seen, wanted):
        return check
    why = (
        f"{meter.name} is not known: only {seen:,} of the {_noun(meter, meter.needed)} that {meter.tolerance} needs "
        "came due while a fault was on"
    )
    return replace(check, verdict=Verdict.INCONCLUSIVE, why=why)


def _samples_of_whole_phase(experiment: Experiment, meter: Meter, length_s: float) -> int:
    """How many samples a stream has in a phase of that length; at least one, so that a cut phase never is enough."""
    if meter.stream in experiment.probes:
        return max(1, round(length_s / experiment.probes[meter.stream].every))
    return max(1, round(length_s * experiment.load.rates.get(meter.stream, 0.0)))


def _check(phase: str, meter: Meter, tally: Tally, outcome: Outcome, stream: Stream, cut: bool, silence: int) -> Check:
    measured = _measured(meter, tally, outcome, stream)
    verdict = outcome.verdict
    if verdict is Verdict.INCONCLUSIVE:
        why = _why_unknown(phase, meter, tally, outcome, measured, cut, silence)
    elif verdict is Verdict.FAILED and not tally.ok:
        noun = _noun(meter, tally.total)
        why = f"not one of {noun} succeeded {WHEN[phase]}; {meter.name} must be {meter.tolerance}"
    else:
        why = f"{meter.name} was {measured} {WHEN[phase]}, and must be {meter.tolerance}"
    if phase == "baseline" and verdict is Verdict.FAILED:
        verdict = Verdict.INCONCLUSIVE
        why = f"the baseline was never steady: {why}"
    return Check(
        name=meter.name,
        kind="tolerance",
        phase=phase,
        verdict=verdict,
        expected=meter.tolerance.text,
        measured=measured,
        why=why,
        samples=outcome.samples,
        examples=_examples(stream) if verdict is not Verdict.PASSED else (),
    )


def _measured(meter: Meter, tally: Tally, outcome: Outcome, stream: Stream) -> str:
    if not tally.total:
        return "nothing"
    if meter.measure == "value":
        worst = stream.worst.get(meter.name)
        return "no value" if worst is None else f"{figure(worst, meter.tolerance)} at worst, of {tally.total:,}"
    if meter.tolerance.unit == "s" and not tally.ok:  # how soon orders were refused is no latency to set beside a bound
        return f"no success among {tally.total:,}"
    value = outcome.value
    if meter.per_mille is not None:
        value = stream.latencies.percentile_s(meter.per_mille)
    if value is None:
        return "nothing"
    return f"{figure(value, meter.tolerance)} of {outcome.samples:,}"


def _why_unknown(
    phase: str, meter: Meter, tally: Tally, outcome: Outcome, measured: str, cut: bool, silence: int
) -> str:
    when = WHEN[phase]
    if not tally.total:
        return f"{meter.name} could not be measured: there was nothing of {meter.stream} {when}"
    if silence:
        return (
            f"{meter.name} is not known: {meter.stream} was sampled {counted(tally.total, 'time')} {when}, "
            f"and should have been {silence:,} times"
        )
    if meter.measure == "value" and tally.waiting:
        return f"{meter.name} is not known: {tally.waiting} of {_noun(meter, tally.total)} brought no value {when}"
    if outcome.enough and tally.waiting and meter.per_mille is not None and not cut:
        return (
            f"{meter.name} is not known: {tally.waiting} of {_noun(meter, tally.total)} were given up, still without "
            f"an answer, before {seconds(meter.tolerance.bound)} had passed, the bound it is held against"
        )
    if cut:
        return f"{meter.name} was {measured} when the phase ended before its time, too early to say"
    return (
        f"{meter.name} rests on {outcome.samples:,} of the {meter.needed:,} samples that {meter.tolerance} needs {when}"
    )


def _noun(meter: Meter, count: int) -> str:
    if meter.every_s is not None:
        return counted(count, f"sample of {meter.stream}", f"samples of {meter.stream}")
    return operations(meter.stream, count)


def _examples(stream: Stream) -> tuple[str, ...]:
    return tuple(f"{count:,} times: {error}" for error, count in stream.errors.most_common(5))
