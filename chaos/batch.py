"""Several experiments in one command: each is run, whatever became of the one before; the worst exit code counts."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chaos.errors import ChaosError, Exit, InvalidExperiment, UsageError
from chaos.report import junit
from chaos.run import Finished, Options, check_all, run
from chaos.stop import Stop
from chaos.verdict import Judgement


@dataclass
class Batch:
    """What became of each file."""

    judgements: list[Judgement] = field(default_factory=list)
    not_run: dict[str, str] = field(default_factory=dict)  # file → why
    codes: list[Exit] = field(default_factory=list)

    @property
    def exit(self) -> Exit:
        """The worst code counts."""
        return Exit.worst(self.codes)


def run_all(
    paths: Sequence[Path],
    options: Options,
    *,
    report_to: Path | None,
    say: Callable[[str], None],
    complain: Callable[[str], None],
    show: Callable[[Finished], None],
) -> Batch:
    """Runs the files in order and writes the JUnit file `report_to`, if one is wanted.

    Raises InvalidExperiment or UsageError before the first is run: a mistake in the last file, or a place that cannot
    be written, must not come to light after an hour.
    """
    check_all(paths)
    if report_to is not None:
        _try_to_write(report_to)
    batch = Batch()
    with Stop() as stop:
        for path in paths:
            if stop.count:
                batch.not_run[str(path)] = "interrupted before it was begun"
                batch.codes.append(Exit.INTERRUPTED)
                continue
            try:
                finished = run(path, options, stop, say)
            except ChaosError as error:
                placed = isinstance(error, InvalidExperiment)  # what only shows once containers are looked at
                complain(str(error) if placed else f"chaos: {path}: {error}")
                batch.not_run[str(path)] = str(error)
                batch.codes.append(error.exit)
            except Exception as error:  # noqa: BLE001  the other files are still to be run, and reported
                complain(f"{traceback.format_exc()}chaos: {path}: this is a mistake in chaos itself; please report it")
                batch.not_run[str(path)] = repr(error)
                batch.codes.append(Exit.INCONCLUSIVE)
            else:
                batch.judgements.append(finished.judgement)
                batch.codes.append(finished.judgement.exit)
                if stop.ended_world:
                    batch.codes.append(Exit.INTERRUPTED)
                show(finished)
    if report_to is not None:
        _write(report_to, batch, complain)
    return batch


def _try_to_write(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("ab").close()
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}", remedy="give another file with --junit"
        ) from error


def _write(path: Path, batch: Batch, complain: Callable[[str], None]) -> None:
    try:
        path.write_bytes(junit.render(batch.judgements, batch.not_run))
    except OSError as error:
        complain(f"chaos: {path} cannot be written: {error}; each run's folder has a junit.xml of its own")
        batch.codes.append(Exit.INCONCLUSIVE)
