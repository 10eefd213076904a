"""report.html: one page that opens offline, without a script, and reads well to a stranger.

Everything is in the file: styles and drawings inline, and a content policy that forbids the rest. Jinja escapes all
text; what must not even be escaped (control and direction characters) is spelled out by `text.clean` on every output.
Leaves out history.jsonl and logs, which lie beside the page.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from chaos.report import chart, facts, text
from chaos.verdict import FaultWindow, Judgement, StreamStats


def render(judgement: Judgement) -> str:
    """The page as HTML text, to be written as UTF-8."""
    streams = facts.streams(judgement)
    charts = [(stream, [_drawn(panel) for panel in chart.panels(judgement, stream)]) for stream in streams]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            j=judgement,
            marks=facts.MARKS,
            meaning=facts.MEANINGS[judgement.verdict],
            why=facts.why(judgement),
            not_passed=facts.not_passed(judgement.checks),
            phase_names=facts.PHASES,
            ended=facts.ended(judgement),
            still_on=facts.still_on(judgement),
            counts=facts.counts(judgement.checks),
            recovered=facts.recovered(judgement),
            during=[
                each for stream in streams[:2] for each in facts.stats_of(judgement, stream) if each.phase == "fault"
            ],
            charts=[(stream, panels) for stream, panels in charts if panels],
            phases=facts.by_phase(judgement.checks),
            invariants=[check for check in judgement.checks if check.kind == "invariant"],
            traffic=[(stream, rows) for stream in streams if (rows := facts.stats_of(judgement, stream))],
            command=facts.command(judgement),
            command_with_seed=facts.command_with_seed(judgement),
        )
    )


@cache
def _environment() -> Environment:
    loader = PackageLoader("chaos.report", "")
    environment = Environment(
        loader=loader,
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        one_line=text.one_line, duration=text.duration, figure=text.figure, ratio=text.ratio, heading=facts.heading
    )
    css, _, _ = loader.get_source(environment, "report.css")
    environment.globals.update(
        css=Markup(css),
        when=facts.when,
        by_hand=facts.by_hand,
        how_long=facts.how_long,
        parameters=facts.parameters,
        measured=_measured,
        total=_total,
    )
    return environment


def _finalize(value: object) -> object:
    return value if isinstance(value, Markup) else text.clean(value)


def _drawn(panel: chart.Panel) -> dict[str, object]:
    drawings = {"wide": Markup(panel.wide), "narrow": Markup(panel.narrow)}  # ElementTree escaped them
    return {"title": panel.title, "summary": panel.summary, **drawings}


def _measured(fault: FaultWindow) -> list[tuple[str, str]]:
    return [(name, text.figure(value)) for name, value in _flat(fault.measured)]


def _flat(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in values.items():
        key = f"{prefix}{name}"
        found += _flat(value, f"{key} ") if isinstance(value, dict) else [(key, value)]
    return found


def _total(row: StreamStats) -> int:
    return row.ok + row.failed + row.unknown
