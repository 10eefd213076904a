"""A small consistent world: thirty orders, paid, shipped, counted and replicated; tests break it in one way each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chaos.load.history import Line, Operation, Result
from chaos.model import Invariant
from chaos.reconcile import Reconciliation, reconcile
from chaos.verdict import Check

Row = dict[str, Any]
COUNT = 30
SKUS = ("SKU-0001", "SKU-0002", "SKU-0003")
PRICE_CENTS = 1250
SERVERS = ("db-primary", "db-replica-1", "db-replica-2")
TABLES = ("orders", "stock")


def lines(number: int) -> list[Row]:
    """What order `number` is for: one sku or two, one to three of each."""
    return [{"sku": SKUS[(number + step) % 3], "quantity": 1 + number % 3} for step in range(1 + number % 2)]


def cents(number: int) -> int:
    """What it costs."""
    return PRICE_CENTS * sum(int(line["quantity"]) for line in lines(number))


def operation(number: int, result: Result = "ok") -> Operation:
    """The load's side of it."""
    ok = result == "ok"
    return Operation(
        number, "orders", number / 10, number / 10, number / 10 + 0.05, result, 201 if ok else None,
        key=f"key-{number}", lines=tuple(Line(line["sku"], line["quantity"]) for line in lines(number)),
        order_id=f"order-{number}" if ok else None, amount_cents=cents(number) if ok else None,
    )  # fmt: skip


def order(number: int, **changes: Any) -> Row:
    """The database's side of it."""
    found = {
        "idempotency_key": f"key-{number}",
        "order_id": f"order-{number}",
        "status": "paid",
        "amount_cents": cents(number),
        "lines": [{**line, "price_cents": PRICE_CENTS} for line in lines(number)],
    }
    return found | changes


def charge(number: int, **changes: Any) -> Row:
    """The payment ledger's side of it."""
    found = {"charge_id": f"charge-{number}", "order_id": f"order-{number}", "amount_cents": cents(number),
             "idempotency_key": f"order-{number}", "status": "charged"}  # fmt: skip
    return found | changes


def shipment(number: int, **changes: Any) -> Row:
    """The carrier's side of it."""
    return {"shipment_id": f"shipment-{number}", "order_id": f"order-{number}"} | changes


def stock(orders: Sequence[Row]) -> list[Row]:
    """The stock that these orders leave."""
    sold: Counter[str] = Counter()
    for each in orders:
        if each["status"] != "cancelled":
            for line in each["lines"]:
                sold[line["sku"]] += line["quantity"]
    return [{"sku": sku, "initial": 1000, "remaining": 1000 - sold[sku]} for sku in SKUS]


@dataclass
class World:
    """The history and every final read; change what you like, then `reconcile`."""

    operations: list[Operation] = field(default_factory=lambda: [operation(number) for number in range(COUNT)])
    orders: list[Row] = field(default_factory=lambda: [order(number) for number in range(COUNT)])
    charges: list[Row] = field(default_factory=lambda: [charge(number) for number in range(COUNT)])
    shipments: list[Row] = field(default_factory=lambda: [shipment(number) for number in range(COUNT)])
    stock: list[Row] = field(default_factory=lambda: stock([order(number) for number in range(COUNT)]))
    replicas: list[Row] = field(
        default_factory=lambda: [
            {"server": server, "table": table, "rows": COUNT, "digest": f"digest of {table}"}
            for server in SERVERS
            for table in TABLES
        ]
    )

    def write(self, folder: Path, *, leave_out: str = "") -> None:
        """Writes the final reads."""
        for name in ("orders", "charges", "shipments", "stock", "replicas"):
            if name != leave_out:
                text = "".join(json.dumps(row) + "\n" for row in getattr(self, name))
                (folder / f"{name}.jsonl").write_text(text)

    def reconcile(self, folder: Path, *, leave_out: str = "") -> Reconciliation:
        """All invariants over this world."""
        self.write(folder, leave_out=leave_out)
        return reconcile(list(Invariant), self.operations, folder)


def by_name(found: Reconciliation) -> dict[str, Check]:
    """The checks by their invariants."""
    return {check.name: check for check in found.checks}


def broken(found: Reconciliation) -> set[str]:
    """The invariants that failed."""
    return {check.name for check in found.checks if check.verdict == "failed"}


def counts(found: Reconciliation) -> dict[str, int]:
    """The ledger as a mapping."""
    return {row.what: row.count for row in found.ledger}
