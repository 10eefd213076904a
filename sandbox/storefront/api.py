"""JSON for programs: products, placing an order, looking one up, the shop's status."""

import json
from dataclasses import asdict
from typing import Any

from aiohttp import web

from sandbox.storefront import orders
from sandbox.storefront.catalogue import Catalogue
from sandbox.storefront.checkout import LINES_MAX, QUANTITY_MAX, Checkout, Line
from sandbox.storefront.problems import Problem
from sandbox.storefront.reads import Reads
from sandbox.storefront.status import StatusWatch

KEY_LETTERS_MAX = 100
CUSTOMER_LETTERS_MAX = 200


class Api:
    """The JSON handlers."""

    def __init__(self, catalogue: Catalogue, checkout: Checkout, reads: Reads, watch: StatusWatch) -> None:
        self._catalogue = catalogue
        self._checkout = checkout
        self._reads = reads
        self._watch = watch

    async def products(self, request: web.Request) -> web.Response:
        """`GET /api/products?q=`: the products found."""
        return web.json_response(await self._catalogue.search(request.query.get("q", "")))

    async def product(self, request: web.Request) -> web.Response:
        """`GET /api/products/SKU`: one product."""
        product = await self._catalogue.product(request.match_info["sku"])
        if product is None:
            raise Problem(404, "There is no such product.")
        return web.json_response(product)

    async def place(self, request: web.Request) -> web.Response:
        """`POST /orders`: 201, or 200 with the first order when the key was used before."""
        key = request.headers.get("Idempotency-Key", "")
        if not 1 <= len(key) <= KEY_LETTERS_MAX:
            raise Problem(400, f"The header Idempotency-Key is required, with 1 to {KEY_LETTERS_MAX} characters.")
        try:
            asked = await request.json()
        except json.JSONDecodeError:
            raise Problem(400, "The body is not JSON.") from None
        customer, lines = _parse(asked)
        placed = await self._checkout.place(key, customer, lines)
        reply = {"order_id": placed.order_id, "status": placed.status, "amount_cents": placed.amount_cents}
        return web.json_response(reply, status=200 if placed.repeated else 201)

    async def order(self, request: web.Request) -> web.Response:
        """`GET /orders/ID` for programs."""
        order = await orders.find(self._reads, request.match_info["order_id"])
        return web.json_response(asdict(order), headers={"Cache-Control": "no-store"})

    async def status(self, _request: web.Request) -> web.Response:
        """`GET /status` for programs."""
        status = self._watch.current
        reply = {"state": status.state, "parts": status.parts, "messages": status.messages}
        return web.json_response(reply, headers={"Cache-Control": "no-store"})


def _parse(asked: Any) -> tuple[str, list[Line]]:
    """Customer and lines of an order; Problem 400 that says what is wrong."""
    if not isinstance(asked, dict):
        raise Problem(400, "The body must be an object with customer and lines.")
    customer, given = asked.get("customer"), asked.get("lines")
    if not isinstance(customer, str) or not 1 <= len(customer.strip()) <= CUSTOMER_LETTERS_MAX or "\0" in customer:
        raise Problem(400, f"customer must be text of 1 to {CUSTOMER_LETTERS_MAX} characters.")
    if not isinstance(given, list) or not 1 <= len(given) <= LINES_MAX:
        raise Problem(400, f"lines must be a list of 1 to {LINES_MAX} lines.")
    lines = []
    for line in given:
        sku = line.get("sku") if isinstance(line, dict) else None
        quantity = line.get("quantity") if isinstance(line, dict) else None
        if not isinstance(sku, str) or "\0" in sku:
            raise Problem(400, "Every line needs a sku.")
        if not isinstance(quantity, int) or isinstance(quantity, bool) or not 1 <= quantity <= QUANTITY_MAX:
            raise Problem(400, f"Every line needs a quantity from 1 to {QUANTITY_MAX}.")
        lines.append(Line(sku, quantity))
    return customer.strip(), lines
