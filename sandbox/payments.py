"""`python -m sandbox.payments`: the payment gateway, a third party with a ledger of its own.

`POST /charges {order_id, amount_cents}` charges: 201, or 200 with the first charge when the `Idempotency-Key` was seen
before. Without a key every call charges, as real gateways do. `GET /charges/ORDER_ID` lists an order's charges. Refunds
and callbacks are left out.
"""

import json
from contextlib import AsyncExitStack

from aiohttp import web

from sandbox import serve, settings
from sandbox.third_party import control
from sandbox.third_party.ledger import Entry, Ledger


class Payments:
    """The gateway's public interface over its ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def app(self) -> web.Application:
        """The routes the shop calls."""
        app = web.Application()
        app.add_routes([web.post("/charges", self._charge), web.get("/charges/{order_id}", self._charges_of)])
        return app

    async def _charge(self, request: web.Request) -> web.Response:
        key = request.headers.get("Idempotency-Key", "")
        try:
            asked = await request.json()
            order_id, amount_cents = asked["order_id"], asked["amount_cents"]
        except (json.JSONDecodeError, KeyError, TypeError):
            return web.json_response({"error": "wanted: order_id and amount_cents"}, status=400)
        if not isinstance(order_id, str) or not isinstance(amount_cents, int) or amount_cents <= 0:
            return web.json_response({"error": "order_id must be text, amount_cents a positive number"}, status=400)
        earlier = self._ledger.with_key(key) if key else None
        if earlier is not None:
            return web.json_response(earlier)
        entry: Entry = {
            "charge_id": f"ch-{len(self._ledger) + 1:08d}",
            "order_id": order_id,
            "amount_cents": amount_cents,
            "idempotency_key": key,
            "status": "charged",
        }
        self._ledger.append(entry)
        return web.json_response(entry, status=201)

    async def _charges_of(self, request: web.Request) -> web.Response:
        return web.json_response(self._ledger.of_order(request.match_info["order_id"]))


async def start(stack: AsyncExitStack) -> None:
    """Opens the ledger and the ports."""
    ledger = Ledger(settings.data_folder() / "charges.jsonl")
    stack.callback(ledger.close)
    await control.open_ports(Payments(ledger).app(), ledger, stack)


if __name__ == "__main__":
    serve.run(start)
