"""Asks a PostgreSQL database for one number, and never waits longer than it may.

libpq's own time-outs do not suffice: `connect_timeout` has a floor of 2 s, `statement_timeout` is kept by a server that
may be frozen, and a query to one that is waits for ever. So libpq's non-blocking calls are used, each wait bounded by
one deadline. Each asking has a connection of its own, since a kept one would be dead after any fault.
"""

from __future__ import annotations

import math
import select
import time

import psycopg
from psycopg import pq

_TRUTH = {b"t": 1.0, b"f": 0.0}


def number(conninfo: str, query: str, timeout_s: float) -> float:
    """The one value of the query's one row; true is 1, false is 0.

    Raises TimeoutError when `timeout_s` seconds have passed, psycopg.Error when the server cannot be reached or
    refuses the query, ValueError when the result is not one number.
    """
    deadline = time.monotonic() + timeout_s
    connection = pq.PGconn.connect_start(conninfo.encode())
    try:
        _finish_connecting(connection, deadline)
        connection.nonblocking = 1
        connection.send_query(query.encode())
        while connection.flush():
            _wait(connection, deadline, write=True)
        while connection.is_busy():
            _wait(connection, deadline, write=False)
            connection.consume_input()
        return _one_number(connection.get_result())
    finally:
        connection.finish()


def _finish_connecting(connection: pq.abc.PGconn, deadline: float) -> None:
    status = pq.PollingStatus.WRITING if connection.status != pq.ConnStatus.BAD else pq.PollingStatus.FAILED
    while status != pq.PollingStatus.OK:
        if status == pq.PollingStatus.FAILED:
            raise psycopg.OperationalError(_sentence(connection.get_error_message()))
        _wait(connection, deadline, write=status == pq.PollingStatus.WRITING)
        status = pq.PollingStatus(connection.connect_poll())


def _wait(connection: pq.abc.PGconn, deadline: float, *, write: bool) -> None:
    poll = select.poll()  # unlike select, it takes descriptors above 1023
    poll.register(connection.socket, select.POLLOUT if write else select.POLLIN)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1e3):
        raise TimeoutError


def _one_number(result: pq.abc.PGresult | None) -> float:
    if result is None or result.status != pq.ExecStatus.TUPLES_OK:
        raise psycopg.DatabaseError(_sentence(result.get_error_message() if result else "the server said nothing"))
    if (result.ntuples, result.nfields) != (1, 1):
        raise ValueError(f"the query returned {result.ntuples} rows of {result.nfields} columns, not one number")
    text = result.get_value(0, 0)
    if text is None:
        raise ValueError("the query returned no number but null")
    value = _TRUTH[text] if text in _TRUTH else float(text)
    if not math.isfinite(value):
        raise ValueError(f"the query returned {value}, not a number")
    return value


def _sentence(message: str) -> str:
    return " ".join(message.split())
