"""One change to a run that passes → the verdict, the exit code and the reason that it must have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from chaos.errors import Exit
from chaos.verdict import Judgement, Verdict
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
    reconciliation,
    slow,
    timed_out,
)

PASSED, FAILED, INCONCLUSIVE = Verdict.PASSED, Verdict.FAILED, Verdict.INCONCLUSIVE
Change = Callable[[World], World]


def has(judgement: Judgement, verdict: Verdict, code: Exit, *words: str) -> None:
    """The verdict, the exit code, and words that its reason must have."""
    assert (judgement.verdict, judgement.exit) == (verdict, code), judgement.why
    assert judgement.why.startswith(f"{verdict}: ")
    for word in words:
        assert word in judgement.why


def test_a_run_that_went_as_planned_passes() -> None:
    judgement = World().judge()
    has(judgement, PASSED, Exit.PASSED, "payment.outage on payments", "200 orders", "steady again at once")
    assert {check.verdict for check in judgement.checks} == {PASSED}
    assert [phase.name for phase in judgement.phases] == ["warmup", "baseline", "fault", "recovery"]
    assert judgement.time_to_recover_s == 0.0
    assert (judgement.seed, judgement.version, judgement.started) == (7, "1.2.3", "2026-11-22T10:00:00Z")
    (window,) = judgement.faults
    assert (window.start, window.end, window.healed, window.effective) == (FAULT, RECOVERY, True, True)


def test_it_is_the_same_however_often_it_is_judged() -> None:
    assert World().judge() == World().judge()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda w: w.change(every(3, failed), FAULT, RECOVERY),
         "orders.success_rate was 66.5% of 200 while faults were on"),
        (lambda w: w.change(failed, FAULT, RECOVERY), "not one of 200 orders succeeded while faults were on"),
        (lambda w: w.change(every(20, slow(1.6)), FAULT, RECOVERY), "orders.p99 was 1.6 s of 200"),
        (lambda w: w.change(every(50, timed_out), FAULT, RECOVERY), "also broken: orders.p99"),
        (lambda w: w.change(failed, RECOVERY, RECOVERY + 9),
         "steady again 9 s after the last fault, and must be within 8 s"),
        (lambda w: w.change(failed, RECOVERY, END), "not steady again 20 s after the last fault"),
        (lambda w: replace(w, reconciliation=reconciliation(orders_none_lost=FAILED)), "orders.none_lost"),
        (lambda w: w.adding(t=20.0, event="aborted", metric="orders.p99", tolerance="> 5s for 3s", value=5.2),
         "aborted: "),
    ],
)  # fmt: skip
def test_what_the_faults_broke_fails(change: Change, words: str) -> None:
    has(change(World()).judge(), FAILED, Exit.FAILED, words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda w: w.change(every(10, failed), BASELINE, FAULT),
         "the baseline was never steady: orders.success_rate was 90%"),
        (lambda w: w.without("intent", "injected", "heal", "healed").change(slow(2), BASELINE, FAULT),
         "and must be < 800ms; nothing was injected"),
        (lambda w: w.change(lambda each: None, BASELINE, FAULT), "there was nothing of orders before any fault"),
        (lambda w: w.change(lambda each: None, FAULT, RECOVERY), "sent less than was asked for: 0 of 200"),
        (lambda w: w.change(every(8, lambda each: None), FAULT, RECOVERY), "sent less than was asked for: 175 of 200"),
        (lambda w: w.events("load", lag_p99_s=0.051), "the load generator itself was late, by 51 ms"),
        (lambda w: w.change(lambda each: replace(each, sent=each.due + 0.1), FAULT, RECOVERY),
         "itself was late, by 100 ms"),
        (lambda w: w.events("load", complete=False), "overloaded"),
        (lambda w: w.change(lambda e: replace(e, result="failed", error="generator overloaded", sent=None), 15, 16),
         "overloaded and did not send 20 operations"),
        (lambda w: w.without("load"), "the load generator never reported"),
        (lambda w: w.events("load", sent=2521), "holds 2,520 of the 2,521 operations"),
        (lambda w: w.change(lambda each: replace(each, result="unknown", error="never ended", end=None), 41.9),
         "does not say how 2 operations ended"),
        (lambda w: w.without("intent", "injected", "heal", "healed"), "payment.outage stands 1 time in the method"),
        (lambda w: w.without("injected", "healed").adding(t=12.0, event="inject_failed", lease=LEASE, what="refused"),
         "could not be put on: refused"),
        (lambda w: w.events("injected", active=False), "the system itself did not show it"),
        (lambda w: w.events("healed", effective=False, evidence="0 requests refused"), "no measured effect"),
        (lambda w: w.events("heal", t=12.5), "was on for 500 ms of the 10 s asked for"),
        (lambda w: w.events("drained", drained=False), "the backlog had not drained"),
        (lambda w: w.without("drained"), "nobody waited for the backlog"),
        (lambda w: w.events("records", rows=841), "841 orders were read, and the file holds 840"),
        (lambda w: w.adding(t=43.5, event="records", name="charges", error="connection refused"),
         "the charges could not be read: connection refused"),
        (lambda w: replace(w, reconciliation=None), "the systems of record were never read"),
        (lambda w: w.without("done"), "the run was cut short at t=44.0 s"),
        (lambda w: w.adding(t=43.0, event="error", what="the disk is full", remedy="", exit=3), "the disk is full"),
        (lambda w: replace(w, journal=[]), "the run was cut short at t=0.0 s"),
        (lambda w: replace(w, operations=[]), "there was nothing of orders"),
        (lambda w: replace(w, experiment=experiment(while_faulty={}, recovers=None, invariants=[])), "asks nothing"),
        (lambda w: replace(w, experiment=experiment(phases={"baseline": "10s", "recovery": "30s"})),
         "the recovery phase lasted 20 s of the 30 s"),
        (lambda w: replace(w, experiment=experiment(phases={"baseline": "20s", "recovery": "20s"})),
         "too early to say"),
    ],
)  # fmt: skip
def test_what_proves_nothing_is_inconclusive(change: Change, words: str) -> None:
    judgement = change(World()).judge()
    assert judgement.verdict is INCONCLUSIVE
    assert judgement.exit in (Exit.INCONCLUSIVE, Exit.NOT_HEALED)
    assert any(words in text for text in (judgement.why, *(check.why for check in judgement.checks))), judgement.why


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda w: w.without("healed").adding(t=22.0, event="heal_failed", lease=LEASE, what="x", by_hand="y"),
         Exit.NOT_HEALED),
        (lambda w: w.without("healed"), Exit.NOT_HEALED),
        (lambda w: w.events("healed", gone=False), Exit.NOT_HEALED),
        (lambda w: w.without("healed", "done"), Exit.INCONCLUSIVE),
        (lambda w: w.adding(t=41.0, event="interrupted", signal="SIGINT"), Exit.INTERRUPTED),
        (lambda w: w.adding(t=41.0, event="interrupted", signal="SIGINT").without("healed"), Exit.NOT_HEALED),
        (lambda w: w.adding(t=41.0, event="error", what="db-primary ended", remedy="", exit=5), Exit.NO_SANDBOX),
        (lambda w: w.adding(t=41.0, event="error", what="x", remedy="", exit=0), Exit.INCONCLUSIVE),
        (lambda w: w.adding(t=41.0, event="error", what="x", remedy="", exit=77), Exit.INCONCLUSIVE),
    ],
)  # fmt: skip
def test_exit_codes_that_outrank_the_verdict(change: Change, code: Exit) -> None:
    has(change(World()).judge(), INCONCLUSIVE, code)


def test_a_fault_that_was_not_healed_says_what_to_do_by_hand() -> None:
    world = (
        World()
        .without("healed")
        .adding(t=22.0, event="heal_failed", lease=LEASE, what="stopped", by_hand="kill -CONT 7")
    )
    judgement = world.judge()
    assert judgement.faults[0].by_hand == "kill -CONT 7"
    assert "not known to be gone: stopped" in judgement.why


def test_an_interrupted_run_that_had_already_failed_has_failed() -> None:
    world = World().change(failed, FAULT, RECOVERY).adding(t=43.0, event="interrupted", signal="SIGTERM")
    has(world.judge(), FAILED, Exit.INTERRUPTED, "not one of 200 orders")


@pytest.mark.parametrize(
    "doubt",
    [
        lambda w: w.change(every(10, failed), BASELINE, FAULT),
        lambda w: w.events("load", lag_p99_s=0.2),
        lambda w: w.events("load", sent=9999),
        lambda w: w.events("healed", effective=False),
        lambda w: w.adding(t=43.0, event="error", what="the disk is full", remedy="", exit=3),
    ],
)
def test_what_was_broken_under_doubt_is_not_blamed_on_the_faults(doubt: Change) -> None:
    world = doubt(World().change(failed, FAULT, RECOVERY))
    judgement = world.judge()
    has(judgement, INCONCLUSIVE, Exit.INCONCLUSIVE, "not one of 200 orders succeeded", "which therefore proves nothing")
    assert "cannot be blamed on the faults" in named(judgement, "orders.success_rate", "fault").why


def test_what_ended_a_run_before_its_baseline_is_the_reason() -> None:
    error = {"t": 1.0, "event": "error", "what": "db-primary would not start", "remedy": "", "exit": 5}
    done = {"t": 1.0, "event": "done"}
    world = World(journal=[*World().journal[:2], error, done], operations=[], reconciliation=None)
    has(world.judge(), INCONCLUSIVE, Exit.NO_SANDBOX, "the run broke off at t=1.0 s: db-primary would not start")
    killed = World(journal=World().journal[:2], operations=[], reconciliation=None).judge()
    has(killed, INCONCLUSIVE, Exit.INCONCLUSIVE, "the run was cut short at t=0.0 s")
    assert PASSED not in {check.verdict for check in killed.checks}


def test_a_lost_order_is_a_fact_even_when_the_generator_was_late() -> None:
    world = replace(World(), reconciliation=reconciliation(orders_none_lost=FAILED)).events("load", lag_p99_s=0.2)
    has(world.judge(), FAILED, Exit.FAILED, "orders.none_lost")


def test_a_lost_order_while_a_fault_is_left_on_is_not_yet_a_fact() -> None:
    world = replace(World(), reconciliation=reconciliation(orders_none_lost=FAILED)).without("healed")
    has(world.judge(), INCONCLUSIVE, Exit.NOT_HEALED)


def test_invariants_prove_nothing_where_no_order_succeeded() -> None:
    judgement = World().change(failed, 0, END).judge()
    assert "not one order was answered ok" in named(judgement, "orders.none_lost").why
    assert judgement.verdict is INCONCLUSIVE  # the baseline too


def test_an_invariant_that_was_asked_for_and_is_not_in_the_reconciliation_is_inconclusive() -> None:
    world = replace(World(), experiment=experiment(invariants=["stock.conserved"]))
    has(world.judge(), INCONCLUSIVE, Exit.INCONCLUSIVE, "stock.conserved")


def test_a_healing_that_worked_at_the_second_attempt_is_a_healing() -> None:
    tried_again = [e for e in World().journal if e["event"] != "healed"]
    failed_first = {"t": 21.5, "event": "heal_failed", "lease": LEASE, "what": "x", "by_hand": "y"}
    healed = next(e for e in World().journal if e["event"] == "healed")
    journal = sorted([*tried_again, failed_first, {**healed, "t": 21.9}], key=lambda e: e["t"])
    has(replace(World(), journal=journal).judge(), PASSED, Exit.PASSED)


def test_what_the_load_did_not_ask_for_is_not_missed() -> None:
    world = replace(World(), experiment=experiment(load={"orders": "20/s"}))
    has(world.change(lambda each: None, kind="browse").events("load", sent=840).judge(), PASSED, Exit.PASSED)


def test_recovery_that_nobody_asked_for_is_measured_and_noted() -> None:
    world = replace(World(), experiment=experiment(recovers=None)).change(failed, RECOVERY, RECOVERY + 4)
    judgement = world.judge()
    has(judgement, PASSED, Exit.PASSED)
    assert judgement.time_to_recover_s == 4.0
    assert any("steady again 4 s" in note for note in judgement.notes)
    never = replace(World(), experiment=experiment(recovers=None)).change(failed, RECOVERY, END).judge()
    assert never.time_to_recover_s is None
    assert any("not seen again" in note for note in never.notes)
