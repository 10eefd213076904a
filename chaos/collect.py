"""The final reads: once all is healed, waits for the backlog to drain and reads every system of record into files.

`docs/design.md` lists the files. What cannot be read leaves no file and a `records` event with the error, so that
whatever rests on it is judged inconclusive. Rows are streamed: a million of them need no memory here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import requests
from psycopg import sql
from psycopg.rows import dict_row

from chaos.journal import Journal
from chaos.system import Read, Records
from chaos.targets.base import Target

_ASK_EVERY_S = 0.2
_CATCH_UP_WITHIN_S = 15.0
_HTTP_TIMEOUT_S = 30.0
_ROWS_AT_ONCE = 2000
# The sum of row hashes does not depend on the order of rows, and needs neither sorting nor memory.
_DIGEST = "select count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)::text from {} t"


def wait_until_drained(target: Target, journal: Journal, *, within_s: float, stop: Callable[[], bool]) -> None:
    """Waits until the system says that its backlog is empty, at most `within_s` seconds; journals how it went."""
    began = time.monotonic()
    drained = False
    while not drained and time.monotonic() - began < within_s and not stop():
        drained = _is_drained(target)
        if not drained:
            time.sleep(_ASK_EVERY_S)
    journal.write("drained", drained=drained, waited_s=round(time.monotonic() - began, 3))


def collect(target: Target, journal: Journal, folder: Path) -> None:
    """Reads orders, stock, charges, shipments and the digests of every replica into `folder`."""
    records = _records(target)
    reads = {
        "orders": records.orders,
        "stock": records.stock,
        "charges": records.charges,
        "shipments": records.shipments,
    }
    for name, read in reads.items():
        _write(folder / f"{name}.jsonl", name, _rows(target, read), journal)
    _write(folder / "replicas.jsonl", "replicas", _digests(target), journal)


def _write(path: Path, name: str, rows: Iterator[dict[str, Any]], journal: Journal) -> None:
    partial = path.with_suffix(".partial")
    count = 0
    try:
        with partial.open("w") as file:
            for row in rows:
                file.write(json.dumps(row, default=str) + "\n")
                count += 1
        partial.rename(path)  # a file with this name is complete
        journal.write("records", name=name, rows=count)
    except (psycopg.Error, requests.RequestException, OSError, ValueError) as error:
        journal.write("records", name=name, error=" ".join(str(error).split()))


def _rows(target: Target, read: Read) -> Iterator[dict[str, Any]]:
    return _sql_rows(target, read) if read.sql is not None else _http_rows(target, read)


def _sql_rows(target: Target, read: Read) -> Iterator[dict[str, Any]]:
    assert read.sql is not None
    with (
        psycopg.connect(target.dsn(read.on), row_factory=dict_row) as connection,
        connection.cursor("chaos_final_read") as cursor,
    ):
        cursor.itersize = _ROWS_AT_ONCE
        yield from cursor.execute(read.sql.encode())


def _http_rows(target: Target, read: Read) -> Iterator[dict[str, Any]]:
    url = target.url(read.on, read.port) + (read.http or "/")
    with requests.get(url, stream=True, timeout=_HTTP_TIMEOUT_S) as reply:
        reply.raise_for_status()
        for line in reply.iter_lines():
            if line:
                yield json.loads(line)


def _digests(target: Target) -> Iterator[dict[str, Any]]:
    """Count and digest of each table on the primary and every replica, once the replicas have caught up.

    Compared again until they agree or time is up: the system may still have been writing between two reads.
    """
    records = _records(target)
    servers = [records.primary, *target.terrain.system.sets[records.replicas]]
    deadline = time.monotonic() + _CATCH_UP_WITHIN_S
    while True:
        found = {server: _tables(target, server, records.tables) for server in servers}
        agree = all(found[server] == found[records.primary] for server in servers)
        if agree or time.monotonic() > deadline:
            break
        time.sleep(_ASK_EVERY_S)
    for server, tables in found.items():
        if not tables:  # said in so many words: a server that is merely absent would leave the others agreeing
            yield {"server": server, "error": "could not be read"}
        for table, (rows, digest) in tables.items():
            yield {"server": server, "table": table, "rows": rows, "digest": digest}


def _tables(target: Target, server: str, tables: list[str]) -> dict[str, tuple[int, str]]:
    """Nothing for a server that cannot be read."""
    try:
        with psycopg.connect(target.dsn(server), autocommit=True) as connection:
            found = {}
            for table in tables:
                row = connection.execute(sql.SQL(_DIGEST).format(sql.Identifier(table))).fetchone()
                assert row is not None
                found[table] = (int(row[0]), str(row[1]))
            return found
    except psycopg.Error:
        return {}


def _is_drained(target: Target) -> bool:
    drained = target.terrain.system.drained
    assert drained is not None
    try:
        with psycopg.connect(target.dsn(drained.on), autocommit=True) as connection:
            row = connection.execute((drained.sql or "").encode()).fetchone()
    except psycopg.Error:
        return False
    return bool(row and row[0])


def _records(target: Target) -> Records:
    records = target.terrain.system.records
    assert records is not None
    return records
