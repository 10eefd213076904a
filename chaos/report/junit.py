"""junit.xml: one test suite per experiment, one test case per check, as CI systems read it.

`failed` is a <failure>. `inconclusive` is an <error>, not <skipped>: CI systems count a skipped test as a success,
and a run that proves nothing is none. Where the run ended in a way that outranks its checks (a fault left on, an
interruption) or no check explains the verdict, a further test case named "the run" carries it, so that no file
without a failure or an error comes from a run that did not pass. Durations are seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from xml.etree import ElementTree

from chaos.errors import Exit
from chaos.report import facts
from chaos.report.text import clean, one_line
from chaos.verdict import Check, Judgement, Verdict

_TAGS = {Verdict.FAILED: "failure", Verdict.INCONCLUSIVE: "error"}


def render(judgements: Sequence[Judgement], not_run: Mapping[str, str] | None = None) -> bytes:
    """One UTF-8 file for all the judgements, in their order, then for what could not be run (file → why), as errors."""
    suites = [_suite(judgement) for judgement in judgements]
    suites += [_not_run(file, why) for file, why in (not_run or {}).items()]
    root = ElementTree.Element("testsuites", {"name": "chaos", **_totals(suites)})
    root.set("time", f"{sum(judgement.duration_s for judgement in judgements):.3f}")
    root.extend(suites)
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return text + b"\n"


def _suite(judgement: Judgement) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", name=one_line(judgement.title) or one_line(judgement.run))
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in _properties(judgement):
        ElementTree.SubElement(properties, "property", name=name, value=one_line(value))
    checks = [*judgement.checks, *_unexplained(judgement)]
    for number, check in enumerate(checks):
        # The checks share one run: the first carries its time, so that the sum is right.
        suite.append(_case(judgement, check, judgement.duration_s if number == 0 else 0.0))
    suite.attrib.update(_counts(checks))
    suite.set("time", f"{judgement.duration_s:.3f}")
    suite.set("timestamp", one_line(judgement.started)[:19])  # the schema knows no zone; it is UTC
    suite.set("hostname", "localhost")
    return suite


def _not_run(file: str, why: str) -> ElementTree.Element:
    counts = {"tests": "1", "failures": "0", "errors": "1", "skipped": "0", "time": "0.000"}
    suite = ElementTree.Element("testsuite", {"name": one_line(file), **counts})
    case = ElementTree.SubElement(suite, "testcase", classname="chaos", name="the run", time="0.000")
    ElementTree.SubElement(case, "error", type="run", message=one_line(why)).text = clean(why)
    return suite


def _case(judgement: Judgement, check: Check, time_s: float) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase",
        classname=one_line(f"chaos.{judgement.run}"),
        name=one_line(f"{check.phase}: {check.name} {check.expected}"),
        time=f"{time_s:.3f}",
    )
    if check.verdict in _TAGS:
        outcome = ElementTree.SubElement(case, _TAGS[check.verdict], type=check.kind, message=one_line(check.why))
        lines = [f"expected: {check.expected}", f"measured: {check.measured}", f"samples: {check.samples}"]
        lines += [f"example: {example}" for example in check.examples]
        lines.append(f"again: {facts.command_with_seed(judgement)}")
        outcome.text = "\n".join(clean(line) for line in lines)
    return case


def _unexplained(judgement: Judgement) -> list[Check]:
    outranked = facts.ended(judgement)
    if judgement.exit is Exit.PASSED and judgement.checks:
        return []
    if not outranked and any(check.verdict is not Verdict.PASSED for check in judgement.checks):
        return []
    by_hand = tuple(facts.by_hand(fault) for fault in facts.still_on(judgement))
    verdict = judgement.verdict if judgement.verdict is Verdict.FAILED and not outranked else Verdict.INCONCLUSIVE
    measured = f"{outranked or judgement.verdict}; exit code {int(judgement.exit)}"
    return [Check("the run", "run", "run", verdict, "passes", measured, judgement.why, examples=by_hand)]


def _properties(judgement: Judgement) -> list[tuple[str, object]]:
    return [
        ("verdict", judgement.verdict.value),
        ("exit", int(judgement.exit)),
        ("why", judgement.why),
        ("seed", judgement.seed),
        ("version", judgement.version),
        ("platform", judgement.platform),
        ("weak", ", ".join(judgement.weak)),
        ("tags", ", ".join(judgement.tags)),
        ("again", facts.command_with_seed(judgement)),
    ]


def _counts(checks: Iterable[Check]) -> dict[str, str]:
    verdicts = [check.verdict for check in checks]
    return {
        "tests": str(len(verdicts)),
        "failures": str(verdicts.count(Verdict.FAILED)),
        "errors": str(verdicts.count(Verdict.INCONCLUSIVE)),
        "skipped": "0",
    }


def _totals(suites: Sequence[ElementTree.Element]) -> dict[str, str]:
    return {name: str(sum(int(suite.get(name, "0")) for suite in suites)) for name in ("tests", "failures", "errors")}
