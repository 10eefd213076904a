"""Charges within the checkout: what a shop without `deferral` does. When the gateway fails, so does the order.

The order was written first, as pending. A charge that worked makes it paid; one that failed cancels it and gives the
stock back. Where the outcome is unknown the gateway is asked once more; if it does not say, the buyer is told so.
"""

from typing import LiteralString
from uuid import UUID

from sandbox import protections
from sandbox.gateway import Gateway, GatewayError
from sandbox.postgres import Database, DatabaseUnavailableError
from sandbox.storefront.problems import Problem

CHARGE_S = 0.4
"""With the look-up after it, short enough for the edge's time-out."""
WRITE_S = 0.5


class Charging:
    """Charges orders while their buyers wait."""

    def __init__(self, primary: Database) -> None:
        self._primary = primary
        self._payments = Gateway("payments", budget_s=CHARGE_S)

    async def charge(self, order_id: UUID, amount_cents: int) -> None:
        """Charges a pending order; Problem when it could not be, after the order was cancelled."""
        try:
            charge_id = await self._charged(str(order_id), amount_cents)
        except GatewayError as error:
            await self._write("select cancel_order(%s)", (order_id,))
            if error.maybe_done:
                raise Problem(
                    503,
                    "The payment gateway did not answer. Your order was cancelled; if money was taken, it comes back.",
                    money_taken=None,
                ) from None
            raise Problem(
                503, "The payment did not go through. Your order was cancelled, no money was taken."
            ) from None
        await self._write("select settle_orders(array[%s], array[%s])", (order_id, charge_id))

    async def close(self) -> None:
        """Closes the connections."""
        await self._payments.close()

    async def _charged(self, order_id: str, amount_cents: int) -> str:
        try:
            return await self._payments.charge(order_id, amount_cents, key=order_id)
        except GatewayError as error:
            if not error.maybe_done:
                raise
            return await self._found_charge(order_id, unknown=error)

    async def _found_charge(self, order_id: str, *, unknown: GatewayError) -> str:
        try:
            charge_id = await self._payments.charge_of(order_id)
        except GatewayError:
            raise unknown from None
        if charge_id is None:
            raise unknown
        return charge_id

    async def _write(self, sql: LiteralString, params: tuple[UUID] | tuple[UUID, str]) -> None:
        try:
            await self._primary.query(sql, params, budget_s=protections.budget_s(WRITE_S))
        except DatabaseUnavailableError as error:
            raise Problem(
                503, "We are not sure about your order. Please look at it again in a moment.", money_taken=None
            ) from error
