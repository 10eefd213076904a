"""A run with a user's own requests in place of orders: what must never let it pass, and what it may fail by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chaos.errors import Exit
from chaos.judge.baseline import checks as baseline_checks
from chaos.load.history import Operation
from chaos.observe.samples import Sample
from chaos.report import facts
from chaos.verdict import Verdict
from tests.judge.world import (
    BASELINE,
    END,
    FAULT,
    LEASE,
    RECOVERY,
    World,
    every,
    experiment,
    failed,
    named,
    timed_out,
)

PASSED, FAILED, INCONCLUSIVE = Verdict.PASSED, Verdict.FAILED, Verdict.INCONCLUSIVE
Change = Callable[[World], World]
READ = {"name": "read", "url": "web/notes", "rate": "20/s"}
WRITE = {"name": "write", "url": "web/notes", "method": "POST", "rate": "5/s", "json": {"text": "note {n}"}}
PROBE = {"lag": {"sql": "select 1", "on": "db-primary", "every": "1s"}}
ON_PROBE = {"lag.value": "< 1"}


def requests() -> list[Operation]:
    """Both streams, evenly spaced, each answered after 20 ms."""
    found = []
    for name, rate in (("read", 20), ("write", 5)):
        for number in range(int(END * rate)):
            due = number / rate
            found.append(Operation(0, name, due, due, due + 0.02, "ok", 200, key=f"{name}-{number}", path="/notes"))
    return [replace(each, op=op) for op, each in enumerate(sorted(found, key=lambda each: each.due))]


def own(**changes: Any) -> World:
    """A run that passes, on a system that has neither orders nor records; its experiment with these changes."""
    asked = {
        "load": {"http": [READ, WRITE]},
        "steady_state": {"read.success_rate": ">= 99.5%", "read.p99": "< 800ms"},
        "while_faulty": {"read.success_rate": ">= 99%", "read.p99": "< 1500ms"},
        "invariants": None,
    }
    world = World(experiment=experiment(**(asked | changes)), operations=requests(), reconciliation=None)
    return world.without("drained", "records").events("load", sent=len(world.operations))


def on_probe_alone() -> World:
    """The same, with nothing asked of the requests themselves: every tolerance is on a probe that is content."""
    samples = [Sample(float(t), "lag", True, 0.001, 0.5, None) for t in range(int(END))]
    return replace(own(probes=PROBE, steady_state=ON_PROBE, while_faulty=ON_PROBE), samples=samples)


def drop(each: Operation) -> None:
    """No such operation."""


def test_a_run_that_went_as_planned_passes() -> None:
    judgement = own().judge()
    assert (judgement.verdict, judgement.exit) == (PASSED, Exit.PASSED), judgement.why
    assert "payment.outage on payments over 250 requests; steady again at once" in judgement.why
    assert {check.verdict for check in judgement.checks} == {PASSED}
    assert named(judgement, "write", "baseline").measured == "50 of 50 answered ok"
    assert on_probe_alone().judge().verdict is PASSED


def test_orders_and_requests_are_counted_apart() -> None:
    asked = experiment(load={"orders": "20/s", "browse": "40/s", "http": [READ, WRITE]})
    operations = [*World().operations, *requests()]
    both = replace(World(), experiment=asked, operations=operations).events("load", sent=len(operations))
    assert "over 200 orders and 250 requests" in both.judge().why


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda w: w.change(every(3, failed), FAULT, RECOVERY, kind="read"),
         "read.success_rate was 66.5% of 200 while faults were on"),
        (lambda w: w.change(failed, FAULT, RECOVERY, kind="read"),
         "not one of 200 requests of read succeeded while faults were on"),
        (lambda w: w.change(every(50, timed_out), FAULT, RECOVERY, kind="read"), "read.success_rate was 98% of 200"),
        (lambda w: w.change(failed, RECOVERY, END, kind="read"), "not steady again 20 s after the last fault"),
    ],
)  # fmt: skip
def test_what_the_faults_broke_fails(change: Change, words: str) -> None:
    judgement = change(own()).judge()
    assert (judgement.verdict, judgement.exit) == (FAILED, Exit.FAILED), judgement.why
    assert words in judgement.why


@pytest.mark.parametrize("world", [own, on_probe_alone])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda w: w.change(failed, BASELINE, FAULT, kind="write"),
         "not one of 50 requests of write succeeded before any fault; most often: 503"),
        (lambda w: w.change(timed_out, 0, END, kind="write"), "most often: timeout"),
        (lambda w: w.change(failed, 0, END, kind="write"), "not one of 50 requests of write succeeded"),
        (lambda w: w.change(drop, BASELINE, FAULT, kind="write"), "there was nothing of write before any fault"),
        (lambda w: w.change(drop, 0, END, kind="write"), "sent less than was asked for: 0 of 50 operations of write"),
        (lambda w: w.change(drop, FAULT, RECOVERY, kind="read"), "sent less than was asked for: 0 of 200"),
        (lambda w: w.change(every(8, drop), FAULT, RECOVERY, kind="read"), "sent less than was asked for: 175 of 200"),
        (lambda w: w.change(lambda each: replace(each, sent=each.due + 0.1), FAULT, RECOVERY, kind="write"),
         "the load generator itself was late, by 100 ms"),
        (lambda w: w.events("load", complete=False), "overloaded"),
        (lambda w: w.without("load"), "the load generator never reported"),
        (lambda w: w.events("load", sent=9999), "of the 9,999 operations"),
        (lambda w: replace(w, operations=[]), "the load generator never sent anything"),
        (lambda w: w.events("healed", effective=False), "no measured effect"),
    ],
)  # fmt: skip
def test_what_proves_nothing_is_inconclusive(world: Callable[[], World], change: Change, words: str) -> None:
    judgement = change(world()).judge()
    assert (judgement.verdict, judgement.exit) == (INCONCLUSIVE, Exit.INCONCLUSIVE), judgement.why
    assert any(words in text for text in (judgement.why, *(check.why for check in judgement.checks))), judgement.why


def test_a_fault_during_which_no_request_came_due() -> None:
    """Between two requests, with nothing asked of them that would notice."""
    brief = on_probe_alone().events("injected", t=FAULT + 0.01).events("heal", t=FAULT + 0.04)
    brief = brief.events("intent", for_s=0.04).events("healed", t=FAULT + 0.04)
    judgement = brief.judge()
    assert judgement.verdict is INCONCLUSIVE
    assert "no request came due while payment.outage on payments was on" in named(judgement, "load", "fault").why
    longer = brief.events("heal", t=FAULT + 0.06).events("healed", t=FAULT + 0.06).events("intent", for_s=0.06)
    assert named(longer.judge(), "load", "fault").verdict is PASSED


def test_each_fault_must_be_felt_and_not_only_the_first() -> None:
    second = {"fault": "payment.outage", "target": "shipping", "for_s": 0.03, "seed": 8, "lease": "2"}
    world = (
        on_probe_alone()
        .adding(t=FAULT + 5.01, event="intent", **second)
        .adding(t=FAULT + 5.01, event="injected", lease="2", active=True)
        .adding(t=FAULT + 5.04, event="heal", lease="2")
        .adding(t=FAULT + 5.04, event="healed", lease="2", gone=True, effective=True, evidence="7 refused")
    )
    judgement = world.judge()
    assert judgement.verdict is INCONCLUSIVE
    assert "while payment.outage on shipping was on" in judgement.why


def test_what_never_succeeded_is_not_blamed_on_the_faults() -> None:
    """The tolerance looks at writes only while faults are on; they were broken all along."""
    world = own(while_faulty={"write.success_rate": ">= 90%"}).change(failed, 0, END, kind="write")
    judgement = world.judge()
    assert judgement.verdict is INCONCLUSIVE
    assert "cannot be blamed on the faults" in named(judgement, "write.success_rate", "fault").why
    sound = own(while_faulty={"write.success_rate": ">= 90%"}).change(failed, FAULT, RECOVERY, kind="write")
    assert sound.judge().verdict is FAILED


def test_too_few_requests_while_a_fault_was_on() -> None:
    judgement = own().adding(t=FAULT + 1, event="lapsed", lease=LEASE).judge()
    assert "only 20 of the 100 requests of read" in named(judgement, "read.p99", "fault").why


def test_nothing_is_injected_where_a_stream_never_succeeds() -> None:
    def reasons(world: World) -> list[str]:
        until = [each for each in world.journal if each["t"] < FAULT]
        seen = [each for each in world.operations if each.due < FAULT]
        found = baseline_checks(world.experiment, [*until, {"t": FAULT, "event": "x"}], seen, ())
        return [check.why for check in found if check.verdict is not PASSED]

    assert reasons(own()) == []
    (reason,) = reasons(own().change(failed, 0, END, kind="write"))
    assert reason == "not one of 50 requests of write succeeded before any fault; most often: 503"


def test_streams_are_shown_in_the_order_of_the_file_and_probes_after_them() -> None:
    world = replace(on_probe_alone(), experiment=own(probes=PROBE, load={"http": [WRITE, READ]}).experiment)
    judgement = world.judge()
    assert facts.streams(judgement) == ["write", "read", "lag"]
    assert [facts.heading(each) for each in ("orders", "browse", "readAll")] == ["Orders", "Browse", "readAll"]
