"""`python -m sandbox.worker`: the two settling loops, and `/healthz` and `/metrics` (backlog and circuits as JSON)."""

from contextlib import AsyncExitStack

from aiohttp import web

from sandbox import serve, settings
from sandbox.breaker import Breaker
from sandbox.gateway import Gateway
from sandbox.postgres import Database, DatabaseUnavailableError
from sandbox.worker.outbox import Outbox, Work
from sandbox.worker.settle import CALL_S, Settler

CONNECTIONS_MAX = 8
OPEN_S_MAX = 1.0
"""Trials are cheap here, and a third party that is back should not be left waiting."""


async def start(stack: AsyncExitStack) -> None:
    """Starts the loops and opens the port."""
    database = Database("db-primary", connections_max=CONNECTIONS_MAX)
    stack.push_async_callback(database.close)
    payments = Gateway("payments", budget_s=CALL_S)
    shipping = Gateway("shipping", budget_s=CALL_S)
    stack.push_async_callback(payments.close)
    stack.push_async_callback(shipping.close)

    async def charge(work: Work, key: str) -> str:
        return await payments.charge(work.order_id, work.amount_cents, key=key)

    async def ship(work: Work, key: str) -> str:
        return await shipping.book(work.order_id, key=key)

    outboxes = {"charge": Outbox(database, "charge"), "ship": Outbox(database, "ship")}
    settlers = {
        "charge": Settler(outboxes["charge"], charge, Breaker("payments", open_max_s=OPEN_S_MAX)),
        "ship": Settler(outboxes["ship"], ship, Breaker("shipping", open_max_s=OPEN_S_MAX)),
    }

    async def healthy(_request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def metrics(_request: web.Request) -> web.Response:
        try:
            backlogs = {kind: await outbox.backlog() for kind, outbox in outboxes.items()}
        except DatabaseUnavailableError as error:
            return web.json_response({"error": str(error)}, status=503)
        return web.json_response(
            {
                kind: {"backlog": count, "oldest_s": round(oldest_s, 3), "circuit": settlers[kind].breaker.state}
                for kind, (count, oldest_s) in backlogs.items()
            }
        )

    app = web.Application()
    app.add_routes([web.get("/healthz", healthy), web.get("/metrics", metrics)])
    await serve.listen(app, settings.own_address("http"), stack)
    for settler in settlers.values():
        await serve.spawn(settler.run(), stack)


if __name__ == "__main__":
    serve.run(start)
