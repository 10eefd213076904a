"""PostgreSQL client of the shop's services: a small bounded pool, and a time budget on every statement.

A statement that exceeds its budget is given up by shutting its socket down. Cancelling it the usual way asks the
server, and waits for it: on a black-holed link that would hang for as long as the link does. For the same reason this
does not use psycopg_pool: it connects in the background with waits of its own, so a caller can neither fail at once
when the server refuses, nor use it in the moment it is back. Transactions over several statements are left out: every
statement commits by itself, and what belongs together is one statement or one SQL function.
"""

import asyncio
import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, LiteralString

import psycopg

from sandbox import protections, settings

DATABASE = "shop"
USER = "shop"

GRACE_S = 0.01
"""Past its budget, a statement gets this long for an answer that has arrived already but was not looked at yet."""

Row = tuple[Any, ...]


class DatabaseUnavailableError(Exception):
    """The database did not answer within the budget. `maybe_done`: whether the statement may have been carried out."""

    def __init__(self, why: str, *, maybe_done: bool) -> None:
        super().__init__(why)
        self.maybe_done = maybe_done


class Database:
    """One PostgreSQL server, through at most `connections_max` connections opened when first needed."""

    def __init__(self, service: str, *, connections_max: int, statement_s: float = 2.0) -> None:
        address = settings.address(service, "sql")
        self.service = service
        self._slots = asyncio.Semaphore(connections_max)
        self._idle: list[psycopg.AsyncConnection[Row]] = []
        unanswered_ms = int(protections.budget_s(2.0) * 1000)
        statement_ms = int(protections.budget_s(statement_s) * 1000)
        self._conninfo = psycopg.conninfo.make_conninfo(
            host=address.host,
            port=address.port,
            dbname=DATABASE,
            user=USER,
            application_name=settings.service(),
            connect_timeout=int(protections.budget_s(2.0)),
            # The kernel gives a silent link up after this; budgets end the wait earlier, this ends the socket.
            tcp_user_timeout=unanswered_ms,
            options=f"-c statement_timeout={statement_ms} -c lock_timeout={statement_ms}",
        )

    async def query(self, sql: LiteralString, params: Sequence[Any] = (), *, budget_s: float) -> list[Row]:
        """The rows `sql` returns (none for a statement without a result), within `budget_s` seconds, connecting
        included.

        Raises DatabaseUnavailableError where the server cannot be reached, breaks off or is too slow, and psycopg.Error
        for what the server refuses.
        """
        deadline = asyncio.get_running_loop().time() + budget_s
        try:
            async with asyncio.timeout_at(deadline):
                await self._slots.acquire()
        except TimeoutError:
            raise DatabaseUnavailableError(f"{self.service}: all connections busy", maybe_done=False) from None
        try:
            connection = await self._connection(deadline)
            return await self._execute(connection, sql, params, deadline)
        finally:
            self._slots.release()

    async def close(self) -> None:
        """Closes the idle connections."""
        for connection in self._idle:
            await connection.close()
        self._idle.clear()

    async def _connection(self, deadline: float) -> psycopg.AsyncConnection[Row]:
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed:
                return connection
        try:
            async with asyncio.timeout_at(deadline):
                return await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)
        except (TimeoutError, psycopg.OperationalError) as error:
            raise DatabaseUnavailableError(f"{self.service}: {_first_line(error)}", maybe_done=False) from None

    async def _execute(
        self, connection: psycopg.AsyncConnection[Row], sql: LiteralString, params: Sequence[Any], deadline: float
    ) -> list[Row]:
        task = asyncio.ensure_future(_rows(connection, sql, params))
        task.add_done_callback(_forget)  # whoever waits for it may be gone by then
        try:
            await asyncio.wait({task}, timeout=deadline - asyncio.get_running_loop().time())
            if not task.done():
                # A process that was starved of CPU finds the answer and the time-out at the same moment.
                await asyncio.wait({task}, timeout=GRACE_S)
        finally:
            if not task.done():
                _hang_up(connection)
        if not task.done():
            raise DatabaseUnavailableError(f"{self.service}: no answer in time", maybe_done=True)
        try:
            rows = task.result()
        except psycopg.OperationalError as error:
            await connection.close()
            # Where one connection broke, the others most likely did too; the next caller is better served by a new one.
            await self.close()
            raise DatabaseUnavailableError(f"{self.service}: {_first_line(error)}", maybe_done=True) from None
        except psycopg.Error:
            self._idle.append(connection)
            raise
        self._idle.append(connection)
        return rows


async def _rows(connection: psycopg.AsyncConnection[Row], sql: LiteralString, params: Sequence[Any]) -> list[Row]:
    cursor = await connection.execute(sql, params)
    return await cursor.fetchall() if cursor.description else []


def _hang_up(connection: psycopg.AsyncConnection[Row]) -> None:
    """Ends a connection that is in use, at once and without a word to the server: whoever waits on it sees its end."""
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as duplicate:
        duplicate.shutdown(socket.SHUT_RDWR)


def _forget(task: asyncio.Future[list[Row]]) -> None:
    """Takes note of a statement's end, so that a given-up one is not reported as an error nobody looked at."""
    if not task.cancelled():
        task.exception()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
