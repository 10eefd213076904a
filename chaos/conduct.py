"""The conductor of one run: brings the system up, plays the experiment, heals, and leaves the facts in the folder.

Judges nothing, so that the verdict always comes from the files alone. Heals in `finally`, whatever happened. Runs
as a child of the supervisor, inside the sandbox's namespaces where there are any.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from chaos.collect import collect, wait_until_drained
from chaos.errors import ChaosError, Exit
from chaos.folder import RunFolder, digest
from chaos.inject import Player
from chaos.journal import Journal
from chaos.load.addresses import Addresses
from chaos.load.client import LoadProcess
from chaos.load.client import start as start_load
from chaos.load.spec import LoadSpec, Shape
from chaos.model import Experiment
from chaos.observe import Observer
from chaos.plan import Plan
from chaos.report.live import Live
from chaos.targets.base import Sandbox
from chaos.version import __version__
from chaos.watch import Interrupts, Watch

_DRAIN_WITHIN_S = 30.0
_HURRIED_DRAIN_S = 1.0  # after an interruption: the user waits


@dataclass(frozen=True)
class Run:
    """What the conductor is given."""

    experiment: Experiment
    plan: Plan
    folder: RunFolder
    argv: Sequence[str]
    seed: int
    sandbox: str  # "embedded", "loopback" or "compose"


def conduct(
    run: Run,
    target: Sandbox,
    view: Live,
    interrupts: Interrupts,
    unsteady: Callable[[RunFolder], list[str]],
    watchdog_died: Callable[[], str],
) -> None:
    """Plays the whole run. What goes wrong once the journal is open is journalled, and not raised.

    `unsteady` judges the baseline from the folder: nothing is injected where it has a reason against it.
    `watchdog_died` says what became of the watchdog; a run goes on without it: nothing is wrong as long as we live.
    """
    began = time.monotonic()

    def now() -> float:
        return time.monotonic() - began

    with Journal(run.folder.journal, now) as journal:
        _open(journal, run, began)
        player = Player(target, journal, lambda text: view.event(now(), text))
        watch = Watch(
            run.experiment,
            target=target,
            journal=journal,
            view=view,
            interrupts=interrupts,
            player=player,
        )
        try:
            target.up(interrupted=interrupts)
            if not interrupts():
                journal.write("ready", took_s=round(now(), 3))
                view.event(now(), f"ready      {target.terrain.system.name} serves after {now():.1f} s")
                player.prepare(run.plan)
                addresses = Addresses(run.experiment.load, target)
                with _traffic(run, target, addresses, journal, interrupts, began) as load:
                    watch.attend(load, addresses)
                    _phases(run, journal, watch, player, now, unsteady)
                _final_reads(run, target, journal, watch)
        except ChaosError as error:
            journal.note("error", what=error.what, remedy=error.remedy, exit=int(error.exit))
            view.event(now(), f"error      {error.what}")
            if error.remedy:
                view.event(now(), f"what next  {error.remedy}")
        except OSError as error:  # a full disk, no more processes, …: the machine's, not the experiment's
            journal.note("error", what=str(error), remedy="`chaos doctor`; is a disk full?", exit=int(Exit.NO_SANDBOX))
            view.event(now(), f"error      {error}")
        finally:
            player.heal_all()
        watch.note_interruption()
        if died := watchdog_died():
            journal.note("watchdog", what=died)
        journal.note("done")


def _phases(
    run: Run,
    journal: Journal,
    watch: Watch,
    player: Player,
    now: Callable[[], float],
    unsteady: Callable[[RunFolder], list[str]],
) -> None:
    """Warm-up, baseline, fault, recovery; ends early when the watch says so, and then too nothing is on any more."""
    phases = run.experiment.phases
    try:
        watch.phase("warmup")
        watch.until(now() + phases.warmup)
        watch.phase("baseline")
        if not watch.until(now() + phases.baseline):
            return
        if reasons := unsteady(run.folder):
            journal.write("baseline_failed", checks=reasons)
            return
        watch.phase("fault")
        fault_began = now()
        player.play(run.plan, lambda at_s: watch.until(fault_began + at_s))
        watch.phase("recovery")
        watch.until(now() + phases.recovery)
    finally:
        watch.phase("afterwards")


@contextmanager
def _traffic(
    run: Run, target: Sandbox, addresses: Addresses, journal: Journal, interrupts: Interrupts, began: float
) -> Iterator[LoadProcess]:
    """Orders, browsing and probes while the context lasts; what is in flight at its end is waited for."""
    load = start_load(_load_spec(run, target, addresses, began))
    try:
        observer = Observer(run.experiment.probes, target, run.folder.samples, began)
        try:
            load.begin()
            yield load
        finally:
            observer.stop()
        result = load.stop(drain_s=_HURRIED_DRAIN_S if interrupts() else run.experiment.load.timeout + 1)
        journal.write("load", lag_p99_s=result.lag_p99_s, sent=result.sent, complete=result.complete)
    finally:
        load.kill()


def _final_reads(run: Run, target: Sandbox, journal: Journal, watch: Watch) -> None:
    """Once the backlog has drained, the systems of record; a user in a hurry gets none, and no verdict on them."""
    if watch.interrupted_twice():
        return
    journal.write("services", unready=target.unready())
    if target.terrain.system.records is None:
        return
    recovers = run.experiment.recovers
    within_s = max(recovers.within, _DRAIN_WITHIN_S) if recovers else _DRAIN_WITHIN_S
    wait_until_drained(target, journal, within_s=within_s, stop=watch.interrupted_twice)
    collect(target, journal, run.folder.final)


def _open(journal: Journal, run: Run, began: float) -> None:
    journal.write(
        "run",
        durable=True,
        t0=began,
        version=__version__,
        argv=list(run.argv),
        seed=run.seed,
        weak=list(run.experiment.weak),
        started=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        platform=f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        sandbox=run.sandbox,
        experiment=digest(run.folder.experiment),
    )


def _load_spec(run: Run, target: Sandbox, addresses: Addresses, began: float) -> LoadSpec:
    system, load = target.terrain.system, run.experiment.load
    return LoadSpec(
        url=target.url(system.entrance.service, system.entrance.port) if system.entrance else "",
        orders_per_s=load.orders,
        browse_per_s=load.browse,
        http=addresses.streams(),
        timeout_s=load.timeout,
        seed=run.seed,
        history=run.folder.history,
        t0=began,
        shape=Shape.model_validate(system.load) if system.load is not None else None,
    )
