"""The history and the final reads as tables of a temporary database, so that SQL can do the joins.

The database is SQLite's own temporary kind: on disk, already unlinked, gone with the connection even after SIGKILL.
A fixed page cache bounds memory, whatever the number of orders. A final read that is missing or damaged is left out and
its reason kept. Leaves out any judgement.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chaos.errors import ChaosError

if TYPE_CHECKING:
    from chaos.load.history import Operation

_CACHE_KIB = 32 * 1024
_SCHEMA = """
    pragma journal_mode = off;
    pragma synchronous = off;
    pragma temp_store = file;
    create table asked (key text, result text, order_id text, amount_cents integer, lines text);
    create table orders (key text, order_id text, status text, amount_cents integer, lines text);
    create table stock (sku text, initial integer, remaining integer);
    create table sold (sku text, quantity integer);
    create table charges (charge_id text, order_id text, amount_cents integer, status text);
    create table shipments (shipment_id text, order_id text);
    create table replicas (server text, "table" text, "rows" integer, digest text);
"""
_INDICES = """
    create index asked_key on asked (key);
    create index orders_key on orders (key);
    create index orders_id on orders (order_id);
    create index charges_order on charges (order_id);
    create index shipments_order on shipments (order_id);
    analyze;
"""

_QUANTITY_MAX = 2**31  # so that sums stay within 64 bits
_DAMAGED = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
_UNSTORABLE = (sqlite3.ProgrammingError, sqlite3.InterfaceError)  # the latter before Python 3.12

Row = tuple[Any, ...]


class Store:
    """The tables; `unread` says per final read why it could not be read, `rows` how many rows it had otherwise."""

    def __init__(self, operations: Iterable[Operation], final: Path) -> None:
        self.connection = sqlite3.connect("")
        self.connection.execute(f"pragma cache_size = -{_CACHE_KIB}")
        self.connection.executescript(_SCHEMA)
        self.rows: dict[str, int] = {}
        self.unread: dict[str, str] = {}
        self._sold: Counter[str] = Counter()
        try:
            self.connection.executemany(
                "insert into asked values (?, ?, ?, ?, ?)",
                (_asked(each) for each in operations if each.kind == "orders"),
            )
        except (ValueError, OverflowError) as error:  # half a surrogate pair, a number of more than 64 bits
            raise ChaosError(
                f"the load history holds what no order can: {error}",
                remedy="The file was changed or damaged after the run; the run cannot be judged from it.",
            ) from error
        for name, (insert, row) in self._reads().items():
            self._load(name, insert, row, final / f"{name}.jsonl")
        self.connection.executemany("insert into sold values (?, ?)", self._sold.items())
        self.connection.executescript(_INDICES)

    def close(self) -> None:
        """Ends the database; nothing of it is left."""
        self.connection.close()

    def count(self, query: str) -> int:
        """The one number that a query returns; 0 for null."""
        return int(self.connection.execute(query).fetchone()[0] or 0)

    def _reads(self) -> dict[str, tuple[str, Callable[[dict[str, Any]], Row]]]:
        return {
            "orders": ("insert into orders values (?, ?, ?, ?, ?)", self._order),
            "stock": (
                "insert into stock values (?, ?, ?)",
                lambda r: (_text(r["sku"]), *_whole(r, "initial", "remaining")),
            ),
            "charges": (
                "insert into charges values (?, ?, ?, ?)",
                lambda r: (_text(r["charge_id"]), _text(r["order_id"]), *_whole(r, "amount_cents"), _text(r["status"])),
            ),
            "shipments": (
                "insert into shipments values (?, ?)",
                lambda r: (_text(r["shipment_id"]), _text(r["order_id"])),
            ),
            "replicas": (
                "insert into replicas values (?, ?, ?, ?)",
                lambda r: (_text(r["server"]), r.get("table"), r.get("rows"), r.get("digest")),
            ),
        }

    def _load(self, name: str, insert: str, row: Callable[[dict[str, Any]], Row], path: Path) -> None:
        reader = _Reader(path, row)
        try:
            self.connection.executemany(insert, reader)
        except FileNotFoundError:
            self.unread[name] = f"there is no final read of the {name}"
        except (*_DAMAGED, *_UNSTORABLE, OSError) as error:
            self.unread[name] = f"the final read of the {name} is damaged at line {reader.line}: {error}"
        self.rows[name] = reader.line

    def _order(self, record: dict[str, Any]) -> Row:
        lines = _lines((line["sku"], line["quantity"]) for line in record["lines"] or ())
        if record["status"] != "cancelled":
            for sku, quantity in lines.items():
                self._sold[sku] += quantity
        key = record["idempotency_key"]
        return (
            None if key is None else str(key),
            _text(record["order_id"]),
            _text(record["status"]),
            *_whole(record, "amount_cents"),
            json.dumps(lines),
        )


class _Reader:
    """The rows of a JSON Lines file; `line` tells how far it got."""

    def __init__(self, path: Path, row: Callable[[dict[str, Any]], Row]) -> None:
        self.line = 0
        self._path = path
        self._row = row

    def __iter__(self) -> Iterator[Row]:
        with self._path.open("rb") as file:
            for text in file:
                self.line += 1
                yield self._row(json.loads(text))


def _asked(operation: Operation) -> Row:
    lines = _lines((line.sku, line.quantity) for line in operation.lines)
    return (operation.key, operation.result, operation.order_id, operation.amount_cents, json.dumps(lines))


def _lines(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Sku → quantity in the order of the skus, so that the same lines are the same text."""
    quantities: Counter[str] = Counter()
    for sku, quantity in pairs:
        if type(quantity) is not int or abs(quantity) > _QUANTITY_MAX:
            raise ValueError(f"{quantity!r} is not a quantity")
        quantities[_text(sku)] += quantity
    return dict(sorted(quantities.items()))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not text")
    return value


def _whole(record: dict[str, Any], *names: str) -> tuple[int, ...]:
    """Whole numbers of a record; a database's large ones may come as text, but none with a fraction."""
    values = [record[name] for name in names]
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError(f"{value!r} is not a whole number")
    return tuple(int(value) for value in values)
