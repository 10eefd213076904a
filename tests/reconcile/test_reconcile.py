"""A consistent world passes; broken in any single way, the right invariant fails and names the offender."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from chaos.errors import ChaosError
from chaos.model import Invariant
from chaos.reconcile import reconcile
from chaos.reconcile.outcome import NEEDS
from chaos.reconcile.rules import RULES
from chaos.verdict import Verdict
from tests.reconcile.world import SKUS, World, broken, by_name, cents, charge, counts, operation, order, shipment, stock

Break = Callable[[World], None]


def test_a_consistent_world_keeps_everything(tmp_path: Path) -> None:
    found = World().reconcile(tmp_path)
    assert {check.name: check.verdict for check in found.checks} == dict.fromkeys(Invariant, Verdict.PASSED)
    assert all(check.samples > 0 for check in found.checks)
    assert counts(found)["orders answered ok"] == counts(found)["orders in the database"] == 30
    assert counts(found)["charges that took money"] == counts(found)["shipments"] == 30
    assert counts(found)["units sold"] + counts(found)["units left in stock"] == 3000
    assert found.notes == ()
    assert found.rows == {"orders": 30, "charges": 30, "shipments": 30, "stock": 3, "replicas": 6}


def test_every_invariant_has_a_rule_and_its_needs() -> None:
    assert set(RULES) == set(NEEDS) == set(Invariant)


def _lose_order(world: World) -> None:
    """Gone as if it had never been: only the history knows of it."""
    world.orders, world.charges, world.shipments = world.orders[1:], world.charges[1:], world.shipments[1:]
    world.stock = stock(world.orders)


def _cancel(world: World) -> None:
    world.orders[4]["status"] = "cancelled"
    world.charges.pop(4)
    world.shipments.pop(4)
    world.stock = stock(world.orders)


def _other_amount(world: World) -> None:
    world.orders[3]["amount_cents"] += 1
    world.charges[3]["amount_cents"] += 1


def _other_lines(world: World) -> None:
    world.orders[2]["lines"][0]["quantity"] += 1
    world.stock = stock(world.orders)


def _other_key(world: World) -> None:
    world.orders[2]["idempotency_key"] = "key-3"
    world.orders[3]["idempotency_key"] = "key-2"


def _double_order(world: World) -> None:
    world.orders.append(order(5, order_id="order-5b"))
    world.charges.append(charge(5, order_id="order-5b", charge_id="charge-5b"))
    world.shipments.append(shipment(5, order_id="order-5b", shipment_id="shipment-5b"))
    world.stock = stock(world.orders)


def _pending(world: World) -> None:
    world.orders[6]["status"] = "pending"
    world.charges.pop(6)
    world.shipments.pop(6)


def _replica_behind(world: World) -> None:
    world.replicas[-1].update(rows=29, digest="other")


def _replica_differs(world: World) -> None:
    world.replicas[2].update(digest="same count, other rows")


def _charge_of_cancelled(world: World) -> None:
    world.operations[7] = operation(7, "failed")
    world.orders[7]["status"] = "cancelled"
    world.shipments.pop(7)
    world.stock = stock(world.orders)


@pytest.mark.parametrize(
    ("change", "invariants", "names"),
    [
        (_lose_order, {"orders.none_lost"}, "order-0 (key key-0) was answered ok and does not exist"),
        (_cancel, {"orders.none_lost"}, "order-4 was answered ok and is cancelled"),
        (_other_amount, {"orders.none_lost"}, f"order-3 was answered with {cents(3) / 100:.2f} and has"),
        (_other_lines, {"orders.none_lost"}, "order-2 was asked for with"),
        (_other_key, {"orders.none_lost"}, "order-2 was answered ok for key key-2 and has key key-3"),
        (_double_order, {"orders.none_doubled"}, "key key-5 made 2 orders: order-5"),
        (lambda w: w.charges.append(charge(9, charge_id="again")), {"payments.charged_once"},
         "order-9 was charged 2 times"),
        (lambda w: w.charges.pop(9), {"payments.charged_once"}, "order-9 is paid and was never charged"),
        (lambda w: w.charges[9].update(status="declined"), {"payments.charged_once"}, "order-9 is paid and was never"),
        (lambda w: w.charges[9].update(amount_cents=1), {"payments.charged_once"},
         "charge-9 took 0.01 for order order-9"),
        (lambda w: w.charges.append(charge(99)), {"payments.charged_once"}, "order-99, which does not exist"),
        (_charge_of_cancelled, {"payments.charged_once"}, "order-7, which is cancelled"),
        (_pending, {"payments.settled"}, "order-6 is still pending"),
        (lambda w: w.stock[1].update(remaining=w.stock[1]["remaining"] - 1), {"stock.conserved"}, SKUS[1]),
        (lambda w: w.stock[0].update(initial=10, remaining=10 - (1000 - w.stock[0]["remaining"])), {"stock.conserved"},
         "below zero"),
        (lambda w: w.stock.pop(2), {"stock.conserved"}, "sold of what was never in stock"),
        (lambda w: w.stock.append(dict(w.stock[0])), {"stock.conserved"}, "stands 2 times in the stock"),
        (_replica_behind, {"replicas.agree"}, "stock: "),
        (_replica_differs, {"replicas.agree"}, "db-replica-1 has 30 rows (same count, )"),
        (lambda w: w.shipments.pop(8), {"shipments.match"}, "order-8 is paid and has no shipment"),
        (lambda w: w.shipments.append(shipment(8, shipment_id="again")), {"shipments.match"},
         "order-8 has 2 shipments"),
        (lambda w: w.shipments.append(shipment(99)), {"shipments.match"}, "order-99, which does not exist"),
    ],
)  # fmt: skip
def test_each_single_breach_is_named(change: Break, invariants: set[str], names: str, tmp_path: Path) -> None:
    world = World()
    change(world)
    found = world.reconcile(tmp_path)
    assert broken(found) == invariants
    (check,) = [check for check in found.checks if check.verdict is Verdict.FAILED]
    assert any(names in example for example in check.examples), check.examples
    assert check.examples[0] in check.why


def test_a_shipment_of_an_unpaid_order_is_a_breach(tmp_path: Path) -> None:
    world = World()
    world.orders[6]["status"] = "pending"
    world.charges.pop(6)
    assert broken(world.reconcile(tmp_path)) == {"payments.settled", "shipments.match"}


def test_a_charge_of_a_pending_order_is_still_on_its_way(tmp_path: Path) -> None:
    world = World()
    world.orders[6]["status"] = "pending"
    world.shipments.pop(6)
    assert broken(world.reconcile(tmp_path)) == {"payments.settled"}


def test_an_order_without_an_answer_may_exist_or_not(tmp_path: Path) -> None:
    world = World()
    world.operations[0] = operation(0, "unknown")  # it exists
    world.operations.append(operation(30, "unknown"))  # it does not
    found = world.reconcile(tmp_path)
    assert broken(found) == set()
    assert counts(found)["orders without an answer"] == 2
    assert counts(found)["without an answer, yet in the database"] == 1


def test_an_order_without_an_answer_must_be_the_one_asked_for(tmp_path: Path) -> None:
    world = World()
    world.operations[0] = operation(0, "unknown")
    world.orders[0]["lines"][0]["quantity"] += 1
    world.stock = stock(world.orders)
    assert broken(world.reconcile(tmp_path)) == {"orders.none_lost"}


def test_an_order_that_was_refused_and_exists_is_noted(tmp_path: Path) -> None:
    world = World()
    world.operations[0] = operation(0, "failed")
    found = world.reconcile(tmp_path)
    assert broken(found) == set()
    assert counts(found)["answered no, yet in the database"] == 1
    assert "1 order was answered no and exist" in found.notes[0]


def test_an_order_that_nobody_asked_for_leaves_doubling_unknown(tmp_path: Path) -> None:
    world = World()
    world.operations.pop()
    check = by_name(world.reconcile(tmp_path))["orders.none_doubled"]
    assert check.verdict is Verdict.INCONCLUSIVE
    assert "order-29" in check.why


def test_lines_may_come_in_any_order_and_in_parts(tmp_path: Path) -> None:
    world = World()
    world.orders[1]["lines"].reverse()
    double = world.orders[2]["lines"][0]
    assert double["quantity"] == 3
    world.orders[2]["lines"] = [{**double, "quantity": 1}, {**double, "quantity": 2}]
    assert broken(world.reconcile(tmp_path)) == set()


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *product(("orders", "charges", "shipments", "stock", "replicas"), ("missing", "torn", "empty object")),
        *product(("orders", "charges", "stock"), ("fraction",)),
    ],
)
def test_what_cannot_be_read_is_unknown_and_never_kept(name: str, damage: str, tmp_path: Path) -> None:
    world = World()
    world.write(tmp_path, leave_out=name if damage == "missing" else "")
    file = tmp_path / f"{name}.jsonl"
    if damage == "torn":
        file.write_text(file.read_text()[:-5])
    elif damage == "empty object":
        file.write_text(file.read_text() + "{}\n")
    elif damage == "fraction":
        word = "initial" if name == "stock" else "amount_cents"
        file.write_text(file.read_text().replace(f'"{word}": ', f'"{word}": 0.5', 1))
    found = by_name(reconcile(list(Invariant), world.operations, tmp_path))
    for invariant in Invariant:
        expected = Verdict.INCONCLUSIVE if name in NEEDS[invariant] else Verdict.PASSED
        assert found[invariant].verdict is expected, invariant
        if expected is Verdict.INCONCLUSIVE:
            assert name in found[invariant].why


@pytest.mark.parametrize(
    ("change", "invariant", "why"),
    [
        (lambda w: w.replicas.__delitem__(slice(2, None)), "replicas.agree", "only db-primary was read"),
        (lambda w: w.replicas.clear(), "replicas.agree", "not one server"),
        (lambda w: w.replicas.pop(), "replicas.agree", "stock was read on 2 of 3 servers"),
        (lambda w: w.replicas.append({"server": "db-replica-3", "error": "refused"}), "replicas.agree",
         "db-replica-3 could not be read"),
        (lambda w: w.replicas[-1].update(digest=None), "replicas.agree", "db-replica-2 could not be read"),
        (lambda w: w.charges.append(charge(30, status="mysterious")), "payments.charged_once", "such as mysterious"),
        (lambda w: w.orders[0].update(status="shipped"), "payments.settled", "such as shipped"),
        (lambda w: w.operations.__setitem__(0, replace(w.operations[0], order_id=None)), "orders.none_lost",
         "without a number"),
        (lambda w: w.operations.__setitem__(0, replace(w.operations[0], amount_cents=None)), "orders.none_lost",
         "without a number"),
    ],
)  # fmt: skip
def test_what_the_records_do_not_prove_is_unknown(change: Break, invariant: str, why: str, tmp_path: Path) -> None:
    world = World()
    change(world)
    check = by_name(world.reconcile(tmp_path))[invariant]
    assert check.verdict is Verdict.INCONCLUSIVE
    assert why in check.why


def test_nothing_to_test_on_proves_nothing(tmp_path: Path) -> None:
    found = World([], [], [], [], [], []).reconcile(tmp_path)
    assert {check.verdict for check in found.checks} == {Verdict.INCONCLUSIVE}


def test_at_most_five_examples_of_every_kind_in_turn(tmp_path: Path) -> None:
    world = World()
    for number in range(10):
        world.charges[number]["amount_cents"] = 1
    world.charges.append(charge(20, charge_id="again"))
    check = by_name(world.reconcile(tmp_path))["payments.charged_once"]
    assert len(check.examples) == 5
    assert "11 breaches" in check.why
    assert any("order-20 was charged 2 times" in example for example in check.examples)


ORDER = order(0)
ROWS: tuple[object, ...] = ([], 5, None, "x")


@pytest.mark.parametrize(
    ("name", "row"),
    [
        *product(("orders", "charges", "shipments", "stock", "replicas"), ROWS),
        ("replicas", {"server": "db-primary", "table": ["orders"], "rows": 1, "digest": "x"}),
        ("replicas", {"server": "db-primary", "table": "orders", "rows": {}, "digest": "x"}),
        ("orders", {**ORDER, "lines": 5}),
        ("orders", {**ORDER, "lines": ["x"]}),
        ("orders", {**ORDER, "lines": [{"sku": "a", "quantity": 10**30}]}),
        ("orders", {**ORDER, "amount_cents": 10**30}),
        ("orders", {**ORDER, "status": "\ud800"}),
        ("stock", {"sku": "a", "initial": 1.5, "remaining": 1}),
    ],
)
def test_a_row_of_a_wrong_shape_is_no_record(tmp_path: Path, name: str, row: object) -> None:
    world = World()
    getattr(world, name).append(row)
    found = world.reconcile(tmp_path)
    assert broken(found) == set()
    unknown = {check.name for check in found.checks if check.verdict == "inconclusive"}
    assert unknown == {str(invariant) for invariant, needs in NEEDS.items() if name in needs}
    assert all("damaged at line" in check.why for check in found.checks if check.name in unknown)


def test_a_history_that_no_database_can_hold_is_an_error_of_ours(tmp_path: Path) -> None:
    for change in ({"key": "\ud800"}, {"amount_cents": 10**30}):
        world = World(operations=[replace(operation(0), **change)])
        with pytest.raises(ChaosError):
            world.reconcile(tmp_path)
