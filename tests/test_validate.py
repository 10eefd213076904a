"""Rules over a whole experiment: each broken rule is told at its place, next to all the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.errors import InvalidExperiment, Unsupported
from chaos.plan import plan
from chaos.shipped import load_system
from chaos.targets.base import Capability, Refusal, Terrain
from chaos.validate import check, require

GOOD = """\
title: everything
load: {orders: 20/s}
phases: {baseline: 10s, recovery: 30s}
weak: [idempotency]
probes:
  lag: {sql: select 1, on: db-primary}
  up: {state: edge}
steady_state:
  orders.success_rate: ">= 99.5%"
method:
  - {fault: process.kill, target: storefront-1, at: 0s, for: 20s}
recovers: {within: 20s}
"""


@pytest.fixture
def terrain() -> Terrain:
    return Terrain(load_system(), missing={})


def wrong(folder: Path, text: str, terrain: Terrain) -> list[str]:
    file = folder / "x.yaml"
    file.write_text(text)
    with pytest.raises(InvalidExperiment) as caught:
        check(file, terrain)
    return [f"{each.line}:{each.column}: {each.what}" for each in caught.value.problems]


def place(text: str, part: str) -> str:
    """LINE:COLUMN of the last occurrence of a part of a text."""
    start = text.rindex(part)
    return f"{text.count(chr(10), 0, start) + 1}:{start - text.rfind(chr(10), 0, start)}"


def test_a_good_file(tmp_path: Path, terrain: Terrain) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(GOOD)
    assert check(file, terrain).experiment.title == "everything"


METHOD = "  - {fault: process.kill, target: storefront-1, at: 0s, for: 20s}\n"


@pytest.mark.parametrize(
    ("old", "new", "at", "problem"),
    [
        ("process.kill", "proces.kill", "proces.kill", "there is no fault 'proces.kill'; did you mean 'process.kill'"),
        ("storefront-1", "storefront-3", "storefront-3", "there is no service 'storefront-3'; did you mean"),
        ("storefront-1", "storefronts", "storefronts", "storefronts is a set; write {one of: storefronts} or"),
        ("storefront-1", "{one of: shops}", "shops", "there is no set 'shops'; allowed: "),
        ("storefront-1", "{all of: edge}", "edge", "edge is a service, not a set; write target: edge"),
        ("for: 20s", "for: 0s", "0s}\nrec", "a fault must last longer than 0s"),
        ("for: 20s", "for: 20s, with: {grce: 3s}", "grce", "unknown key 'grce'"),
        (
            "baseline: 10s",
            "baseline: 10s, fault: 15s",
            "20s}\nrec",
            "this fault ends 20s into the fault phase, outside",
        ),
        ("[idempotency]", "[idempotence]", "idempotence", "there is no protection 'idempotence'; did you mean"),
        ("on: db-primary", "on: db-primry", "db-primry", "there is no service 'db-primry'; did you mean 'db-primary'"),
        ("on: db-primary", "on: edge", "edge}\n  up", "edge has no sql port; allowed: db-primary, db-replica-1"),
        ("state: edge", "http: edge", "edge}\nsteady", "a path is missing; write edge/PATH"),
        ("state: edge", "http: db-primary/x", "db-primary/x", "db-primary has no http port; allowed: "),
        ("state: edge", "state: edg", "edg}", "there is no service 'edg'; did you mean 'edge'"),
        ("  up:", "  orders:", "orders: {state", "'orders' cannot name a probe; allowed: a letter, then"),
        ("  up:", "  u.p:", "u.p", "'u.p' cannot name a probe"),
        ("state: edge", "state: edge, every: 0s", "0s}\nsteady", "a probe needs time in between"),
        ("orders.success_rate", "order.success_rate", "order.succ", "there is nothing called 'order' to measure; did"),
        ("orders.success_rate", "orders.sucess_rate", "orders.suc", "there is no measure 'sucess_rate'; did you mean"),
        (
            "orders.success_rate",
            "orders",
            'orders: ">=',
            "orders alone is no measurement; allowed: orders.success_rate",
        ),
        ("orders.success_rate", "browse.success_rate", "browse", "nobody browses, so there is nothing to measure"),
        ("orders.success_rate", "up.value", "up.value", "up has no value, only probes with sql or command have"),
        (">= 99.5%", "< 3s", '"< 3s"', "orders.success_rate is a percentage, as in '>= 99.5%'; '< 3s' is not"),
        (">= 99.5%", ">= 99.5% for 3s", '">= 99', "'for' belongs to abort_if alone"),
        (">= 99.5%", ">= 99.9%", '">= 99.9%"', "orders.success_rate >= 99.9% needs 1000 samples, and the baseline "),
        ("within: 20s", "within: 40s", "40s", "40s is longer than phases.recovery; allowed: at most 30s"),
        ("recovery: 30s", "recovery: 0s", "0s}\nweak", "recovers cannot be judged without a recovery phase"),
        ("baseline: 10s", "baseline: 0s", "0s, rec", "without a baseline nothing can be judged"),
        ("20/s}", "20/s, timeout: 0s}", "0s}\nphases", "a customer waits longer than 0s"),
        (
            METHOD,
            "  - {fault: payment.outage, target: edge, with: {mode: refuse}, for: 20s}\n",
            "edge, with",
            "edge is not a third party; allowed: payments, shipping",
        ),
        (
            METHOD,
            "  - {fault: payment.outage, target: payments, with: {mode: refused}, for: 20s}\n",
            "refused",
            "'refused' is not one of them; did you mean 'refuse'; allowed: refuse, hang, error, slow",
        ),
        (
            METHOD,
            "  - {fault: payment.outage, target: payments, for: 20s}\n",
            "{fault",
            "the key 'mode' is missing: refuse: connections are refused",
        ),
        (
            METHOD,
            "  - {fault: network.loss, target: edge, with: {percent: 10}, for: 20s}\n",
            "10}, for",
            "10 is not a percentage; allowed: 0% to 100%, as in 12.5%",
        ),
        (
            METHOD,
            "  - {fault: network.partition, target: edge, with: {to: [storefronts, db]}, for: 20s}\n",
            "db]",
            "there is no service or set 'db'",
        ),
    ],
)
def test_one_broken_rule_each(tmp_path: Path, terrain: Terrain, old: str, new: str, at: str, problem: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new)
    problems = wrong(tmp_path, text, terrain)
    assert any(each.startswith(f"{place(text, at)}: {problem}") for each in problems), problems


def test_shapes_and_rules_are_told_together(tmp_path: Path, terrain: Terrain) -> None:
    text = """\
