"""Whether the baseline of a run that still goes on was steady: the conductor asks before it injects anything.

The same checks as `judge`'s, over the files as they are at that moment; operations in flight are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from chaos.judge import timeline, tolerances, traffic
from chaos.judge.figures import Figures
from chaos.judge.timeline import Record
from chaos.model import Experiment
from chaos.verdict import Check, Phase, Verdict

if TYPE_CHECKING:
    from chaos.folder import RunFolder
    from chaos.load.history import Operation
    from chaos.observe.samples import Sample


def unsteady_baseline(folder: RunFolder) -> list[str]:
    """Why the baseline was not steady, a sentence per tolerance of `steady_state` that did not hold, and per stream of
    `load.http` without a success; empty if there is none.

    Raises ChaosError for files that are rubbish.
    """
    from chaos.journal import read as read_journal  # the readers' packages are heavy, and judging needs none of them
    from chaos.load.history import read as read_history
    from chaos.observe.samples import samples as read_samples
    from chaos.parse import parse

    found = checks(
        parse(folder.experiment).experiment,
        read_journal(folder.journal),
        read_history(folder.history),
        read_samples(folder.samples) if folder.samples.exists() else (),
    )
    return [check.why for check in found if check.verdict is not Verdict.PASSED] if found else ["it never began"]


def checks(
    experiment: Experiment, journal: Sequence[Record], operations: Iterable[Operation], samples: Iterable[Sample]
) -> list[Check]:
    """One check per stream of `load.http` and tolerance of `steady_state`; none where the baseline has not begun."""
    times = timeline.read(experiment, journal)
    began = times.phase("baseline")
    if began is None:
        return []
    baseline = Phase("baseline", began.start, began.start + experiment.phases.baseline)
    times = replace(times, phases=(baseline,))
    meters = tolerances.meters(experiment)
    figures = Figures(meters, times, origin=None, live=True)
    for operation in operations:
        figures.operation(operation)
    for sample in samples:
        figures.sample(sample)
    return [
        *traffic.answered(experiment, times, figures),
        *tolerances.checks(experiment, "baseline", meters["baseline"], figures, times),
    ]
