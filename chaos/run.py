"""One experiment from its file to its verdict: the stages in order, each one call.

    1. parse the file                 5. play it inside the sandbox's world
    2. find out what is there to play 6. judge, from the folder's files alone
    3. validate, and refuse           7. write the reports
    4. make the run's folder

This process stays outside the sandbox: it hands on Ctrl-C and SIGTERM, and its end is the end of everything inside.
"""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable, Collection, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from chaos.errors import Interrupted, InvalidExperiment, Problem, SandboxError, UsageError
from chaos.folder import RunFolder, create, data_folder, digest
from chaos.journal import read as read_journal
from chaos.judge import judge
from chaos.kind import Kind
from chaos.load.history import read as read_history
from chaos.observe import samples as read_samples
from chaos.parse import parse
from chaos.plan import plan
from chaos.reconcile import reconcile
from chaos.report import write
from chaos.seed import seed_for
from chaos.site import find_site, settled
from chaos.stop import Stop
from chaos.systems import system_of
from chaos.targets.base import Terrain
from chaos.targets.order import Order, Play
from chaos.targets.world import Ended, World
from chaos.validate import check, require
from chaos.verdict import Judgement

_LISTEN_S = 0.2
_HEALED_WITHIN_S = 15.0


@dataclass(frozen=True)
class Options:
    """What the command line adds to an experiment."""

    runs: Path  # where the run's folder is made
    argv: Sequence[str]
    sandbox: Kind | None = None  # None: embedded, or what the file names
    owned: Collection[str] = ()  # compose projects that the user calls theirs
    seed: int | None = None
    keep: bool = False  # the shop stays up afterwards, until Ctrl-C
    json: bool = False  # standard output is for the report alone


@dataclass(frozen=True)
class Finished:
    """A judged run and where it lies."""

    judgement: Judgement
    folder: RunFolder


def check_all(paths: Sequence[Path]) -> None:
    """Checks every file before the first is run; raises InvalidExperiment with the problems of all."""
    problems: list[Problem] = []
    for path in paths:
        try:
            check(path, Terrain(system_of(path), {}))
        except InvalidExperiment as error:
            problems += error.problems
    if problems:
        raise InvalidExperiment(problems)


def run(path: Path, options: Options, stop: Stop, say: Callable[[str], None]) -> Finished:
    """Runs one experiment.

    Raises InvalidExperiment, Unsupported, SandboxError or Interrupted before anything was touched, and SandboxError
    when the sandbox's world ended before it could begin a journal.
    """
    site = find_site(path, options.sandbox, options.owned)
    parsed = check(path, Terrain(site.system, {}))
    seed = seed_for(parsed.experiment, options.seed)
    timeline = plan(parsed.experiment, site.system, seed)
    ground = Terrain(site.system, site.missing({need for step in timeline.steps for need in step.fault.needs}))
    require(timeline, ground)
    compose = settled(site, timeline)
    if stop.count:
        raise Interrupted("interrupted before anything was begun")
    if compose is not None:
        from chaos.heal.sweep import heal_dead_runs

        heal_dead_runs(say)
    folder = create(options.runs, parsed.experiment.title, parsed.text, datetime.now(UTC))
    with data_folder(folder, in_memory=site.namespaces or compose is not None) as data:
        wanted = Order(
            site.run,
            folder.path,
            data,
            site.namespaces,
            ground.system,
            dict(ground.missing),
            tuple(parsed.experiment.weak),
            Play(seed, tuple(options.argv), keep=options.keep, quiet=options.json),
            compose,
        )
        folder.target.write_text(wanted.to_json())
        try:
            _play(wanted, folder, stop, say)
        finally:
            _see_to_healing(wanted, say)
    return conclude(folder)


def _see_to_healing(wanted: Order, say: Callable[[str], None]) -> None:
    """Where the conductor was killed its watchdog heals what outlives it: the verdict waits for that."""
    if wanted.compose is not None:
        from chaos.heal.sweep import wait_until_healed

        wait_until_healed(wanted.folder, _HEALED_WITHIN_S, say)


def conclude(folder: RunFolder) -> Finished:
    """Judges a run from its folder alone and writes its reports there; raises SandboxError where they cannot be."""
    try:
        judgement = judge_folder(folder)
    except (OSError, sqlite3.Error) as error:
        raise SandboxError(
            f"the run cannot be judged: {error}", remedy=f"is a disk full? then: chaos judge {folder.path}"
        ) from error
    try:
        write(judgement, folder.path)
    except OSError as error:
        raise SandboxError(
            f"{judgement.verdict}: {judgement.why}; but the reports cannot be written: {error}",
            remedy=f"make room, then: chaos judge {folder.path}",
        ) from error
    return Finished(judgement, folder)


def judge_folder(folder: RunFolder) -> Judgement:
    """The verdict of the files in a run's folder; the same whenever it is asked for.

    Raises UsageError where the experiment in it is not the one that was run.
    """
    journal = read_journal(folder.journal)
    ran = next(
        (record["experiment"] for record in journal if record["event"] == "run" and "experiment" in record), None
    )
    if ran is not None and ran != digest(folder.experiment):
        raise UsageError(
            f"{folder.experiment} was changed after the run, so that it proves nothing about what it says now",
            remedy="undo the change, or run the changed experiment",
        )
    experiment = parse(folder.experiment).experiment
    reconciliation = None
    if folder.history.exists():
        reconciliation = reconcile(experiment.invariants, read_history(folder.history), folder.final)
    torn: list[str] = []  # what the history's reader left out
    judgement = judge(
        experiment,
        journal,
        read_history(folder.history, torn) if folder.history.exists() else (),
        read_samples(folder.samples) if folder.samples.exists() else (),
        reconciliation,
        run=folder.path.name,
    )
    return replace(judgement, notes=(*judgement.notes, *torn))


def _play(wanted: Order, folder: RunFolder, stop: Stop, say: Callable[[str], None]) -> None:
    """Plays an order in a world of its own until that has ended. Raises SandboxError if it never began a journal."""
    trouble = ""
    with nullcontext() if wanted.compose else socket.create_server(("127.0.0.1", 0)) as page:
        if port := _page_port(wanted, page):
            say(f"the shop opens at http://127.0.0.1:{port}/ while this runs")
        with World(wanted, page) as world, stop.handed_to(world):
            while not isinstance(message := world.listen(_LISTEN_S), Ended):
                if message and "error" in message:
                    trouble = "\n  ".join(filter(None, message["error"].values()))
                if message and message.get("ready"):
                    say(f"the run is over: {conclude(folder).judgement.why}\nthe shop stays up until Ctrl-C")
    if trouble or not folder.journal.exists():
        if stop.count and not trouble:
            raise Interrupted("interrupted before anything was begun")
        raise SandboxError(
            trouble or "the sandbox's world ended before it began", remedy=f"its logs are in {folder.logs}"
        )


def _page_port(wanted: Order, page: socket.socket | None) -> int | None:
    """Where the shop's pages are on loopback; None for a system that is not the shop."""
    if page is not None:
        port: int = page.getsockname()[1]
        return port
    assert wanted.compose is not None
    return int(wanted.compose.environment["SHOP_PORT"]) if wanted.compose.ours else None
