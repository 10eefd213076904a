"""The verdict at the end of a run, for a terminal (`render`) and for logs (`plain`): the verdict is the last line.

Marks and words carry the meaning, colour only helps; text from outside is made safe and never read as markup. Leaves
out colour and width decisions, which are the console's, and all that report.html shows at leisure.
"""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from chaos.report import facts
from chaos.report.text import clean, duration, one_line
from chaos.verdict import Check, FaultWindow, Judgement, Verdict

_STYLES = {Verdict.PASSED: "green", Verdict.FAILED: "red", Verdict.INCONCLUSIVE: "yellow"}
_EXAMPLES_MAX = 3


def render(judgement: Judgement, report: str = "") -> RenderableType:
    """What a terminal shows; `report` is the path of the page, as it should be printed."""
    parts: list[RenderableType] = [Padding(_checks(judgement), (1, 0))] if judgement.checks else []
    parts += [_alarm(fault) for fault in facts.still_on(judgement)]
    summary = Table.grid(padding=(0, 2))
    for name, value in _summary(judgement):
        summary.add_row(Text(name, style="dim"), Text(one_line(value), overflow="fold"))
    style = _STYLES[judgement.verdict]
    verdict = Text(f" {judgement.verdict.upper()} ", style=f"bold reverse {style}")
    # The path has a line of its own, so that most terminals can show it in one piece, to be clicked or copied.
    parts += [summary, *([Text(one_line(report), overflow="fold")] if report else []), Text()]
    return Group(*parts, Text.assemble(verdict, "  ", (_verdict(judgement), f"bold {style}")))


def plain(judgement: Judgement, report: str = "") -> str:
    """The same as lines of text without colour or alignment, for logs and pipes."""
    lines = []
    for check in judgement.checks:
        phase = one_line(check.phase)
        measured = f"{one_line(check.measured)} (expected {one_line(check.expected)})"
        lines.append(f"{check.verdict:<12}  {phase:<10}  {one_line(check.name)}: {measured}")
        lines += [f"{'':12}  {line}" for line in _reasons(check)]
    for fault in facts.still_on(judgement):
        lines.append(f"NOT HEALED  {one_line(fault.fault)} on {one_line(fault.target)}; by hand:")
        lines += [f"    {line}" for line in clean(facts.by_hand(fault)).splitlines()]
    lines += [f"{name:<12}  {one_line(value)}" for name, value in _summary(judgement)]
    lines += [f"{'report':<12}  {one_line(report)}"] if report else []
    lines.append(f"{judgement.verdict.upper():<12}  {_verdict(judgement)}")
    return "\n".join(lines) + "\n"


def _checks(judgement: Judgement) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for name in ("", "check", "expected", "measured"):
        table.add_column(name, overflow="fold", no_wrap=name == "")
    for phase, checks in facts.by_phase(judgement.checks):
        table.add_row("", Text(one_line(phase), style="dim italic"))
        for check in checks:
            style = _STYLES[check.verdict]
            cells = [Text(one_line(words)) for words in (check.name, check.expected, check.measured)]
            table.add_row(Text(f"{facts.MARKS[check.verdict]} {check.verdict}", style=style), *cells)
    reasons = Table.grid(padding=(0, 1))
    reasons.add_column(no_wrap=True)
    reasons.add_column(overflow="fold")
    for check in facts.not_passed(judgement.checks):
        style = _STYLES[check.verdict]
        reasons.add_row(Text(facts.MARKS[check.verdict], style=style), Text(one_line(check.name), style="bold"))
        for line in _reasons(check):
            reasons.add_row("", Text(line))
    outer = Table.grid()
    outer.add_row(table)
    if reasons.row_count:
        outer.add_row(Padding(reasons, (1, 0, 0, 0)))
    return outer


def _reasons(check: Check) -> list[str]:
    if check.verdict is Verdict.PASSED:
        return []
    lines = [one_line(check.why), *(f"- {one_line(example)}" for example in check.examples[:_EXAMPLES_MAX])]
    more = len(check.examples) - _EXAMPLES_MAX
    return [*lines, f"- {more} more in the report"] if more > 0 else lines


def _alarm(fault: FaultWindow) -> Panel:
    title = Text(f"NOT HEALED: {one_line(fault.fault)} on {one_line(fault.target)}")
    return Panel(
        Text(f"by hand:\n{clean(facts.by_hand(fault))}", overflow="fold"), title=title, border_style="bold red"
    )


def _summary(judgement: Judgement) -> list[tuple[str, str]]:
    rows = [("note", note) for note in judgement.notes]
    rows += [
        ("note", f"{fault.fault} on {fault.target} was not healed: it ended with the sandbox")
        for fault in judgement.faults
        if facts.ended_with_sandbox(fault)
    ]
    if judgement.weak:
        rows.append(("weak", ", ".join(judgement.weak)))
    rows.append(("recovered", facts.recovered(judgement)))
    rows.append(("checks", f"{facts.counts(judgement.checks)}, in {duration(judgement.duration_s)}"))
    rows.append(("why", facts.why(judgement)))
    return rows


def _verdict(judgement: Judgement) -> str:
    ended = facts.ended(judgement)
    return one_line(f"{judgement.title} ({ended})" if ended else judgement.title)
