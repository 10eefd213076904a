"""Whatever single row is lost, doubled or changed in whatever record, some invariant says so, and names the row."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reconcile.world import COUNT, SKUS, World, broken, by_name

RECORDS = {"orders": COUNT, "charges": COUNT, "shipments": COUNT, "stock": len(SKUS)}
GUARDS = {
    "orders": {"orders.none_lost", "orders.none_doubled", "stock.conserved"},
    "charges": {"payments.charged_once"},
    "shipments": {"shipments.match"},
    "stock": {"stock.conserved"},
}
AMOUNT = {"orders": "amount_cents", "charges": "amount_cents", "stock": "remaining"}


@st.composite
def breaches(draw: st.DrawFn) -> tuple[str, str, int, int]:
    record = draw(st.sampled_from(sorted(RECORDS)))
    acts = ["lose", "double", *(["change"] if record in AMOUNT else [])]
    off = draw(st.integers(-100, 100).filter(bool))
    return record, draw(st.sampled_from(acts)), draw(st.integers(0, RECORDS[record] - 1)), off


@settings(max_examples=60, deadline=None)
@given(breaches())
def test_no_single_breach_goes_unseen(breach: tuple[str, str, int, int]) -> None:
    record, act, index, off = breach
    world = World()
    rows = getattr(world, record)
    offender = rows[index].get("order_id", rows[index].get("sku"))
    if act == "lose":
        rows.pop(index)
    elif act == "double":
        rows.append(dict(rows[index]))
    else:
        rows[index][AMOUNT[record]] += off
    with tempfile.TemporaryDirectory() as folder:
        found = world.reconcile(Path(folder))
    assert broken(found) & GUARDS[record]
    examples = [text for name in broken(found) & GUARDS[record] for text in by_name(found)[name].examples]
    assert any(offender in text for text in examples), examples
