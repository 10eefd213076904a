"""`python -m sandbox.storefront`: puts the parts together and serves pages and JSON on one port."""

from contextlib import AsyncExitStack
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox import serve, settings
from sandbox.postgres import Database
from sandbox.storefront import problems
from sandbox.storefront.api import Api
from sandbox.storefront.catalogue import Catalogue
from sandbox.storefront.charging import Charging
from sandbox.storefront.checkout import Checkout
from sandbox.storefront.pages import PageHandlers
from sandbox.storefront.product_cache import ProductCache
from sandbox.storefront.reads import Reads
from sandbox.storefront.rendering import Pages
from sandbox.storefront.status import StatusWatch

PRIMARY_CONNECTIONS_MAX = 16
BODY_BYTES_MAX = 64 * 1024


async def start(stack: AsyncExitStack) -> None:
    """Opens the storefront."""
    primary = Database("db-primary", connections_max=PRIMARY_CONNECTIONS_MAX)
    own, others = _replicas()
    reads = Reads(own, others, primary)
    cache = ProductCache()
    charging = Charging(primary)
    for part in (primary, reads, cache, charging):
        stack.push_async_callback(part.close)
    catalogue = Catalogue(reads, cache)
    checkout = Checkout(reads, primary, charging)
    watch = StatusWatch(primary, reads)
    page = PageHandlers(Pages(watch), catalogue, checkout, reads, watch)
    app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[problems.middleware(page.problem)])
    app.add_routes(_routes(page, Api(catalogue, checkout, reads, watch)))
    await serve.listen(app, settings.own_address("http"), stack)
    await serve.spawn(watch.run(), stack)


def _replicas() -> tuple[str, list[str]]:
    """This storefront's own replica, and the others: storefronts and replicas are paired in order."""
    names = settings.services("db-replica-")
    own = names[settings.services("storefront-").index(settings.service()) % len(names)]
    return own, [name for name in names if name != own]


def _routes(page: PageHandlers, api: Api) -> list[web.AbstractRouteDef]:
    def either(for_people: Handler, for_programs: Handler) -> Handler:
        async def choose(request: web.Request) -> web.StreamResponse:
            return await (for_people if problems.wants_page(request) else for_programs)(request)

        return choose

    async def healthy(_request: web.Request) -> web.Response:
        """This process can answer. Databases and third parties are not asked: another storefront has the same ones."""
        return web.Response(text="ok\n")

    return [
        web.get("/", page.home),
        web.get("/products/{sku}", page.product),
        web.get("/cart", page.show_cart),
        web.post("/cart", page.change_cart),
        web.get("/checkout", page.show_checkout),
        web.post("/checkout", page.place),
        web.post("/orders", api.place),
        web.get("/orders/{order_id}", either(page.order, api.order)),
        web.get("/status", either(page.status, api.status)),
        web.get("/api/products", api.products),
        web.get("/api/products/{sku}", api.product),
        web.get("/healthz", healthy),
        web.static("/static", Path(__file__).parent / "static"),
    ]


if __name__ == "__main__":
    serve.run(start)
