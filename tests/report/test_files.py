"""The files for programs: report.json, junit.xml, report.md, and all of them in a folder."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from chaos import report
from chaos.errors import Exit
from chaos.report import as_json, junit, markdown
from chaos.verdict import Judgement, Verdict
from tests.report.odd_samples import ALL, HOSTILE, INTERRUPTED, NOT_HEALED, NOTHING
from tests.report.samples import FAILED, INCONCLUSIVE, PASSED

# The JUnit format as Jenkins' schema (junit-10.xsd) has it: element → its attributes (* are required) and its children.
GRAMMAR = {
    "testsuites": ({"name", "time", "tests", "failures", "errors", "disabled"}, {"testsuite"}),
    "testsuite": (
        {"name*", "tests*", "failures", "errors", "time", "skipped", "timestamp", "hostname", "id", "package", "file"},
        {"properties", "testcase", "system-out", "system-err"},
    ),
    "properties": (set(), {"property"}),
    "property": ({"name*", "value*"}, set()),
    "testcase": ({"name*", "classname", "time", "status", "file", "line"}, {"skipped", "error", "failure"}),
    "failure": ({"message", "type"}, set()),
    "error": ({"message", "type"}, set()),
}


def suites(*judgements: Judgement) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(junit.render(judgements)))


@pytest.mark.parametrize("name", [name for name in ALL if name != "hostile"])
def test_json_round_trips(name: str) -> None:
    assert as_json.load(as_json.render(ALL[name])) == ALL[name]


def test_json_of_hostile_text_is_ascii_and_keeps_all_of_it() -> None:
    text = as_json.render(HOSTILE)
    assert text.isascii()
    assert as_json.load(text).title == HOSTILE.title.replace("\ud800", "\ufffd")
    assert json.loads(text)["faults"][0]["measured"]["not_a_number"] is None
    json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))


def test_json_says_its_format_and_enums_by_value() -> None:
    found = json.loads(as_json.render(FAILED))
    assert found["format"] == 1 and found["verdict"] == "failed" and found["exit"] == 1
    assert next(iter(found)) == "format"
    assert set(found) == {"format", *(field.name for field in fields(Judgement))}


def test_json_of_another_format_is_refused_and_newer_fields_are_skipped() -> None:
    found = json.loads(as_json.render(PASSED))
    assert as_json.load(json.dumps({**found, "added_later": 1})) == PASSED
    for wrong in ("[]", "{}", json.dumps({**found, "format": 2}), "no json", json.dumps({**found, "verdict": "great"})):
        with pytest.raises(ValueError):
            as_json.load(wrong)


def test_every_field_of_the_json_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "report-json.md").read_text()
    found = json.loads(as_json.render(FAILED))
    nested = [found[name][0] for name in ("checks", "phases", "faults", "stats", "buckets", "ledger")]
    missing = {name for part in (found, *nested) for name in part if f"`{name}`" not in page}
    assert missing == set()


@pytest.mark.parametrize("name", ALL)
def test_junit_keeps_to_the_schema(name: str) -> None:
    for element in ElementTree.fromstring(junit.render([ALL[name], PASSED])).iter():
        attributes, children = GRAMMAR[element.tag]
        assert set(element.attrib) <= {each.rstrip("*") for each in attributes}
        assert {each[:-1] for each in attributes if each.endswith("*")} <= set(element.attrib)
        assert {child.tag for child in element} <= children
        if element.tag == "testsuite":
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", element.attrib["timestamp"])
            assert next(iter(element)).tag == "properties"
            for tag, name_ in (("failure", "failures"), ("error", "errors")):
                assert len(element.findall(f"testcase/{tag}")) == int(element.attrib[name_])
            assert len(element.findall("testcase")) == int(element.attrib["tests"]) > 0
            assert sum(float(case.attrib["time"]) for case in element.iter("testcase")) == pytest.approx(
                float(element.attrib["time"]), abs=0.01
            )


def test_junit_failed_is_a_failure_and_inconclusive_an_error() -> None:
    failed, inconclusive, passed = suites(FAILED, INCONCLUSIVE, PASSED)
    failures = {case.attrib["name"]: case.find("failure") for case in failed.iter("testcase")}
    broken = failures["afterwards: payments.charged_once 0 violations"]
    assert broken is not None and "charged twice" in broken.attrib["message"]
    assert "order 8f0c2a1e-0003" in (broken.text or "") and "--seed 20261111" in (broken.text or "")
    assert [failed.attrib[name] for name in ("failures", "errors")] == ["3", "0"]
    assert [inconclusive.attrib[name] for name in ("failures", "errors")] == ["0", "2"]
    assert [passed.attrib[name] for name in ("failures", "errors")] == ["0", "0"]
    found = {each.attrib["name"]: each.attrib["value"] for each in failed.iter("property")}
    assert found["seed"] == "20261111" and found["version"] == "0.1.0" and found["verdict"] == "failed"


@pytest.mark.parametrize(
    "judgement",
    [
        NOT_HEALED,
        INTERRUPTED,
        NOTHING,
        replace(PASSED, exit=Exit.NOT_HEALED),
        replace(PASSED, verdict=Verdict.FAILED, exit=Exit.FAILED),
        replace(PASSED, checks=()),
    ],
)
def test_junit_never_shows_a_run_as_a_success_that_was_none(judgement: Judgement) -> None:
    (suite,) = suites(judgement)
    assert int(suite.attrib["failures"]) + int(suite.attrib["errors"]) > 0
    last = suite.findall("testcase")[-1]
    assert last.attrib["name"].startswith("run: the run") and len(last) == 1


def test_junit_of_several_runs_adds_up() -> None:
    root = ElementTree.fromstring(junit.render([FAILED, INCONCLUSIVE, PASSED]))
    assert [root.attrib[name] for name in ("tests", "failures", "errors")] == ["30", "3", "2"]
    assert float(root.attrib["time"]) == pytest.approx(3 * 74.8)
    assert list(ElementTree.fromstring(junit.render([]))) == []


def test_junit_names_the_files_that_could_not_be_run() -> None:
    root = ElementTree.fromstring(
        junit.render([PASSED], {"broken\x1b.yaml": "broken.yaml:3:1: no such key\nallowed: title"})
    )
    assert [root.attrib[name] for name in ("tests", "failures", "errors")] == ["13", "0", "1"]
    suite = root[-1]
    assert suite.attrib["name"] == "broken\\x1b.yaml"
    error = suite.find("testcase/error")
    assert error is not None and error.text == "broken.yaml:3:1: no such key\nallowed: title"


@pytest.mark.parametrize("name", ALL)
def test_markdown_has_its_parts_and_no_others(name: str) -> None:
    """Read with a real CommonMark parser: text from outside makes no heading, link, image, HTML or further cell."""
    judgement = ALL[name]
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown.render(judgement))
    inline = [child for token in tokens for child in token.children or []]
    assert not {token.type for token in (*tokens, *inline)} & {"html_block", "html_inline", "image", "link_open"}
    headings = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"]
    assert judgement.verdict.upper() in headings[0]
    assert headings[1:] == ["Checks", *(["Ledger"] if judgement.ledger else []), "How to reproduce"]
    rows = sum(token.type == "tr_open" for token in tokens)
    cells = sum(token.type in ("td_open", "th_open") for token in tokens)
    ledger = len(judgement.ledger) + 1 if judgement.ledger else 0
    assert rows == len(judgement.checks) + 1 + ledger
    assert cells == 5 * (len(judgement.checks) + 1) + 3 * ledger


def test_markdown_pings_nobody() -> None:
    """Code blocks and spans name people as they are: GitHub mentions nobody from there."""
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown.render(HOSTILE))
    text = [child.content for token in tokens for child in token.children or [] if child.type == "text"]
    assert any("octocat" in words for words in text)
    assert not any("@octocat" in words for words in text)


def test_write_puts_all_four_into_the_folder(tmp_path: Path) -> None:
    page = report.write(FAILED, tmp_path)
    assert page == tmp_path / "report.html"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["junit.xml", "report.html", "report.json", "report.md"]
    assert as_json.load((tmp_path / "report.json").read_bytes()) == FAILED
    ElementTree.parse(tmp_path / "junit.xml")
    report.write(HOSTILE, tmp_path)
    assert as_json.load((tmp_path / "report.json").read_bytes()).run == HOSTILE.run
