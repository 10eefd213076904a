"""The outbox: rows of work that the checkout wrote in the same transaction as the order.

A claim is a lease: it moves the row's `not_before` into the future, so that no transaction stays open while a third
party is called, and a worker killed in the middle leaves rows that come due again by themselves.
"""

from typing import NamedTuple

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

    async def done(self, work: Work, receipt: str) -> None:
        """Notes on the order that the work is done, with the third party's receipt, and removes the row."""
        finish = "select settle_order(%s, %s)" if self._kind == "charge" else "select ship_order(%s, %s)"
        await self._database.query(finish, (work.order_id, receipt), budget_s=self._budget_s)

    async def put_off(self, work: Work, delay_s: float) -> None:
        """Makes the row due again after `delay_s` seconds."""
        await self._database.query(
            "update outbox set not_before = now() + make_interval(secs => %s) where id = %s",
            (delay_s, work.row),
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
