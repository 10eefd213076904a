"""Journal, history and samples → a verdict per check and phase, and one over all of them. Pure.

timeline.py    the phases of a run and how it ended, from its journal
latency.py     latencies as counts, and their percentiles
tally.py       one tolerance's counts, and what follows from them
figures.py     one pass over history and samples: every figure
tolerances.py  tolerances → checks
recovery.py    how soon the system was steady again
evidence.py    faults as they really were
instrument.py  whether the load, the history and the run itself can be trusted
traffic.py     whether a user's own requests put the system to the test
books.py       invariants → checks
conclusion.py  the verdict, the exit code and the sentence at the top
wording.py     figures for people
baseline.py    whether the baseline of a run that goes on was steady

`docs/verdict.md` has the rules for people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chaos.judge import books, conclusion, evidence, instrument, recovery, timeline, tolerances, traffic
from chaos.judge.baseline import unsteady_baseline
from chaos.judge.figures import Figures
from chaos.judge.timeline import Record, Timeline
from chaos.judge.wording import seconds
from chaos.metrics import ORDERS
from chaos.model import Experiment
from chaos.verdict import Check, Judgement, Verdict

if TYPE_CHECKING:
    from chaos.load.history import Operation
    from chaos.observe.samples import Sample
    from chaos.reconcile.outcome import Reconciliation

__all__ = ["judge", "unsteady_baseline"]


def judge(
    experiment: Experiment,
    journal: Sequence[Mapping[str, Any]],
    operations: Iterable[Operation],
    samples: Iterable[Sample],
    reconciliation: Reconciliation | None,
    *,
    run: str,
) -> Judgement:
    """The verdict of a run, complete or cut off anywhere. `run` is its name; operations and samples are read once.

    `reconciliation` is None when the systems of record were never read.
    """
    times = timeline.read(experiment, journal)
    faults = evidence.read(experiment, journal, times)
    meters = tolerances.meters(experiment)
    figures = Figures(meters, times, origin=faults.origin, live=not times.done, faulty=faults.on)
    for operation in operations:
        figures.operation(operation)
    for sample in samples:
        figures.sample(sample)

    steadied = _recovery(meters["recovery"], figures, faults, times)
    baseline = tolerances.checks(experiment, "baseline", meters["baseline"], figures, times)
    generator = instrument.generator(experiment, journal, times, figures)
    history = instrument.history(journal, times, figures)
    course = instrument.course(experiment, journal, times)
    answered = traffic.answered(experiment, times, figures)
    checks = [course, generator, history, *answered, *baseline, *faults.checks]
    checks += traffic.under_fault(experiment, figures, faults)
    if aborted := instrument.aborted(experiment, journal):
        checks.append(aborted)
    checks += tolerances.checks(experiment, "fault", meters["fault"], figures, times)
    if experiment.recovers is not None:
        checks.append(recovery.check(experiment.recovers, steadied, whole=not times.cut_short("recovery")))
    services = instrument.services(experiment, journal)
    checks += services
    checks += books.checks(experiment.invariants, reconciliation, journal, figures.answered_ok[ORDERS])

    doubts = conclusion.doubts(
        baseline=baseline,
        course=course,
        generator=generator,
        history=history,
        faults=faults,
        answered=answered,
        died=next(
            (check.why for check in services if check.phase == "run" and check.verdict is not Verdict.PASSED), ""
        ),
        overran=times.overran(),
        broke_off=timeline.last(journal, "error") is not None,
    )
    concluded = conclusion.conclude(checks, doubts, journal, faults, steadied, traffic.amount(experiment, figures))
    known = timeline.last(journal, "run") or {}
    return Judgement(
        run=run,
        title=experiment.title,
        description=experiment.description,
        tags=tuple(experiment.tags),
        verdict=concluded.verdict,
        exit=concluded.exit,
        why=concluded.why,
        checks=concluded.checks,
        phases=times.phases,
        faults=faults.windows,
        stats=figures.stats([*experiment.load.rates, *experiment.probes]),
        buckets=figures.buckets(),
        ledger=reconciliation.ledger if reconciliation else (),
        time_to_recover_s=steadied.time_s if steadied and not times.cut_short("recovery") else None,
        weak=tuple(known.get("weak", experiment.weak)),
        seed=int(known.get("seed", experiment.seed or 0)),
        version=str(known.get("version", "")),
        argv=tuple(known.get("argv", ())),
        started=str(known.get("started", "")),
        duration_s=times.end,
        platform=str(known.get("platform", "")),
        notes=_notes(experiment, journal, steadied, reconciliation, concluded.checks),
    )


def _recovery(
    meters: list[Any], figures: Figures, faults: evidence.Faults, times: Timeline
) -> recovery.Recovery | None:
    phase = times.phase("recovery")
    if phase is None or faults.origin is None:
        return None
    return recovery.measure(meters, figures.cells, phase.end - faults.origin)


def _notes(
    experiment: Experiment,
    journal: Sequence[Record],
    steadied: recovery.Recovery | None,
    reconciliation: Reconciliation | None,
    checks: Sequence[Check],
) -> tuple[str, ...]:
    """What a reader should know and no check says."""
    notes = []
    if (known := timeline.last(journal, "run")) and known.get("sandbox") == "loopback":
        notes.append("the services ran on loopback ports, without network namespaces of their own")
    for record in timeline.events(journal, "ended"):
        notes.append(f"{record['service']} ended by itself at t={record['t']:.1f} s, exit code {record.get('code')}")
    for record in timeline.events(journal, "watchdog"):
        notes.append(f"{record['what']}; had the run been killed then, only `chaos heal` could have healed it")
    if any(timeline.events(timeline.own(journal), "done")):  # otherwise the fault's own check says so
        for record in timeline.events(timeline.others(journal), "healed"):
            notes.append(f"{record['lease']} was not healed by the run itself: {record['evidence']}")
    if experiment.recovers is None and steadied is not None and steadied.samples:
        if steadied.time_s is None:
            notes.append("steady_state was not seen again after the last fault; the experiment does not ask for it")
        else:
            notes.append(
                f"steady again {seconds(steadied.time_s)} after the last fault; the experiment does not ask for it"
            )
    if any(check.kind == "abort" and check.verdict is not Verdict.PASSED for check in checks):
        notes.append("the faults were taken off early, as abort_if asks")
    return (*notes, *(reconciliation.notes if reconciliation else ()))
