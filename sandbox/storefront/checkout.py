"""Places an order: the price from a replica, then one round trip to the primary for everything that must hold together.

The primary alone decides whether there is stock, and whether the key was used before. The charge is deferred: the same
transaction writes it to the outbox, and the worker makes it. Without `deferral` the charge is made before the answer.
"""

import asyncio
import json
import uuid
from dataclasses import dataclass
from typing import NamedTuple

import psycopg

from sandbox import backoff, protections
from sandbox.postgres import Database, DatabaseUnavailableError
from sandbox.storefront.charging import Charging
from sandbox.storefront.problems import Problem
from sandbox.storefront.reads import Reads

WRITE_S = 0.6
WRITE_TRIES_MAX = 4
BACKOFF_FIRST_S = 0.03
BACKOFF_LONGEST_S = 0.2
LINES_MAX = 20
QUANTITY_MAX = 99
SOLD_OUT = "SH001"


class Line(NamedTuple):
    """So many of one product."""

    sku: str
    quantity: int


@dataclass(frozen=True)
class Placed:
    """An order as it now stands; `repeated` when the key was used before."""

    order_id: str
    status: str
    amount_cents: int
    repeated: bool


class Checkout:
    """Places orders."""

    def __init__(self, reads: Reads, primary: Database, charging: Charging) -> None:
        self._reads = reads
        self._primary = primary
        self._charging = charging

    async def place(self, key: str, customer: str, lines: list[Line]) -> Placed:
        """Places the order, or returns the one first placed under `key`; Problem in plain words where that fails."""
        wanted = await self._priced(lines)
        deferred = protections.on("deferral")
        placed = await self._write(key, customer, json.dumps(wanted), deferred=deferred)
        return placed if deferred else await self._charge_now(placed)

    async def _priced(self, lines: list[Line]) -> list[dict[str, str | int]]:
        quantities: dict[str, int] = {}
        for line in lines:
            quantities[line.sku] = quantities.get(line.sku, 0) + line.quantity
        try:
            rows = await self._reads.query(
                "select sku, price_cents from products where sku = any(%s)", (list(quantities),)
            )
        except DatabaseUnavailableError as error:
            raise _could_not_take() from error
        prices: dict[str, int] = dict(rows)
        for sku in quantities:
            if sku not in prices:
                raise Problem(400, f"There is no product {sku}.")
        return [
            {"sku": sku, "quantity": quantity, "price_cents": prices[sku]}
            for sku, quantity in sorted(quantities.items())
        ]

    async def _write(self, key: str, customer: str, wanted: str, *, deferred: bool) -> Placed:
        loop = asyncio.get_running_loop()
        budget_s = protections.budget_s(WRITE_S)
        deadline = loop.time() + budget_s
        once = protections.on("idempotency")
        tries = WRITE_TRIES_MAX if protections.on("retries") else 1
        maybe_done = False
        for number in range(1, tries + 1):
            try:
                rows = await self._primary.query(
                    "select * from place_order(%s, %s, %s::jsonb, %s, %s)",
                    (key, customer, wanted, once, deferred),
                    budget_s=deadline - loop.time(),
                )
            except DatabaseUnavailableError as error:
                maybe_done = maybe_done or error.maybe_done
                wait_s = backoff.delay_s(number, first_s=BACKOFF_FIRST_S, longest_s=BACKOFF_LONGEST_S)
                if number == tries or loop.time() + wait_s >= deadline:
                    raise (_not_sure() if maybe_done else _could_not_take()) from error
                await asyncio.sleep(wait_s)
            except psycopg.Error as error:
                if error.sqlstate != SOLD_OUT:
                    raise
                sku = error.diag.message_detail
                raise Problem(409, f"{sku} is sold out in the quantity you wanted. No money was taken.") from None
            else:
                order_id, status, amount_cents, repeated = rows[0]
                return Placed(str(order_id), status, amount_cents, repeated)
        raise AssertionError("the last try returns or raises")

    async def _charge_now(self, placed: Placed) -> Placed:
        if placed.status == "pending":
            await self._charging.charge(uuid.UUID(placed.order_id), placed.amount_cents)
            return Placed(placed.order_id, "paid", placed.amount_cents, placed.repeated)
        if placed.status == "cancelled":
            raise Problem(503, "The payment did not go through and your order was cancelled.", money_taken=False)
        return placed


def _could_not_take() -> Problem:
    return Problem(
        503,
        "We cannot take your order right now. It was not placed and no money was taken. Please try again in a moment.",
    )


def _not_sure() -> Problem:
    return Problem(
        503,
        "We are not sure whether your order was recorded. Please send it again from the same page: it will not be "
        "placed or charged twice.",
        money_taken=None,
    )
