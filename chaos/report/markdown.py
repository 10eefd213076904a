"""report.md: the verdict for a pull request or a chat, short enough to be read there.

Leaves out the chart and the figures by phase, which the HTML page has. Everything that came from outside is escaped:
no text of a run can make a heading, a link, an image or a mention of a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from chaos.report import facts
from chaos.report.text import clean, one_line
from chaos.verdict import Check, Judgement, Verdict

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$:-])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "@\u200b"}  # the zero-width space keeps people unpinged
_ICONS = {Verdict.PASSED: "✅", Verdict.FAILED: "❌", Verdict.INCONCLUSIVE: "❔"}


def render(judgement: Judgement) -> str:
    """The report as GitHub-flavoured Markdown."""
    parts = [
        f"## {_ICONS[judgement.verdict]} {judgement.verdict.upper()}: {escape(judgement.title)}",
        f"**{escape(judgement.why)}**",
        *_still_on(judgement),
        _bullets(_summary(judgement)),
        "### Checks",
        _table(("", "check", "phase", "expected", "measured"), map(_check_row, _worst_first(judgement.checks))),
        *_examples(judgement.checks),
    ]
    if judgement.ledger:
        rows = [(escape(row.what), f"{row.count:,}", escape(row.source)) for row in judgement.ledger]
        parts += ["### Ledger", _table(("what", "count", "read from"), rows)]
    parts += ["### How to reproduce", _code(facts.command_with_seed(judgement)), _origin(judgement)]
    return "\n\n".join(parts) + "\n"


def escape(value: object) -> str:
    """One line of plain text, whatever it holds."""
    text = _SPECIAL.sub(r"\\\1", one_line(value))
    return "".join(_ENTITIES.get(character, character) for character in text)


def _summary(judgement: Judgement) -> list[str]:
    faults = [
        f"{escape(fault.fault)} on {escape(fault.target)} {_bracketed(facts.parameters(fault))}"
        f"{facts.when(fault)}: {escape(fault.evidence)}"
        for fault in judgement.faults
    ]
    lines = [f"fault: {line}" for line in faults] or ["no fault was put on"]
    lines.append(f"time to recover: {facts.recovered(judgement)}")
    lines.append(f"checks: {facts.counts(judgement.checks)}")
    if judgement.weak:
        lines.append(f"protections switched off: {escape(', '.join(judgement.weak))}")
    return lines + [f"note: {escape(note)}" for note in judgement.notes]


def _still_on(judgement: Judgement) -> list[str]:
    return [
        f"> **NOT HEALED: {escape(fault.fault)} on {escape(fault.target)}.** By hand:\n>\n"
        + "\n".join(f"> {line}" for line in _code(facts.by_hand(fault)).splitlines())
        for fault in facts.still_on(judgement)
    ]


def _worst_first(checks: Sequence[Check]) -> list[Check]:
    return sorted(checks, key=lambda check: [Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.PASSED].index(check.verdict))


def _check_row(check: Check) -> tuple[str, ...]:
    verdict = f"{facts.MARKS[check.verdict]} {check.verdict}"
    return verdict, escape(check.name), escape(check.phase), escape(check.expected), escape(check.measured)


def _examples(checks: Iterable[Check]) -> list[str]:
    parts = []
    for check in checks:
        if check.verdict is not Verdict.PASSED:
            lines = [escape(example) for example in check.examples]
            parts.append(f"**{escape(check.name)}**: {escape(check.why)}" + (f"\n\n{_bullets(lines)}" if lines else ""))
    return parts


def _origin(judgement: Judgement) -> str:
    return (
        f"chaos {escape(judgement.version)}, seed {judgement.seed}, {escape(judgement.platform)}, "
        f"{escape(judgement.started)}, run {escape(judgement.run)}"
    )


def _bracketed(words: str) -> str:
    return f"({escape(words)}) " if words else ""


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _code(words: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", words)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}sh\n{clean(words)}\n{fence}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
