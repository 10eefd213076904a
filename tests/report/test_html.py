"""The page: complete, offline, safe, small, readable by colour-blind people and by screen readers."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from chaos.report import chart, facts, html
from chaos.verdict import Judgement
from tests.report.odd_samples import ALL, HOSTILE, LONG, NOT_HEALED
from tests.report.samples import FAILED, INCONCLUSIVE, PASSED, PHASES

VOID = {"meta", "br"}
BYTES_MAX = 300_000


class Page(HTMLParser):
    """Element names, attributes and text; fails on tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text += data


@pytest.mark.parametrize("name", ALL)
def test_the_page_is_whole_offline_and_small(name: str) -> None:
    text = html.render(ALL[name])
    page = Page(text)
    assert len(text.encode()) < BYTES_MAX
    assert page.tags["script"] == page.tags["link"] == page.tags["img"] == page.tags["iframe"] == 0
    assert not [each for each in page.attributes if each[1] in ("src", "href", "action") or each[1].startswith("on")]
    assert "url(" not in text and "@import" not in text
    assert "Content-Security-Policy" in text


@pytest.mark.parametrize("name", ALL)
def test_the_same_judgement_gives_the_same_page(name: str) -> None:
    assert html.render(ALL[name]) == html.render(ALL[name])


@pytest.mark.parametrize("judgement", [PASSED, FAILED, INCONCLUSIVE], ids=lambda each: str(each.verdict))
def test_the_page_says_everything(judgement: Judgement) -> None:
    shown = " ".join(Page(html.render(judgement)).text.split())
    for words in (judgement.verdict.upper(), judgement.title, facts.why(judgement), judgement.description,
                  judgement.platform, judgement.started, str(judgement.seed), judgement.version):  # fmt: skip
        assert words in shown
    for check in judgement.checks:
        assert check.name in shown and check.expected in shown and check.measured in shown
        if check.verdict != "passed":
            assert check.why in shown and all(example in shown for example in check.examples)
    for fault in judgement.faults:
        assert fault.fault in shown and fault.target in shown and fault.evidence in shown and facts.when(fault) in shown
    for row in judgement.ledger:
        assert f"{row.what}{row.count:,}{row.source}" in shown.replace(" ", " ")
    for words in (*judgement.weak, *judgement.notes, facts.command_with_seed(judgement)):
        assert words in shown


def test_a_fault_that_was_not_healed_comes_first_with_what_to_type() -> None:
    shown = Page(html.render(NOT_HEALED)).text
    assert shown.index("kill -CONT 4711") < shown.index("What was put to the test")
    assert "a fault could not be taken off" in shown
    unknown = replace(NOT_HEALED, faults=(replace(NOT_HEALED.faults[0], by_hand=""),))
    assert "start worker again" in Page(html.render(unknown)).text
    assert "not known to be off" not in Page(html.render(FAILED)).text


def test_text_from_outside_stays_text() -> None:
    text = html.render(HOSTILE)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
    assert "\\x1b[2J" in text and "\\u202e" in text and "{{ 7*7 }}" in text
    assert "&lt;script&gt;" in text


def test_the_chart_shades_faults_marks_phases_and_draws_tolerances() -> None:
    success, latency = chart.panels(FAILED, "orders")
    for drawing in (success.wide, success.narrow, latency.wide, latency.narrow):
        assert drawing.count('class="band"') == len(FAILED.faults)
        assert drawing.count('class="phase-start"') == len(PHASES)
        assert drawing.count('class="bound"') == 2
        assert 'role="img"' in drawing and "aria-label" in drawing
    assert "payment.outage on payments" in success.wide and "&gt;= 99%" in success.wide
    assert "lowest 45%" in success.summary
    assert latency.wide.count('class="line-p50"') == latency.wide.count('class="line-p99"') == 1


def test_fault_bands_stand_where_the_axis_says() -> None:
    drawing = chart.panels(FAILED, "orders")[0].wide
    ticks = {int(t): float(x) for x, t in re.findall(r'<text x="([\d.]+)" y="[\d.]+"[^>]*>(\d+) s<', drawing)}
    unit = (ticks[60] - ticks[0]) / 60
    left, width = (
        float(each) for each in re.findall(r'class="band" x="([\d.]+)" y="0.0" width="([\d.]+)"', drawing)[0]
    )
    assert left == pytest.approx(ticks[0] + 12.03 * unit, abs=0.2)
    assert width == pytest.approx((42.04 - 12.03) * unit, abs=0.2)


def test_an_hour_keeps_to_its_points_and_names_five_faults_at_a_time() -> None:
    drawing = chart.panels(LONG, "orders")[1].wide
    lines = re.findall(r'<path d="M([\d. L-]+)" class="line', drawing)
    assert lines and all(len(line.split()) / 2 <= 601 for line in lines)
    assert drawing.count('class="band"') == 25
    many = replace(LONG, faults=tuple(replace(each, start=600.0, end=900.0) for each in LONG.faults))
    assert chart.panels(many, "orders")[0].wide.count('class="bar"') == 5


def test_traffic_that_is_all_alike_can_be_drawn() -> None:
    flat = replace(PASSED, buckets=tuple(replace(each, ok=1, failed=0, unknown=0, p50_s=0.01, p99_s=0.01)
                                         for each in PASSED.buckets[:1]))  # fmt: skip
    assert len(chart.panels(flat, "orders")) == 2
    dead = replace(PASSED, buckets=tuple(replace(each, ok=0, failed=3, p50_s=None, p99_s=None)
                                         for each in PASSED.buckets[:9]))  # fmt: skip
    assert [panel.title for panel in chart.panels(dead, "orders")] == ["Success rate"]


def test_colours_keep_to_contrast_aa() -> None:
    css = (files("chaos.report") / "report.css").read_text()
    schemes = [
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{(.*?)\}", css, re.S)
    ]
    assert len(schemes) == 3, "light, dark and print"
    pairs = [
        ("ink", "page"),
        ("ink", "panel"),
        ("soft", "page"),
        ("soft", "panel"),
        ("bar-ink", "bar"),
        ("bound", "panel"),
    ]
    for verdict in ("passed", "failed", "inconclusive"):
        pairs += [
            (verdict, f"{verdict}-tint"),
            ("ink", f"{verdict}-tint"),
            ("soft", f"{verdict}-tint"),
            (verdict, "page"),
        ]
    for scheme in schemes:
        for front, back in pairs:
            assert contrast(scheme[front], scheme[back]) >= 4.5, (front, back)
        for line in ("line", "line-tail"):
            assert contrast(scheme[line], scheme["panel"]) >= 3, line


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio of two #rrggbb colours."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
