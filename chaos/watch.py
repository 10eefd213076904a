"""Looks after a run while time passes: the load's figures, the live view, `abort_if`, interruptions, dead services.

One thread does everything; waiting is a `select` on the load's messages, so that nothing here polls faster than the
load reports. Reasons to stop are collected as they come, and the conductor asks for them.
"""

from __future__ import annotations

import select
import signal
from collections.abc import Mapping
from types import FrameType

from chaos.abort import AbortIf, Met
from chaos.inject import Player
from chaos.journal import Journal
from chaos.load.addresses import Addresses
from chaos.load.client import LoadProcess
from chaos.load.window import Window
from chaos.model import Experiment
from chaos.report.live import Live, StreamNow
from chaos.targets.base import Sandbox
from chaos.units import Tolerance

_LOOK_EVERY_S = 0.25
_ASK_FAULTS_EVERY_S = 0.5  # each question costs a few milliseconds
_LIVE_WINDOW_S = 2.0


class Interrupts:
    """Counts SIGINT, SIGTERM and SIGHUP instead of dying of them: once is heal and report, twice is heal and leave."""

    def __init__(self) -> None:
        self.count = 0
        self.name = ""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # the supervisor held it back until now

    def __call__(self) -> bool:
        return self.count > 0

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        self.name = signal.Signals(number).name


class Watch:
    """Waits, and sees to what must be seen to meanwhile."""

    def __init__(
        self,
        experiment: Experiment,
        *,
        target: Sandbox,
        journal: Journal,
        view: Live,
        interrupts: Interrupts,
        player: Player,
    ) -> None:
        self._target, self._journal, self._view = target, journal, view
        self._interrupts, self._now, self._player = interrupts, journal.now, player
        self._load: LoadProcess | None = None
        self._addresses: Addresses | None = None
        self._phase = "start"
        self._next_look = 0.0
        self._next_question = 0.0
        self._dead: dict[str, int] = {}
        self._recent = Window(_LIVE_WINDOW_S)
        self._abort_if = experiment.abort_if
        self._abort: AbortIf | None = None  # looked at while faults are on, and at no other time
        self._aborted = False
        self._interruption_noted = False

    def phase(self, name: str) -> None:
        """A phase starts now."""
        self._phase = name
        self._abort = AbortIf(self._abort_if, self._now()) if name == "fault" else None
        self._journal.write("phase", name=name)
        self._view.event(self._now(), f"phase      {name}")

    def attend(self, load: LoadProcess, addresses: Addresses) -> None:
        """From now on the load's figures are watched, and it is told where its streams have moved to."""
        self._load, self._addresses = load, addresses

    def stop(self) -> bool:
        """Whether the run must end early: interrupted, or aborted by its own rule."""
        self.note_interruption()
        return self._interrupts() or self._aborted

    def note_interruption(self) -> None:
        """Journals an interruption and says so, once."""
        if self._interrupts() and not self._interruption_noted:
            self._interruption_noted = True
            self._journal.note("interrupted", signal=self._interrupts.name)
            self._view.event(self._now(), f"stopping   {self._interrupts.name}: healing; once more to leave at once")

    def interrupted_twice(self) -> bool:
        """Whether the user wants to leave at once."""
        return self._interrupts.count > 1

    def until(self, t: float) -> bool:
        """Waits until `t` seconds since the run started; False as soon as the run must end early.

        Raises SandboxError when the load generator is gone.
        """
        while not self.stop():
            left = t - self._now()
            if left <= 0:
                return True
            self._wait(min(left, max(0.0, self._next_look - self._now())))
            if self._now() >= self._next_look:
                self._look()
                self._next_look = self._now() + _LOOK_EVERY_S
        return False

    def _wait(self, seconds: float) -> None:
        if self._load is None:
            select.select([], [], [], seconds)
            return
        if select.select([self._load], [], [], seconds)[0]:
            for summary in self._load.poll():
                self._recent.add(summary)
                if self._abort is not None and not self._aborted and (met := self._abort.add(summary)):
                    self._note_abort(met)

    def _look(self) -> None:
        self._view.update(self._now(), self._phase, self._streams(), self._player.faults_on())
        if self._now() >= self._next_question:
            self._player.look()
            self._next_question = self._now() + _ASK_FAULTS_EVERY_S
        self._follow()
        for service, code in self._target.ended().items():
            if self._dead.get(service) != code and not self._player.may_be_dead(service):
                self._journal.write("ended", service=service, code=code)
                self._view.event(self._now(), f"service    {service} ended by itself, exit code {code}")
                self._dead[service] = code

    def _follow(self) -> None:
        if self._load is not None and self._addresses is not None and (moved := self._addresses.moved()):
            self._load.move(moved)
            for stream, url in moved.items():
                self._view.event(self._now(), f"load       {stream} goes to {url} from now on")

    def _streams(self) -> Mapping[str, StreamNow]:
        return {
            stream: StreamNow(
                success_rate=self._recent.success_rate(stream),
                p99_s=self._recent.percentile(stream, 99),
                rate=self._recent.rate(stream) or 0.0,
            )
            for stream in self._recent.streams()
        }

    def _note_abort(self, met: Met) -> None:
        self._aborted = True
        self._journal.write("aborted", metric=met.metric, tolerance=met.bound.text, value=met.value)
        self._view.event(self._now(), f"aborted    {met.metric} is {_shown(met.value, met.bound)}: {met.bound.text}")


def _shown(value: float, bound: Tolerance) -> str:
    return f"{value * 1e3:.0f} ms" if bound.unit == "s" else f"{value:g}{bound.unit}"
