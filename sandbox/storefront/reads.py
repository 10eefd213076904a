"""Reads from the replicas: the storefront's own first, then the other, then the primary, each within a short budget.

A circuit breaker for each server keeps a dead one from costing every buyer the budget. What replicas say may be a
moment old: nothing that decides an order is read here but the price the buyer was shown.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, LiteralString

from sandbox import protections
from sandbox.breaker import Breaker
from sandbox.postgres import Database, DatabaseUnavailableError, Row

READ_S = 0.15
LAST_READ_S = 0.3
"""The primary comes last: behind it there is nobody, so it is always asked and given longer."""
FAILURES_MAX = 5
CONNECTIONS_MAX = 8


class Reads:
    """Queries that any server may answer."""

    def __init__(self, own_replica: str, other_replicas: list[str], primary: Database) -> None:
        replicas = [Database(name, connections_max=CONNECTIONS_MAX) for name in (own_replica, *other_replicas)]
        self._primary = primary
        self._replicas = replicas if protections.on("replica_fallback") else replicas[:1]
        self._breakers = {
            name: Breaker(name, failures_max=FAILURES_MAX) for name in (own_replica, *other_replicas, primary.service)
        }

    async def query(self, sql: LiteralString, params: Sequence[Any] = ()) -> list[Row]:
        """The rows from the first server that answers; DatabaseUnavailableError when none does."""
        servers = [*self._replicas, self._primary] if protections.on("replica_fallback") else self._replicas
        return await self._first(servers, sql, params)

    async def query_fresh(self, sql: LiteralString, params: Sequence[Any] = ()) -> tuple[list[Row], bool]:
        """As `query`, but asks the primary first, so that buyers see their own orders; and whether it answered."""
        try:
            return await self._first([self._primary], sql, params), True
        except DatabaseUnavailableError:
            return await self._first(self._replicas, sql, params), False

    async def close(self) -> None:
        """Closes the replicas' connections."""
        for replica in self._replicas:
            await replica.close()

    async def all_replicas_stream(self) -> bool:
        """Whether every replica answers, and is itself receiving what the primary writes."""

        async def streams(replica: Database) -> bool:
            try:
                rows = await replica.query(
                    "select exists (select from pg_stat_wal_receiver where status = 'streaming')",
                    budget_s=protections.budget_s(READ_S),
                )
            except DatabaseUnavailableError:
                return False
            return bool(rows[0][0])

        return all(await asyncio.gather(*(streams(replica) for replica in self._replicas)))

    async def _first(self, servers: list[Database], sql: LiteralString, params: Sequence[Any]) -> list[Row]:
        for server in servers:
            breaker = self._breakers[server.service]
            last_resort = server is self._primary
            if not breaker.allows() and not last_resort:
                continue
            budget_s = protections.budget_s(LAST_READ_S if last_resort else READ_S)
            try:
                rows = await server.query(sql, params, budget_s=budget_s)
            except DatabaseUnavailableError:
                breaker.failure()
            else:
                breaker.success()
                return rows
        raise DatabaseUnavailableError(
            f"no answer from {', '.join(server.service for server in servers)}", maybe_done=False
        )
