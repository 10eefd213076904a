"""PostgreSQL client of the shop's services: a small bounded pool, and a time budget on every statement.

A caller waits for its statement no longer than its budget. A statement that was not sent by then never is, since its
caller hears that nothing was done; the connection it waited for is kept for the next. One that was sent lingers a
little, so that a late answer costs no connection: where the machine is short of CPU, connecting anew for every late
answer would make it worse. Then its socket is shut down. Cancelling it the usual way asks the server, and waits for it:
on a black-holed link that would hang for as long as the link does.

For the same reason this does not use psycopg_pool: it connects in the background with waits of its own, so a caller can
neither fail at once when the server refuses, nor use it in the moment it is back. Transactions over several statements
are left out: every statement commits by itself, and what belongs together is one statement or one SQL function.
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

LINGER_S = 1.0
"""How long a statement nobody waits for any longer keeps its connection."""

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
        self._tasks: set[asyncio.Future[list[Row]]] = set()
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
        call = _Call(sql, params)
        task = asyncio.ensure_future(self._answer(call))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        await asyncio.wait({task}, timeout=budget_s)
        if not task.done():
            # A process that was starved of CPU finds the answer and the time-out at the same moment.
            await asyncio.wait({task}, timeout=GRACE_S)
        if task.done():
            return task.result()
        call.given_up = True
        if call.connection is not None:
            asyncio.get_running_loop().call_later(LINGER_S, call.hang_up)
        elif not call.connecting:
            task.cancel()  # it waits for a connection to be free, and nobody waits for it
        raise DatabaseUnavailableError(f"{self.service}: no answer in time", maybe_done=call.connection is not None)

    async def close(self) -> None:
        """Closes the connections, those in use as well."""
        for task in self._tasks:
            task.cancel()
        await self._close_idle()

    async def _answer(self, call: "_Call") -> list[Row]:
        async with self._slots:
            connection = await self._connection(call)
            if call.given_up:
                self._idle.append(connection)
                raise DatabaseUnavailableError(f"{self.service}: connected too late", maybe_done=False)
            call.connection = connection
            try:
                cursor = await connection.execute(call.sql, call.params)
                rows = await cursor.fetchall() if cursor.description else []
            except psycopg.OperationalError as error:
                await connection.close()
                # Where one connection broke, the others most likely did too; the next caller is to get a new one.
                await self._close_idle()
                raise DatabaseUnavailableError(f"{self.service}: {_first_line(error)}", maybe_done=True) from None
            except psycopg.Error:
                self._idle.append(connection)
                raise
            finally:
                call.answered = True
            self._idle.append(connection)
            return rows

    async def _connection(self, call: "_Call") -> psycopg.AsyncConnection[Row]:
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed:
                return connection
        call.connecting = True
        try:
            return await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)
        except psycopg.OperationalError as error:
            raise DatabaseUnavailableError(f"{self.service}: {_first_line(error)}", maybe_done=False) from None

    async def _close_idle(self) -> None:
        while self._idle:
            await self._idle.pop().close()

    def _ended(self, task: asyncio.Future[list[Row]]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # taken note of: a given-up statement's end is not an error nobody looked at


class _Call:
    """One statement on its way."""

    def __init__(self, sql: LiteralString, params: Sequence[Any]) -> None:
        self.sql = sql
        self.params = params
        self.connecting = False
        self.given_up = False  # its caller has heard that there is no answer
        self.connection: psycopg.AsyncConnection[Row] | None = None
        self.answered = False

    def hang_up(self) -> None:
        """Shuts the statement's socket, without a word to the server: whoever still waits on it sees its end."""
        if self.answered or self.connection is None:
            return
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(self.connection.fileno())) as duplicate:
            duplicate.shutdown(socket.SHUT_RDWR)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
