"""Looks an order up for its buyer: from the primary, so that it is there at once; from a replica if need be."""

from dataclasses import dataclass
from uuid import UUID

from sandbox.storefront.problems import Problem
from sandbox.storefront.reads import Reads


@dataclass(frozen=True)
class OrderLine:
    """So many of one product at the price paid."""

    sku: str
    name: str
    quantity: int
    price_cents: int


@dataclass(frozen=True)
class Order:
    """An order as its buyer sees it. `fresh` is False when only a replica could be asked."""

    order_id: str
    customer: str
    status: str
    amount_cents: int
    shipment_id: str | None
    lines: list[OrderLine]
    fresh: bool


async def find(reads: Reads, order_id: str) -> Order:
    """The order; Problem 404 where there is none, DatabaseUnavailableError where nobody can say."""
    try:
        wanted = UUID(order_id)
    except ValueError:
        raise Problem(404, "There is no order of this number.") from None
    rows, fresh = await reads.query_fresh(
        "select o.customer, o.status, o.amount_cents, o.shipment_id, l.sku, p.name, l.quantity, l.price_cents "
        "from orders o join order_lines l using (order_id) join products p using (sku) "
        "where o.order_id = %s order by l.sku",
        (wanted,),
    )
    if not rows:
        if not fresh:
            raise Problem(503, "We cannot look your order up right now. Please try again in a moment.")
        raise Problem(404, "There is no order of this number.")
    customer, status, amount_cents, shipment_id = rows[0][:4]
    lines = [OrderLine(*row[4:]) for row in rows]
    return Order(str(wanted), customer, status, amount_cents, shipment_id, lines, fresh)
