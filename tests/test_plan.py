"""The timeline: drawn from the seed alone, in order, and described in words."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.model import Experiment
from chaos.plan import Plan, describe, describe_steps, plan, summary
from chaos.shipped import load_system


def experiment(*method: dict[str, Any], **more: Any) -> Experiment:
    return Experiment.model_validate(
        {
            "title": "a title",
            "load": {"orders": "20/s", "browse": "5/s"},
            "phases": {"warmup": "1s", "baseline": "10s", "recovery": "20s"},
            "steady_state": {"orders.success_rate": ">= 99%"},
            "method": list(method),
            **more,
        }
    )


def planned(*method: dict[str, Any], seed: int = 1, **more: Any) -> Plan:
    return plan(experiment(*method, **more), load_system(), seed)


def kill(target: Any, at: str = "0s", lasts: str = "5s") -> dict[str, Any]:
    return {"fault": "process.kill", "target": target, "at": at, "for": lasts}


def test_steps_are_ordered_by_their_start() -> None:
    steps = planned(kill("edge", at="9s"), kill("worker", at="1s"), kill("cache", at="9s")).steps
    assert [(step.at_s, step.service) for step in steps] == [(1, "worker"), (9, "edge"), (9, "cache")]
    assert [step.lease_id for step in steps] == [
        "2-process.kill-worker",
        "1-process.kill-edge",
        "3-process.kill-cache",
    ]


def test_phases_follow_each_other() -> None:
    made = planned(kill("edge", at="9s"), kill("worker", at="1s", lasts="30s"))
    assert [(each.name, each.start, each.end) for each in made.phases] == [
        ("warmup", 0, 1),
        ("baseline", 1, 11),
        ("fault", 11, 42),
        ("recovery", 42, 62),
    ]
    assert made.total_s == 62


def test_a_given_fault_phase_counts() -> None:
    assert planned(kill("edge"), phases={"fault": "25s"}).fault_s == 25


def test_the_same_seed_draws_the_same() -> None:
    acts = [kill({"one of": "storefronts"}, at=f"{10 * n}s") for n in range(20)]
    first, again, other = planned(*acts, seed=7), planned(*acts, seed=7), planned(*acts, seed=8)
    assert first.steps == again.steps
    assert [step.service for step in first.steps] != [step.service for step in other.steps]
    assert {step.service for step in first.steps} == {"storefront-1", "storefront-2"}
    assert len({step.seed for step in first.steps}) == 20


def test_an_act_draws_the_same_whatever_stands_after_it() -> None:
    act = kill({"one of": "storefronts"})
    assert planned(act).steps[0] == planned(act, kill("edge", at="9s")).steps[0]


@pytest.mark.parametrize(("percent", "count"), [("1%", 1), ("50%", 1), ("75%", 2), ("100%", 2)])
def test_a_share_of_a_set(percent: str, count: int) -> None:
    for seed in range(10):
        steps = planned(kill({"percent of": "replicas", "percent": percent}), seed=seed).steps
        assert len({step.service for step in steps}) == len(steps) == count


def test_every_member_of_a_set() -> None:
    steps = planned(kill({"all of": "storefronts"})).steps
    assert [step.service for step in steps] == ["storefront-1", "storefront-2"]


def test_the_description_says_when_what_and_how_it_is_undone() -> None:
    made = planned(
        {"fault": "payment.outage", "target": "payments", "with": {"mode": "hang"}, "at": "2s", "for": "5s"},
        seed=99,
        weak=["deferral"],
        recovers={"within": "10s"},
        invariants=["orders.none_lost"],
        abort_if={"orders.success_rate": "< 50% for 3s"},
    )
    text = describe(made)
    assert "lasts 38s, seed 99, 20/s orders, 5/s pages" in text
    assert "switched off in the shop: deferral" in text
    assert "13.0 s  payment.outage on payments for 5s" in text
    assert "accepts requests and never answers" in text
    assert "at 18.0 s: the third party is told to behave" in text
    assert "heal if    orders.success_rate < 50% for 3s" in text
    assert "steady_state, within 10s and from then on" in text
    assert text.index("baseline") < text.index("payment.outage") < text.index("recovery") < text.index("none_lost")
    (line,) = describe_steps(made)
    assert line.startswith("planned: payment.outage on payments for 5s, 2s into the fault phase")
    assert line.endswith("payments accepts requests and never answers")


def test_the_summary_counts() -> None:
    made = planned(kill({"all of": "storefronts"}), recovers={"within": "9s"}, invariants=["orders.none_lost"])
    assert summary(made) == "a title — 2 faults, 4 checks, lasts 36s"
