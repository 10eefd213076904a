"""The reports: one Judgement in, the same facts out in every format; pure, without clock, network or random.

text.py         figures rounded so that they never flatter; text from outside made safe
facts.py        what all formats read out of a judgement in the same words
terminal.py     the verdict at the end of a run
live.py         the timeline while it runs
as_json.py      report.json, and reading it back
junit.py        junit.xml
markdown.py     report.md, for pull requests
html.py         report.html, with report.html.j2 and report.css
chart.py        its charts; series.py what they draw; annotations.py the faults, phases and tolerances in them
"""

from __future__ import annotations

from pathlib import Path

from chaos.verdict import Judgement


def write(judgement: Judgement, folder: Path) -> Path:
    """Writes report.json, junit.xml, report.md and report.html into an existing folder; returns the page's path.

    The small files that programs read come first, so that a disk that fills up spares them. OSError is the caller's.
    """
    from chaos.report import as_json, html, junit, markdown  # only where a run ends: the libraries cost start-up time

    (folder / "report.json").write_text(as_json.render(judgement), encoding="utf-8")
    (folder / "junit.xml").write_bytes(junit.render([judgement]))
    (folder / "report.md").write_text(markdown.render(judgement), encoding="utf-8")
    page = folder / "report.html"
    page.write_text(html.render(judgement), encoding="utf-8")
    return page
