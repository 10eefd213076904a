"""The charts of one stream as SVG: success rate above, latency below, over the whole run.

pygal scales, labels the axes and draws the lines, because it needs no script, browser or compiled code for it; this
adds the experiment's marks (annotations.py). Colours and fonts are the page's (report.css), so one drawing serves
light, dark and paper. Each chart comes twice, for wide and for narrow pages, because text in a scaled drawing would
become too small to read.

Leaves out scripts, styles, dates and identifiers that pygal would add: the same judgement gives the same text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from xml.etree import ElementTree

import pygal

from chaos.report import series, text
from chaos.report.annotations import LANE_HEIGHT, Annotations, lanes
from chaos.verdict import Judgement

_WIDE, _NARROW = 1040, 400  # units of the drawing; on the page it is as wide as its column
_PLOT_HEIGHT = 210
_AXIS_WIDTH = 62
_POINTS_PAGE_MAX = 1800  # more than three streams share these points among them, so that the page stays small
_SUCCESS_FROM = (95.0, 90.0, 80.0, 50.0, 0.0)  # where the axis of percentages may start
_TICKS_MAX = 8
_LATENCIES_S = tuple(m * 10.0**e for e in range(-5, 4) for m in (1, 2, 5))
_TIMES_S = tuple(m * 10**e for e in range(5) for m in (1, 2, 5))


@dataclass(frozen=True)
class Panel:
    """One chart: `summary` says in words what it shows; `wide` and `narrow` are SVG, safe to put into HTML."""

    title: str
    summary: str
    wide: str
    narrow: str


@dataclass(frozen=True)
class _Drawing:
    title: str
    summary: str
    lines: Sequence[tuple[str, series.Line]]  # by the figure's name, which is their class in the SVG
    ticks: Mapping[float, str]  # the axis goes from the lowest to the highest
    bounds: Sequence[series.Bound]


def panels(judgement: Judgement, stream: str) -> list[Panel]:
    """The charts of one stream: none without traffic, and none for a figure that nobody measured."""
    buckets = [each for each in judgement.buckets if each.stream == stream]
    streams = len({each.stream for each in judgement.buckets})
    points_max = min(series.POINTS_MAX, _POINTS_PAGE_MAX // max(streams, 1))
    found = []
    for draw in (_success, _latency):
        wide, narrow = (draw(judgement, stream, series.points(buckets, most)) for most in (points_max, points_max // 2))
        if wide is not None and narrow is not None:
            drawings = _svg(judgement, wide, _WIDE), _svg(judgement, narrow, _NARROW)
            found.append(Panel(wide.title, wide.summary, *drawings))
    return found


def _success(judgement: Judgement, stream: str, found: Sequence[series.Point]) -> _Drawing | None:
    lines = [("success", line) for line in series.lines(found, "success")]
    if not lines:
        return None
    bounds = series.bounds(judgement, f"{stream}.success_rate")
    lowest = min([*_values(lines), *(bound.value for bound in bounds)])
    start = next(each for each in _SUCCESS_FROM if each <= max(lowest - 0.5, 0))
    ticks = {start + (100 - start) * n / 5: text.percent(start + (100 - start) * n / 5) for n in range(6)}
    summary = (
        f"Share of {text.one_line(stream)} answered ok, by the second; lowest {text.percent(min(_values(lines)))}."
    )
    cut = f" The axis starts at {text.percent(start)}." if start else ""
    return _Drawing("Success rate", summary + cut, lines, ticks, bounds)


def _latency(judgement: Judgement, stream: str, found: Sequence[series.Point]) -> _Drawing | None:
    lines = [(name, line) for name in ("p50", "p99") for line in series.lines(found, f"{name}_s")]
    lines = [(name, [(t, max(value, _LATENCIES_S[0])) for t, value in line]) for name, line in lines]
    if not lines:
        return None
    bounds = [each for q in ("p50", "p99") for each in series.bounds(judgement, f"{stream}.{q}") if each.value > 0]
    values = [*_values(lines), *(bound.value for bound in bounds)]
    low = max((each for each in _LATENCIES_S if each <= min(values)), default=_LATENCIES_S[0])
    high = min((each for each in _LATENCIES_S if each > max(values)), default=_LATENCIES_S[-1])
    ticks = [each for each in _LATENCIES_S if low <= each <= high]
    if len(ticks) > _TICKS_MAX:
        ticks = [each for each in ticks if each in (low, high) or f"{each:e}".startswith("1")]
    summary = (
        f"How long {text.one_line(stream)} took, by the second, on a logarithmic axis: the median (p50) and the "
        f"slowest in a hundred (p99); worst p99 {text.duration(max(_values(lines)))}."
    )
    # pygal's own logarithmic axis drops points of broken lines, so the values are logarithms and the axis is linear.
    logs = [(name, [(t, math.log10(value)) for t, value in line]) for name, line in lines]
    bounds = [replace(each, value=math.log10(each.value)) for each in bounds]
    return _Drawing("Latency", summary, logs, {math.log10(each): text.duration(each) for each in ticks}, bounds)


def _svg(judgement: Judgement, drawing: _Drawing, width: int) -> str:
    end = max([t for _, line in drawing.lines for t, _ in line] + [phase.end for phase in judgement.phases])
    strip = LANE_HEIGHT * (len(lanes(judgement.faults, end)) + 1)
    chart = _Timeline(
        Annotations(judgement.faults, judgement.phases, tuple(drawing.bounds)),
        width=width,
        height=_PLOT_HEIGHT + strip,
        margin=4,
        margin_top=strip,
        margin_right=10,
        show_legend=False,
        show_dots=False,
        xrange=(0, end),
        range=(min(drawing.ticks), max(drawing.ticks)),
        js=(),
        no_prefix=True,
    )
    chart.x_labels = [{"value": t, "label": f"{t} s"} for t in _times(end, 10 if width == _WIDE else 5)]
    chart.y_labels = [{"value": value, "label": label} for value, label in drawing.ticks.items()]
    for name, line in drawing.lines:
        chart.add(name, line)
    root = _stripped(chart.render_tree(), [name for name, _ in drawing.lines])
    root.attrib.update({"role": "img", "aria-label": drawing.summary})
    return ElementTree.tostring(root, encoding="unicode")


class _Timeline(pygal.XY):  # type: ignore[misc]  # pygal has no types
    """pygal's XY chart with the experiment's marks behind and above its lines."""

    def __init__(self, marks: Annotations, **config: Any) -> None:
        self.marks = marks
        super().__init__(**config)

    def _compute_margin(self) -> None:
        super()._compute_margin()
        self.margin_box.left = _AXIS_WIDTH  # the same for every chart, so that their seconds stand below one another

    def _plot(self) -> None:
        self.marks.draw_behind(self.nodes["plot"], self.view)
        super()._plot()
        self.marks.draw_above(self.nodes["plot"], self.view)


def _stripped(root: ElementTree.Element, names: Sequence[str]) -> ElementTree.Element:
    """Without what pygal adds for pages of its own, the lines named by their figure, numbers to a tenth of a unit."""
    for parent in list(root.iter()):
        for child in list(parent):
            # A comment's tag is a function; the last groups are for pygal's own script, and empty without it.
            unused = child.tag in ("defs", "title") or child.get("class", "").startswith(("titles", "plot "))
            if callable(child.tag) or unused:
                parent.remove(child)
        for key, value in parent.attrib.items():
            if key in ("d", "x", "y", "width", "height"):
                parent.attrib[key] = re.sub(r"-?\d+\.\d+", lambda found: f"{float(found[0]):.1f}", value)
        index = re.search(r"serie-(\d+)", parent.get("class", ""))
        if index is not None:
            parent.set("class", f"line-{names[int(index[1])]}")
    root.attrib.pop("id", None)
    root.set("class", "chart")
    return root


def _times(end: float, count_max: int) -> list[int]:
    step = next((each for each in _TIMES_S if end / each <= count_max), _TIMES_S[-1])
    return list(range(0, int(end) + 1, step))


def _values(drawn: Sequence[tuple[str, series.Line]]) -> list[float]:
    return [value for _, line in drawn for _, value in line]
