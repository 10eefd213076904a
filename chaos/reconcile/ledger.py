"""The counts behind the invariants, for the report's table: what was asked for, and what each record holds."""

from __future__ import annotations

from chaos.reconcile.rules import CHARGED
from chaos.reconcile.store import Store
from chaos.verdict import LedgerRow

_HISTORY = "load history"
_EXISTS = "exists (select 1 from orders where orders.key = asked.key)"
_ASKED = {
    "orders asked for": "select count(*) from asked",
    "orders answered ok": "select count(*) from asked where result = 'ok'",
    "orders answered no": "select count(*) from asked where result = 'failed'",
    "orders without an answer": "select count(*) from asked where result = 'unknown'",
}
_RECORDED = {
    "orders": {
        "orders in the database": "select count(*) from orders",
        "… of them paid": "select count(*) from orders where status = 'paid'",
        "… of them pending": "select count(*) from orders where status = 'pending'",
        "… of them cancelled": "select count(*) from orders where status = 'cancelled'",
        "answered no, yet in the database": f"select count(*) from asked where result = 'failed' and {_EXISTS}",
        "without an answer, yet in the database": f"select count(*) from asked where result = 'unknown' and {_EXISTS}",
        "units sold": "select sum(quantity) from sold",
    },
    "charges": {"charges that took money": f"select count(*) from charges where status in {CHARGED}"},
    "shipments": {"shipments": "select count(*) from shipments"},
    "stock": {"units left in stock": "select sum(remaining) from stock"},
}
_SOURCES = {
    "orders": "order records",
    "charges": "payment ledger",
    "shipments": "shipping ledger",
    "stock": "stock records",
}


def rows(store: Store) -> tuple[LedgerRow, ...]:
    """The rows of whatever could be read."""
    found = [LedgerRow(what, store.count(query), _HISTORY) for what, query in _ASKED.items()]
    for name, queries in _RECORDED.items():
        if name not in store.unread:
            found += [LedgerRow(what, store.count(query), _SOURCES[name]) for what, query in queries.items()]
    return tuple(found)


def notes(store: Store) -> tuple[str, ...]:
    """What the counts show that no invariant forbids."""
    if "orders" in store.unread:
        return ()
    exists = store.count(_RECORDED["orders"]["answered no, yet in the database"])
    if not exists:
        return ()
    orders = "1 order was" if exists == 1 else f"{exists:,} orders were"
    return (f"{orders} answered no and exist nevertheless: a customer who orders again gets another one",)
