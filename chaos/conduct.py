"""The conductor of one run: brings the system up, plays the experiment, heals, and leaves the facts in the folder.

Judges nothing, so that the verdict always comes from the files alone. Heals in `finally`, whatever happened. Runs
inside the sandbox's namespaces, as a child of the supervisor.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chaos.collect import collect, wait_until_drained
from chaos.errors import ChaosError
from chaos.folder import RunFolder
from chaos.inject import Player
from chaos.journal import Journal
from chaos.load.client import LoadProcess
from chaos.load.client import start as start_load
from chaos.load.spec import LoadSpec, Shape
from chaos.model import Experiment
from chaos.observe import Observer
from chaos.plan import Plan
from chaos.report.live import Live
from chaos.targets.embedded import Embedded
from chaos.version import __version__
from chaos.watch import Interrupts, Watch

_DRAIN_WITHIN_S = 30.0


@dataclass(frozen=True)
class Run:
    """What the conductor is given."""

    experiment: Experiment
    plan: Plan
    folder: RunFolder
    argv: Sequence[str]
    seed: int
    sandbox: str  # "embedded" or "loopback"


def conduct(
    run: Run, target: Embedded, view: Live, interrupts: Interrupts, steady: Callable[[RunFolder], bool]
) -> None:
    """Plays the whole run. What goes wrong is journalled; nothing is raised but what is not ours.

    `steady` judges the baseline from the folder, and nothing is injected unless it says yes.
    """
    began = time.monotonic()

    def now() -> float:
        return time.monotonic() - began

    with Journal(run.folder.journal, now) as journal:
        _open(journal, run)
        player = Player(target, journal, lambda text: view.event(now(), text))
        watch = Watch(
            run.experiment,
            target=target,
            journal=journal,
            view=view,
            interrupts=interrupts,
            now=now,
            faults_on=lambda: [f"{step.fault.word} on {step.service}" for step, _ in player.on.values()],
        )
        try:
            target.up(interrupted=interrupts)
            journal.write("ready", took_s=round(now(), 3))
            view.event(now(), f"ready      the shop is up after {now():.1f} s")
            player.prepare(run.plan)
            _play(run, target, journal, watch, player, began, lambda: steady(run.folder))
        except ChaosError as error:
            journal.write("error", what=error.what, remedy=error.remedy, exit=int(error.exit))
            view.event(now(), f"error      {error.what}")
        finally:
            player.heal_all()
        if interrupts():
            journal.write("interrupted", signal=interrupts.name)
        journal.write("done")


def _play(
    run: Run,
    target: Embedded,
    journal: Journal,
    watch: Watch,
    player: Player,
    began: float,
    steady: Callable[[], bool],
) -> None:
    """Traffic, phases and faults; then the final reads."""
    phases = run.experiment.phases
    load = start_load(_load_spec(run, target, began))
    observer = Observer(run.experiment.probes, target, run.folder.samples, began)
    watch.attend(load)
    try:
        load.begin()
        clock = time.monotonic() - began
        watch.phase("warmup")
        watch.until(clock := clock + phases.warmup)
        watch.phase("baseline")
        if watch.until(clock := clock + phases.baseline) and steady():
            watch.phase("fault")
            fault_began = time.monotonic() - began
            player.play(run.plan, lambda at_s: watch.until(fault_began + at_s))
            watch.phase("recovery")
            watch.until(time.monotonic() - began + phases.recovery)
    finally:
        player.heal_all()
        observer.stop()
        watch.phase("afterwards")
        _stop_load(load, run, journal)
    if watch.interrupted_twice():
        return
    recovers = run.experiment.recovers
    within_s = max(recovers.within, _DRAIN_WITHIN_S) if recovers else _DRAIN_WITHIN_S
    wait_until_drained(target, journal, within_s=within_s, stop=watch.interrupted_twice)
    collect(target, journal, run.folder.final)


def _open(journal: Journal, run: Run) -> None:
    journal.write(
        "run",
        durable=True,
        version=__version__,
        argv=list(run.argv),
        seed=run.seed,
        weak=list(run.experiment.weak),
        started=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        platform=f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        sandbox=run.sandbox,
    )


def _load_spec(run: Run, target: Embedded, began: float) -> LoadSpec:
    system = target.terrain.system
    return LoadSpec(
        url=target.url(system.entrance.service, system.entrance.port),
        orders_per_s=run.experiment.load.orders,
        browse_per_s=run.experiment.load.browse,
        timeout_s=run.experiment.load.timeout,
        seed=run.seed,
        history=run.folder.history,
        t0=began,
        shape=Shape.model_validate(system.load),
    )


def _stop_load(load: LoadProcess, run: Run, journal: Journal) -> None:
    result = load.stop(drain_s=run.experiment.load.timeout + 1)
    journal.write("load", lag_p99_s=result.lag_p99_s, sent=result.sent, complete=result.complete)