title: bad
colour: red
load: {orders: 20/s}
steady_state:
  orders.p98: "< 1s"
method:
  - {fault: payment.outge, target: paymnts, at: 0s, for: 30}
  - {fault: payment.outage, target: payments, with: {mode: refuse}, at: 5s, for: 30s}
phases: {fault: 10s}
recovers: {within: 31s}
"""
    found = [each.partition(";")[0] for each in wrong(tmp_path, text, terrain)]
    assert found == [
        "2:1: unknown key 'colour'",
        "5:3: there is no measure 'p98'",
        "7:13: there is no fault 'payment.outge'",
        "7:36: there is no service 'paymnts'",
        "7:58: 30 is not a duration",
        "8:82: this fault ends 35s into the fault phase, outside phases.fault, which is 10s",
        "10:20: 31s is longer than phases.recovery",
    ]


def test_without_orders_nothing_is_put_to_the_test(tmp_path: Path, terrain: Terrain) -> None:
    text = GOOD.replace("20/s", "0/s")
    assert wrong(tmp_path, text, terrain) == [
        f"{place(text, '0/s')}: without orders nothing is put to the test; allowed: more than 0/s"
    ]


def test_samples_are_counted_in_each_phase_that_is_judged(tmp_path: Path, terrain: Terrain) -> None:
    text = (
        GOOD.replace("for: 20s", "for: 5s").replace("recovery: 30s", "recovery: 9s").replace("within: 20", "within: 9")
    )
    problems = wrong(tmp_path, text, terrain)
    assert [each.partition(" samples, and the ")[2].partition(";")[0] for each in problems] == [
        "fault phase (steady_state holds there too, since there is no while_faulty) has 100 (20/s for 5s)",
        "recovery phase has 180 (20/s for 9s)",
    ]
    assert [each.partition("allowed: ")[2] for each in problems] == ["at least 10s, or 40/s", "at least 10s, or 23/s"]


def test_what_the_machine_lacks_is_told_with_its_remedy(tmp_path: Path, terrain: Terrain) -> None:
    file = tmp_path / "x.yaml"
    method = "  - {fault: network.loss, target: {all of: storefronts}, with: {percent: 10%}, for: 20s}\n"
    file.write_text(GOOD.replace(METHOD, METHOD + method))
    experiment = check(file, terrain).experiment
    timeline = plan(experiment, terrain.system, seed=1)
    require(timeline, terrain)
    lacking = Terrain(terrain.system, {Capability.NETWORK: Refusal("user namespaces are off", "sysctl this")})
    with pytest.raises(Unsupported) as caught:
        require(timeline, lacking)
    assert caught.value.exit == 3
    assert caught.value.remedy == "sysctl this"
    assert caught.value.what.splitlines() == [
        f"network.loss on {name} needs the capability 'network': user namespaces are off"
        for name in ("storefront-1", "storefront-2")
    ]


@pytest.mark.parametrize(("metric", "bound"), [("up.success_rate", "< 50%"), ("lag.value", "> 3")])
def test_abort_if_looks_at_the_load_alone(tmp_path: Path, terrain: Terrain, metric: str, bound: str) -> None:
    text = GOOD + f'abort_if: {{orders.p99: "> 3s for 5s", {metric}: "{bound}"}}\n'
    problems = wrong(tmp_path, text, terrain)
    stream = metric.partition(".")[0]
    what = f"abort_if looks at the load alone, and {stream} is a probe; allowed: orders"
    assert problems == [f"{place(text, metric)}: {what}"]


def test_a_wrong_parameter_does_not_hide_a_wrong_peer(tmp_path: Path, terrain: Terrain) -> None:
    method = "  - {fault: network.loss, target: edge, with: {percent: 150%, to: [storefront1]}, for: 20s}\n"
    found = wrong(tmp_path, GOOD.replace(METHOD, method), terrain)
    assert any("percentage" in each for each in found)
    assert any("'storefront1'; did you mean 'storefront-1'" in each for each in found)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('">= 99.5%"', '">= 0%"', "always holds, so it asks nothing"),
        ('">= 99.5%"', '"<= 100%"', "always holds, so it asks nothing"),
        ('">= 99.5%"', '"> 100%"', "can never hold"),
        ('">= 99.5%"', '"< 0%"', "can never hold"),
        ("orders: 20/s", "orders: 999999/s", "too many for one machine"),
        ("orders: 20/s", "orders: 20/s, timeout: 9999h", "no customer waits that long"),
        ("baseline: 10s", "baseline: 9999h", "allowed: at most 24h"),
        ("recovers:", 'abort_if: {orders.success_rate: "< 50% for 10h"}\nrecovers:', "never true for so long"),
    ],
)
def test_what_proves_nothing_or_is_a_slip_of_the_pen(
    tmp_path: Path, terrain: Terrain, old: str, new: str, problem: str
) -> None:
    found = wrong(tmp_path, GOOD.replace(old, new), terrain)
    assert any(problem in each for each in found), found
