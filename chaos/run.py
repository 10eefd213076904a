"""One experiment from its file to its verdict: the stages in order, each one call.

    1. parse the file                 5. play it inside the sandbox's world
    2. find out what this machine can 6. judge, from the folder's files alone
    3. validate, and refuse           7. write the reports
    4. make the run's folder

This process stays outside the sandbox: it hands on Ctrl-C and SIGTERM, and its end is the end of everything inside.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from chaos.errors import InvalidExperiment, Problem, SandboxError
from chaos.folder import RunFolder, create, data_folder
from chaos.journal import read as read_journal
from chaos.judge import judge
from chaos.load.history import read as read_history
from chaos.observe import samples as read_samples
from chaos.parse import parse
from chaos.plan import plan
from chaos.reconcile import reconcile
from chaos.report import write
from chaos.seed import seed_for
from chaos.shipped import load_system
from chaos.targets.base import Terrain
from chaos.targets.machine import survey, terrain
from chaos.targets.world import Ended, World
from chaos.validate import check, require
from chaos.verdict import Judgement

_LISTEN_S = 0.2


@dataclass(frozen=True)
class Options:
    """What the command line adds to an experiment."""

    runs: Path  # where the run's folder is made
    argv: Sequence[str]
    seed: int | None = None
    keep: bool = False  # the shop stays up afterwards, until Ctrl-C
    json: bool = False  # standard output is for the report alone


@dataclass(frozen=True)
class Outcome:
    """A judged run and where it lies."""

    judgement: Judgement
    folder: RunFolder


def check_all(paths: Sequence[Path]) -> None:
    """Checks every file before the first is run; raises InvalidExperiment with the problems of all."""
    ground = Terrain(load_system(), {})
    problems: list[Problem] = []
    for path in paths:
        try:
            check(path, ground)
        except InvalidExperiment as error:
            problems += error.problems
    if problems:
        raise InvalidExperiment(problems)


def run(path: Path, options: Options, say: Callable[[str], None]) -> Outcome:
    """Runs one experiment; raises InvalidExperiment, Unsupported or SandboxError before anything was touched."""
    machine = survey()
    ground = terrain(load_system(), machine)
    parsed = check(path, ground)
    seed = seed_for(parsed.experiment, options.seed)
    require(plan(parsed.experiment, ground.system, seed), ground)
    folder = create(options.runs, parsed.experiment.title, parsed.text, datetime.now(UTC))
    order = {
        "folder": str(folder.path),
        "experiment": True,
        "weak": parsed.experiment.weak,
        "missing": {str(name): [refusal.why, refusal.remedy] for name, refusal in ground.missing.items()},
        "argv": list(options.argv),
        "seed": seed,
        "keep": options.keep,
        "quiet": options.json,
        "sandbox": "loopback" if machine.namespaces else "embedded",
        "namespaces": machine.namespaces is None,
    }
    with data_folder(folder, in_memory=machine.namespaces is None) as data:
        _play(
            {**order, "data": str(data)},
            say,
            done=lambda: say(f"the run is over: {conclude(folder).why}; Ctrl-C ends the shop"),
        )
    return Outcome(conclude(folder), folder)


def conclude(folder: RunFolder) -> Judgement:
    """Judges a run from its folder alone and writes its reports there; raises SandboxError where they cannot be."""
    judgement = judge_folder(folder)
    try:
        write(judgement, folder.path)
    except OSError as error:
        raise SandboxError(
            f"{judgement.verdict}: {judgement.why}; but the reports cannot be written: {error}",
            remedy=f"make room, then: chaos judge {folder.path}",
        ) from error
    return judgement


def judge_folder(folder: RunFolder) -> Judgement:
    """The verdict of the files in a run's folder; the same whenever it is asked for."""
    experiment = parse(folder.experiment).experiment
    reconciliation = None
    if folder.history.exists():
        reconciliation = reconcile(experiment.invariants, read_history(folder.history), folder.final)
    return judge(
        experiment,
        read_journal(folder.journal),
        read_history(folder.history) if folder.history.exists() else (),
        read_samples(folder.samples) if folder.samples.exists() else (),
        reconciliation,
        run=folder.path.name,
    )


def _play(order: dict[str, Any], say: Callable[[str], None], *, done: Callable[[], None]) -> None:
    """Runs the order in a world of its own until that has ended; `done` is called when only `--keep` keeps it up."""
    with socket.create_server(("127.0.0.1", 0)) as page:
        say(f"the shop opens at http://127.0.0.1:{page.getsockname()[1]}/ while this runs")
        with World("chaos.inside", order, namespaces=order["namespaces"], page=page) as world, _handing_on(world):
            while not isinstance(message := world.listen(_LISTEN_S), Ended):
                if message and message.get("ready"):
                    done()


@contextmanager
def _handing_on(world: World) -> Iterator[None]:
    """Hands SIGINT and SIGTERM on to the conductor instead of dying of them."""

    def hand_on(number: int, frame: FrameType | None) -> None:
        world.interrupt()

    before = {number: signal.signal(number, hand_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
