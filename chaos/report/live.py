"""The timeline while a run goes on: a live region on a terminal, plain lines in a log.

The conductor calls `update` a few times a second and `event` when something happens, from one thread. `Live` has no
clock of its own: every `t` is passed in, in seconds since the run started. On a terminal it shows how far the phase
is, which faults are on, and each stream's success rate and p99 now and over the last minute; elsewhere each event and,
every five seconds, one line with the same figures. Leaves out the verdict (terminal.py).
"""

from __future__ import annotations

import os
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live as Region
from rich.table import Table
from rich.text import Text

from chaos.report.text import UNKNOWN, duration, moment, one_line, percent, shortened
from chaos.verdict import Phase

_STATUS_EVERY_S = 5.0
_SPARK_SPAN_S = 60.0
_SPARK_CELL_S = 2.0
_SPARKS = "▁▂▃▄▅▆▇█"
_BAR_WIDTH_MIN, _BAR_WIDTH_MAX = 10, 48


@dataclass(frozen=True)
class StreamNow:
    """One stream over the last two seconds or so; None where nothing was measured."""

    success_rate: float | None  # percent, 0 to 100
    p99_s: float | None
    rate: float  # operations per second


class SteadfastConsole(Console):
    """A console that falls silent when nobody reads any more, as in `| head`: the run must go on, and heal."""

    def on_broken_pipe(self) -> None:
        """Called by rich, which would end the process; what is still buffered goes nowhere."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


class Live:
    """The timeline of one run; use it as a context manager or call `stop` at the end, twice is harmless.

    `phases` are the planned ones: they say how far a phase is, and a phase that lasts longer stays at its end.
    """

    def __init__(self, console: Console, title: str, plan_lines: Sequence[str], phases: Sequence[Phase]) -> None:
        self._console = console
        self._phases = tuple(phases)
        self._history: dict[str, deque[tuple[float, float]]] = defaultdict(deque)
        self._status_t: float | None = None
        self._began: tuple[str, float] = ("", 0.0)  # the present phase, and when it was first seen
        self._print(one_line(title), "bold")
        for line in plan_lines:
            self._print(f"  {one_line(line)}", "dim")
        # CI systems that force colours claim a terminal, yet cannot move its cursor: only a real one gets a region.
        is_live = console.is_terminal and not console.is_dumb_terminal and console.file.isatty()
        self._region = Region(console=console, auto_refresh=False, transient=True) if is_live else None
        if self._region is not None:
            self._region.start()

    def update(self, t: float, phase: str, streams: Mapping[str, StreamNow], faults_on: Sequence[str]) -> None:
        """Shows the present state; without a terminal at most one line in five seconds."""
        if phase != self._began[0]:
            self._began = (phase, t)
        if self._region is not None:
            self._remember(t, streams)
            self._region.update(self._view(t, phase, streams, faults_on), refresh=True)
        elif self._status_t is None or t - self._status_t >= _STATUS_EVERY_S:
            self._status_t = t
            self._print(_status(t, phase, streams, faults_on))

    def event(self, t: float, text: str) -> None:
        """A line that stays, above the live region."""
        self._print(f"{moment(t):>8}  {one_line(text)}")

    def stop(self) -> None:
        """Takes the live region away; the events stay."""
        if self._region is not None:
            self._region.stop()

    def __enter__(self) -> Live:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _print(self, line: str, style: str = "") -> None:
        # soft_wrap: a line of a log stays one line, however narrow the console believes it is.
        self._console.print(Text(line, style=style), soft_wrap=True)

    def _remember(self, t: float, streams: Mapping[str, StreamNow]) -> None:
        for name, now in streams.items():
            history = self._history[name]
            if now.p99_s is not None:
                history.append((t, now.p99_s))
            while history and history[0][0] <= t - _SPARK_SPAN_S:
                history.popleft()

    def _view(self, t: float, phase: str, streams: Mapping[str, StreamNow], faults_on: Sequence[str]) -> Group:
        width = self._console.width
        faults = Text("faults on: ", style="dim")
        faults.append(
            shortened(", ".join(faults_on), max(width - 12, 8)) if faults_on else "none", _fault_style(faults_on)
        )
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
        for name in ("", "rate", "success", "p99"):
            table.add_column(name, justify="left" if name == "" else "right", no_wrap=True, min_width=7)
        if width >= 60:
            table.add_column("p99, last minute", no_wrap=True)
        for name, now in streams.items():
            cells = [Text(cell) for cell in _cells(now)]
            cells[1].stylize("red" if now.success_rate is not None and now.success_rate < 99 else "")
            spark = [Text(sparkline(self._history[name], t), style="cyan")] if width >= 60 else []
            table.add_row(Text(shortened(name, 20)), *cells, *spark)
        return Group(self._progress(t, phase, width), faults, table)

    def _progress(self, t: float, phase: str, width: int) -> Text:
        """All phases as one bar, each as wide as its share of the plan. The plan knows nothing of the time before the
        first phase, nor of what lies between two, so the position is counted from when the phase was first seen."""
        line = Text(f"{moment(t):>8}", no_wrap=True, overflow="ellipsis")
        planned = next((each for each in self._phases if each.name == phase), None)
        if planned is None:
            return line.append(f"  {one_line(phase)}", "bold")
        at = min(planned.start + t - self._began[1], planned.end)
        start, end = self._phases[0].start, self._phases[-1].end
        cells = min(_BAR_WIDTH_MAX, width - 32)
        line.append("  " if cells >= _BAR_WIDTH_MIN else "")
        for each in self._phases if cells >= _BAR_WIDTH_MIN else ():
            first, last = (round(cells * (edge - start) / max(end - start, 0.001)) for edge in (each.start, each.end))
            done = round(cells * (at - start) / max(end - start, 0.001))
            full = min(max(done - first, 0), last - first)
            line.append("━" * full, "red" if each.name == "fault" else "green")
            line.append("─" * (last - first - full), "dim")
        line.append(f"  {one_line(phase)}", "bold")
        return line.append(f" {at - planned.start:.0f}/{planned.end - planned.start:.0f} s", "dim")


def sparkline(history: Sequence[tuple[float, float]], now: float) -> str:
    """The last minute of (t, value) as thirty bars, the worst of two seconds in each, blank where nothing was known."""
    cells: list[float | None] = [None] * round(_SPARK_SPAN_S / _SPARK_CELL_S)
    for t, value in history:
        age = int(now / _SPARK_CELL_S) - int(t / _SPARK_CELL_S)  # on a fixed grid, so that bars move but never change
        if 0 <= age < len(cells):
            cells[-1 - age] = max(value, cells[-1 - age] or 0.0)
    highest = max((value for value in cells if value is not None), default=0.0)
    scale = (len(_SPARKS) - 1) / highest if highest > 0 else 0.0
    return "".join(" " if value is None else _SPARKS[round(value * scale)] for value in cells).lstrip()


def _status(t: float, phase: str, streams: Mapping[str, StreamNow], faults_on: Sequence[str]) -> str:
    parts = [one_line(phase)]
    for name, now in streams.items():
        rate, success, p99 = _cells(now)
        nothing = now.success_rate is None  # a rate of 0 is something: of answers that said yes
        parts.append(f"{one_line(name)} none" if nothing else f"{one_line(name)} {rate}, {success} ok, p99 {p99}")
    faults = ", ".join(map(one_line, faults_on)) or "none"
    return f"{moment(t):>8}  {'; '.join(parts)}; faults on: {faults}"


def _cells(now: StreamNow) -> tuple[str, str, str]:
    success = UNKNOWN if now.success_rate is None else percent(now.success_rate)
    return f"{now.rate:.0f}/s", success, duration(now.p99_s)


def _fault_style(faults_on: Sequence[str]) -> str:
    return "bold red" if faults_on else "dim"
