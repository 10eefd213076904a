"""What would make a run look tested, or a fault look guilty, when neither is so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from chaos.errors import Exit
from chaos.observe.samples import Sample
from chaos.verdict import Judgement, Verdict
from tests.judge.world import END, FAULT, LEASE, RECOVERY, World, every, experiment, failed, named, reconciliation

PASSED, FAILED, INCONCLUSIVE = Verdict.PASSED, Verdict.FAILED, Verdict.INCONCLUSIVE
Change = Callable[[World], World]


def short(**changes: object) -> World:
    """The world in which everything was asked to be short: what it has is all too long."""
    return replace(World(), experiment=experiment(**changes))


def fault_for(seconds: float, world: World | None = None) -> World:
    """The fault was on for so long only, as asked for, in a fault phase of ten seconds."""
    asked = [{"fault": "payment.outage", "target": "payments", "with": {"mode": "refuse"}, "for": "1us"}]
    changed = replace(
        world or World(), experiment=experiment(phases={"baseline": "10s", "fault": "10s", "recovery": "20s"})
    )
    changed = replace(
        changed, experiment=changed.experiment.model_copy(update={"method": experiment(method=asked).method})
    )
    return changed.events("intent", for_s=seconds).events("heal", t=FAULT + seconds).events("healed", t=FAULT + seconds)


@pytest.mark.parametrize(
    ("phases", "words"),
    [
        ({"baseline": "9s", "recovery": "20s"}, "the baseline phase lasted 10 s of the 9 s asked for"),
        ({"baseline": "10s", "recovery": "18s"}, "the recovery phase lasted 20 s of the 18 s asked for"),
        ({"baseline": "10s", "fault": "9s", "recovery": "20s"}, "the fault phase lasted 10 s of the 9 s asked for"),
    ],
)
def test_a_phase_that_lasted_too_long(phases: dict[str, str], words: str) -> None:
    judgement = short(phases=phases).judge()
    assert (judgement.verdict, judgement.why) == (INCONCLUSIVE, f"inconclusive: {words}")
    assert named(judgement, "course of the run").verdict is INCONCLUSIVE
    broken = replace(short(phases=phases), reconciliation=reconciliation(orders_none_lost=FAILED)).judge()
    assert broken.verdict is FAILED  # a fact, however long it took
    blamed = short(phases=phases).change(failed, FAULT, RECOVERY).judge()
    assert blamed.verdict is INCONCLUSIVE


def test_a_phase_may_last_a_little_longer() -> None:
    assert short(phases={"baseline": "9.1s", "recovery": "18.6s"}).judge().verdict is PASSED


def test_a_fault_that_was_on_for_too_long() -> None:
    judgement = World().events("intent", for_s=9.0).judge()
    assert judgement.verdict is INCONCLUSIVE
    assert "was on for 10 s of the 9 s asked for" in judgement.why
    assert World().events("intent", for_s=9.1).judge().verdict is PASSED


def test_a_fault_through_which_nothing_flowed() -> None:
    judgement = fault_for(0.11).judge()
    assert judgement.verdict is INCONCLUSIVE
    assert (
        "only 3 of the 100 orders that < 1500ms needs came due while a fault was on"
        in named(judgement, "orders.p99", "fault").why
    )
    assert fault_for(4.69).judge().verdict is INCONCLUSIVE  # needed: 95 of 100, at 20 a second
    assert fault_for(4.71).judge().verdict is PASSED


def test_what_broke_after_the_fault_is_not_blamed_on_it() -> None:
    check = named(fault_for(0.11).change(every(3, failed), FAULT, RECOVERY).judge(), "orders.success_rate", "fault")
    assert check.verdict is INCONCLUSIVE
    check = named(fault_for(6).change(every(3, failed), FAULT, RECOVERY).judge(), "orders.success_rate", "fault")
    assert check.verdict is FAILED


def test_a_fault_that_lapsed_was_not_on_any_more() -> None:
    judgement = World().adding(t=FAULT + 1, event="lapsed", lease=LEASE).judge()
    assert "only 20 of the 100 orders" in named(judgement, "orders.p99", "fault").why


def test_samples_of_a_probe_that_came_due_while_a_fault_was_on() -> None:
    asked = {"lag": {"sql": "select 1", "on": "db-primary", "every": "1s"}}
    world = fault_for(2.5)
    changes = {
        "probes": experiment(probes=asked).probes,
        "while_faulty": experiment(while_faulty={"lag.value": "< 1"}).while_faulty,
    }
    samples = [Sample(float(t), "lag", True, 0.001, 0.5, None) for t in range(int(END))]
    world = replace(world, experiment=world.experiment.model_copy(update=changes), samples=samples)
    assert world.judge().verdict is PASSED  # three: at 12, 13 and 14
    fewer = replace(world.events("heal", t=FAULT + 1.5).events("intent", for_s=1.5)).judge()
    assert "only 2 of the 3 samples of lag that < 1 needs" in named(fewer, "lag.value", "fault").why


@pytest.mark.parametrize("change", [lambda w: w, lambda w: w.change(failed, FAULT, RECOVERY)])
def test_a_service_that_died_of_something_else(change: Change) -> None:
    judgement = change(World()).adding(t=12.34, event="ended", service="edge", code=-9).judge()
    assert (judgement.verdict, judgement.exit) == (INCONCLUSIVE, Exit.INCONCLUSIVE)
    assert judgement.why.startswith("inconclusive: edge ended by itself at 12.3 s, exit code -9")


def test_a_service_that_a_fault_is_aimed_at_may_die_of_it() -> None:
    ended = {"t": 30.0, "event": "ended", "service": "payments", "code": 1}
    assert World().adding(**ended).judge().verdict is PASSED
    assert World().change(failed, FAULT, RECOVERY).adding(**ended).judge().verdict is FAILED


def test_a_broken_invariant_is_a_fact_whatever_else_died() -> None:
    world = replace(World(), reconciliation=reconciliation(orders_none_lost=FAILED))
    assert world.adding(t=12.3, event="ended", service="edge", code=-9).judge().verdict is FAILED


def test_services_that_do_not_serve_in_the_end() -> None:
    judgement = World().adding(t=END, event="services", unready=["edge", "storefront-1"]).judge()
    check = named(judgement, "services")
    assert (check.kind, check.phase, check.verdict) == ("run", "afterwards", INCONCLUSIVE)
    assert judgement.why == "inconclusive: not serving when the recovery was over: edge, storefront-1"
    served = World().adding(t=END, event="services", unready=[]).judge()
    assert (served.verdict, named(served, "services").verdict) == (PASSED, PASSED)
    assert "services" not in {check.name for check in World().judge().checks}


@pytest.mark.parametrize("keys", [{"complete": "no"}, {"complete": 1}, {"complete": None}, {"sent": None}])
def test_a_load_that_does_not_say_that_it_was_whole(keys: dict[str, object]) -> None:
    assert World().events("load", **keys).judge().verdict is INCONCLUSIVE


def left_on(judgement: Judgement) -> list[bool]:
    """Of each fault, whether somebody must take it off."""
    return [window.left_on for window in judgement.faults]


def test_the_alarm_is_for_what_nobody_took_off() -> None:
    stuck = {"t": RECOVERY, "event": "heal_failed", "lease": LEASE, "what": "x", "by_hand": "y"}
    assert left_on(World().judge()) == [False]
    assert left_on(World().without("healed").judge()) == [True]
    assert left_on(World().without("healed").adding(**stuck).judge()) == [True]
    cut_short = World().without("healed", "heal", "done").judge()
    assert left_on(cut_short) == [False]
    assert "ended with the sandbox" in named(cut_short, "payment.outage on payments").why


def test_what_could_not_be_put_on_is_the_first_reason() -> None:
    refused = {"t": FAULT, "event": "inject_failed", "lease": LEASE, "what": "the agent is gone"}
    world = World().without("injected", "heal", "healed").adding(**refused)
    world = replace(
        world, journal=[e if e.get("name") != "recovery" else {**e, "t": FAULT + 0.0028} for e in world.journal]
    )
    judgement = world.judge()
    assert judgement.why.startswith("inconclusive: payment.outage on payments could not be put on: the agent is gone")


def test_another_fault_still_fails_what_it_broke() -> None:
    intent = next(each for each in World().journal if each["event"] == "intent")
    world = World().adding(**{**intent, "lease": "2", "target": "shipping"})
    world = world.adding(t=FAULT, event="inject_failed", lease="2", what="no").adding(
        t=FAULT, event="healed", lease="2", gone=True, effective=False, evidence="it never went on", measured={}
    )
    assert world.judge().verdict is INCONCLUSIVE
    assert world.change(failed, FAULT, RECOVERY).judge().verdict is FAILED
