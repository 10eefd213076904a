"""`python -m sandbox.shipping`: the carrier, a third party with a ledger of its own.

`POST /shipments {order_id}` books one: 201, or 200 with the first booking when the `Idempotency-Key` was seen before.
`GET /shipments/ORDER_ID` lists an order's shipments. Tracking and delivery are left out.
"""

import json
from contextlib import AsyncExitStack

from aiohttp import web

from sandbox import serve, settings
from sandbox.third_party import control
from sandbox.third_party.ledger import Entry, Ledger


class Shipping:
    """The carrier's public interface over its ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def app(self) -> web.Application:
        """The routes the shop calls."""
        app = web.Application()
        app.add_routes([web.post("/shipments", self._book), web.get("/shipments/{order_id}", self._shipments_of)])
        return app

    async def _book(self, request: web.Request) -> web.Response:
        key = request.headers.get("Idempotency-Key", "")
        try:
            order_id = (await request.json())["order_id"]
        except (json.JSONDecodeError, KeyError, TypeError):
            return web.json_response({"error": "wanted: order_id"}, status=400)
        if not isinstance(order_id, str):
            return web.json_response({"error": "order_id must be text"}, status=400)
        earlier = self._ledger.with_key(key) if key else None
        if earlier is not None:
            return web.json_response(earlier)
        entry: Entry = {"shipment_id": f"sh-{len(self._ledger) + 1:08d}", "order_id": order_id, "idempotency_key": key}
        self._ledger.append(entry)
        return web.json_response(entry, status=201)

    async def _shipments_of(self, request: web.Request) -> web.Response:
        return web.json_response(self._ledger.of_order(request.match_info["order_id"]))


async def start(stack: AsyncExitStack) -> None:
    """Opens the ledger and the ports."""
    ledger = Ledger(settings.data_folder() / "shipments.jsonl")
    stack.callback(ledger.close)
    await control.open_ports(Shipping(ledger).app(), ledger, stack)


if __name__ == "__main__":
    serve.run(start)
