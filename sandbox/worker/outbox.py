"""The outbox: rows of work that the checkout wrote in the same transaction as the order.

A claim is a lease: it moves the row's `not_before` into the future, so that no transaction stays open while a third
party is called, and a worker killed in the middle leaves rows that come due again by themselves.
"""

from collections.abc import Mapping
from typing import LiteralString, NamedTuple

from sandbox import protections
from sandbox.postgres import Database

BUDGET_S = 2.0


class Work(NamedTuple):
    """One row: charge this order, or ship it. `tries` counts this one."""

    row: int
    order_id: str
    amount_cents: int
    tries: int


class Outbox:
    """The rows of one kind, `charge` or `ship`. Every call may raise DatabaseUnavailableError."""

    def __init__(self, database: Database, kind: str) -> None:
        self._database = database
        self._kind = kind
        self._budget_s = protections.budget_s(BUDGET_S)

    async def claim(self, limit: int, *, lease_s: float) -> list[Work]:
        """Takes up to `limit` rows that are due, oldest first, for `lease_s` seconds."""
        rows = await self._database.query(
            """
            update outbox set tries = tries + 1, not_before = now() + make_interval(secs => %s)
            from (
                select id from outbox where kind = %s and not_before <= now()
                order by not_before, id limit %s for update skip locked
            ) as due, orders
            where outbox.id = due.id and orders.order_id = outbox.order_id
            returning outbox.id, outbox.order_id::text, orders.amount_cents, outbox.tries
            """,
            (lease_s, self._kind, limit),
            budget_s=self._budget_s,
        )
        return [Work(*row) for row in rows]

    async def done(self, receipts: Mapping[str, str]) -> None:
        """Notes on the orders that their work is done, with the third party's receipts, and removes their rows."""
        finish: LiteralString = (
            "select settle_orders(%s::uuid[], %s)" if self._kind == "charge" else "select ship_orders(%s::uuid[], %s)"
        )
        await self._database.query(finish, (list(receipts), list(receipts.values())), budget_s=self._budget_s)

    async def put_off(self, delays_s: Mapping[int, float]) -> None:
        """Makes rows due again, each after its seconds."""
        await self._database.query(
            "update outbox set not_before = now() + make_interval(secs => later.s) "
            "from unnest(%s::bigint[], %s::float8[]) as later(row, s) where id = later.row",
            (list(delays_s), list(delays_s.values())),
            budget_s=self._budget_s,
        )

    async def backlog(self) -> tuple[int, float]:
        """How many rows there are, and the age of the oldest in seconds (0 when there is none)."""
        rows = await self._database.query(
            "select count(*), coalesce(extract(epoch from now() - min(created_at)), 0)::float8 "
            "from outbox where kind = %s",
            (self._kind,),
            budget_s=self._budget_s,
        )
        return rows[0][0], rows[0][1]
