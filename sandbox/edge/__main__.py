"""`python -m sandbox.edge`: limits, then forwards; checks the storefronts' health meanwhile."""

from contextlib import AsyncExitStack

import aiohttp
from aiohttp import web

from sandbox import protections, serve, settings
from sandbox.edge import refusals
from sandbox.edge.balancer import Balancer, Storefront
from sandbox.edge.forward import BODY_BYTES_MAX, Forwarder
from sandbox.edge.limits import ClientRates, TooBusyError, UnderWay

_BEFORE_BROWSING = ("/orders", "/cart", "/checkout", "/status")
"""Ordering, looking up an order, and the word to customers: what an overload must not turn away first."""


async def start(stack: AsyncExitStack) -> None:
    """Opens the entrance."""
    balancer = Balancer([Storefront(name) for name in settings.services("storefront-")])
    # auto_decompress off: bodies pass as they are. Cookies belong to the buyers, not to this client.
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )
    stack.push_async_callback(session.close)
    forwarder = Forwarder(balancer, session)
    rates, under_way = ClientRates(), UnderWay()

    async def enter(request: web.Request) -> web.Response:
        if not request.raw_path.startswith("/"):
            return refusals.refuse(request, 400, "Bad request", "The request line names no path of this shop.")
        if not rates.take(request.remote or ""):
            return refusals.too_fast(request)
        try:
            with under_way.one(browsing=not request.path.startswith(_BEFORE_BROWSING)):
                return await forwarder.forward(request)
        except TooBusyError:
            return refusals.too_busy(request)

    async def healthy(_request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    app = web.Application(client_max_size=BODY_BYTES_MAX)
    app.add_routes([web.get("/healthz", healthy), web.route("*", "/{path:.*}", enter)])
    await serve.listen(app, settings.own_address("http"), stack)
    if protections.on("health_checks"):
        await serve.spawn(balancer.check_for_ever(session), stack)


if __name__ == "__main__":
    serve.run(start)
