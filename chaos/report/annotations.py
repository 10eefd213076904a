"""What a chart shows besides its lines: fault windows, phases and tolerances, drawn into pygal's plot.

Each fault has a bar with its name on a strip above the plot, in the first lane that is free at that time, and a shaded
band through the plot below. At most `_LANES_MAX` lanes; what has no room is still shaded. Positions come from pygal's
own view, so they agree with its axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from xml.etree.ElementTree import Element, SubElement

from chaos.report import text
from chaos.report.series import Bound
from chaos.verdict import FaultWindow, Phase

LANE_HEIGHT = 18
_LANES_MAX = 5
_CHARACTER_WIDTH = 6.8  # of the chart's 12-unit text, on average; only to see what fits
_PADDING = 4


class View(Protocol):
    """pygal's projection: seconds and values to units of the drawing, within `width` and `height`."""

    width: float
    height: float

    def x(self, x: float) -> float: ...
    def y(self, y: float) -> float: ...


@dataclass(frozen=True)
class Annotations:
    """The marks of one chart."""

    faults: tuple[FaultWindow, ...]
    phases: tuple[Phase, ...]
    bounds: tuple[Bound, ...]

    def draw_behind(self, plot: Element, view: View) -> None:
        """Bands of the faults, and where each phase starts."""
        for fault in self.faults:
            if fault.start is not None:
                left, right = view.x(fault.start), _right(fault, view)
                _rect(plot, "band", left, 0, right - left, view.height)
        for phase in self.phases:
            x = view.x(phase.start)
            _path(plot, "phase-start", f"M{x} -{LANE_HEIGHT} V{view.height}")

    def draw_above(self, plot: Element, view: View) -> None:
        """Names of the phases, bars of the faults, and the tolerances with what they ask."""
        for phase in self.phases:
            if _fits(phase.name, view.x(phase.end) - view.x(phase.start)):
                _text(plot, "phase-name", view.x(phase.start) + _PADDING, -5, phase.name)
        end = max((phase.end for phase in self.phases), default=0.0)
        for number, lane in enumerate(lanes(self.faults, end)):
            for fault in lane:
                self._bar(plot, view, fault, -LANE_HEIGHT * (number + 2))
        for bound in self.bounds:
            self._bound(plot, view, bound)

    def _bar(self, plot: Element, view: View, fault: FaultWindow, top: float) -> None:
        assert fault.start is not None, "lanes hold only faults that were on"
        left, right = view.x(fault.start), _right(fault, view)
        _rect(plot, "bar", left, top + 1, max(right - left, 2), LANE_HEIGHT - 3)
        name = f"{fault.fault} on {fault.target}"
        room = view.width - left if not _fits(name, right - left) else right - left
        shown = text.shortened(name, max(int((room - 2 * _PADDING) / _CHARACTER_WIDTH), 2))
        _text(plot, "bar-name", left + _PADDING, top + LANE_HEIGHT - 6, shown)

    def _bound(self, plot: Element, view: View, bound: Bound) -> None:
        y = view.y(bound.value)
        if not 0 <= y <= view.height:
            return
        left, right = view.x(bound.start), view.x(bound.end)
        _path(plot, "bound", f"M{left} {y} H{right}")
        if _fits(bound.text, right - left):
            # On the side where the lines must not be: above an upper bound, below a lower one.
            below = not bound.upper and y + 15 < view.height
            _text(plot, "bound-name", right - _PADDING, y + 13 if below else y - 5, bound.text)


def lanes(faults: Sequence[FaultWindow], end: float) -> list[list[FaultWindow]]:
    """The faults that were on, in as few rows as keep them apart, at most five; `end` ends those that have none."""
    rows: list[list[FaultWindow]] = []
    for fault in sorted((each for each in faults if each.start is not None), key=lambda each: each.start or 0.0):
        free = next((row for row in rows if (row[-1].end or end) <= (fault.start or 0.0)), None)
        if free is not None:
            free.append(fault)
        elif len(rows) < _LANES_MAX:
            rows.append([fault])
    return rows


def _right(fault: FaultWindow, view: View) -> float:
    return min(view.x(fault.end), view.width) if fault.end is not None else view.width


def _fits(words: str, width: float) -> bool:
    return len(words) * _CHARACTER_WIDTH + 2 * _PADDING <= width


def _rect(plot: Element, name: str, x: float, y: float, width: float, height: float) -> None:
    attributes = {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": f"{width:.1f}", "height": f"{height:.1f}"}
    SubElement(plot, "rect", {"class": name, **attributes})


def _path(plot: Element, name: str, drawing: str) -> None:
    SubElement(plot, "path", {"class": name, "d": drawing})


def _text(plot: Element, name: str, x: float, y: float, words: str) -> None:
    SubElement(plot, "text", {"class": name, "x": f"{x:.1f}", "y": f"{y:.1f}"}).text = text.one_line(words)
