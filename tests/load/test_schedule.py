"""The schedule: repeatable, exactly at its rate, never in step."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest

from chaos.load.schedule import LINES_MAX, QUANTITY_MAX, Due, schedule
from chaos.metrics import BROWSE, ORDERS
from tests.load.conftest import Spec


def _first(spec: Spec, count: int, **changes: object) -> list[Due]:
    return list(islice(schedule(spec("", **changes)), count))


def test_the_same_seed_gives_the_same_operations(spec: Spec) -> None:
    assert _first(spec, 500) == _first(spec, 500)
    assert _first(spec, 500) != _first(spec, 500, seed=2)


def test_operations_are_numbered_in_the_order_they_come_due(spec: Spec) -> None:
    operations = _first(spec, 1000)
    assert [one.op for one in operations] == list(range(1000))
    assert [one.due_s for one in operations] == sorted(one.due_s for one in operations)


def test_every_interval_has_exactly_one(spec: Spec) -> None:
    operations = _first(spec, 3000, orders_per_s=40.0, browse_per_s=20.0)
    for kind, rate in ((ORDERS, 40.0), (BROWSE, 20.0)):
        due = [one.due_s for one in operations if one.kind == kind]
        assert [int(due_s * rate) for due_s in due] == list(range(len(due)))
        offsets = Counter(int((due_s * rate % 1) * 10) for due_s in due)
        assert min(offsets[tenth] for tenth in range(10)) > len(due) / 10 / 2  # anywhere in the interval


@pytest.mark.parametrize(
    ("orders", "browse", "kinds"), [(10.0, 0.0, {ORDERS}), (0.0, 10.0, {BROWSE}), (0.0, 0.0, set())]
)
def test_a_rate_of_zero_sends_nothing(spec: Spec, orders: float, browse: float, kinds: set[str]) -> None:
    assert {one.kind for one in _first(spec, 50, orders_per_s=orders, browse_per_s=browse)} == kinds


def test_orders_have_keys_of_their_own_and_a_few_goods(spec: Spec) -> None:
    orders = [one for one in _first(spec, 3000) if one.kind == ORDERS]
    assert len({one.key for one in orders}) == len(orders)
    for one in orders:
        skus = [line.sku for line in one.lines]
        assert 1 <= len(skus) <= LINES_MAX and len(set(skus)) == len(skus)
        assert all(1 <= line.quantity <= QUANTITY_MAX for line in one.lines)
    assert {line.sku for one in orders for line in one.lines} == {f"SKU-{n:04d}" for n in range(1, 21)}


def test_pages_come_by_their_weight(spec: Spec) -> None:
    pages = [one.path for one in _first(spec, 3000) if one.kind == BROWSE]
    assert pages.count("/") / len(pages) == pytest.approx(0.75, abs=0.06)
    assert {path for path in pages if path != "/"} == {f"/products/SKU-{n:04d}?from=load" for n in range(1, 21)}
