"""HTML for people: product list and search, product, cart, checkout, order, status."""

import uuid

from aiohttp import web

from sandbox.storefront import cart, orders
from sandbox.storefront.api import CUSTOMER_LETTERS_MAX, KEY_LETTERS_MAX
from sandbox.storefront.catalogue import Catalogue, Product
from sandbox.storefront.checkout import QUANTITY_MAX, Checkout
from sandbox.storefront.problems import Problem
from sandbox.storefront.reads import Reads
from sandbox.storefront.rendering import Pages
from sandbox.storefront.status import StatusWatch

PRODUCTS_ON_A_PAGE = 24


class PageHandlers:
    """The page handlers."""

    def __init__(
        self, pages: Pages, catalogue: Catalogue, checkout: Checkout, reads: Reads, watch: StatusWatch
    ) -> None:
        self._pages = pages
        self._catalogue = catalogue
        self._checkout = checkout
        self._reads = reads
        self._watch = watch

    async def home(self, request: web.Request) -> web.Response:
        """`GET /?q=&page=`: product list or search result."""
        found = await self._catalogue.search(request.query.get("q", ""))
        pages = max(1, -(-len(found) // PRODUCTS_ON_A_PAGE))
        asked = request.query.get("page", "1")
        number = min(max(1, int(asked)), pages) if asked.isdecimal() and len(asked) < 6 else 1
        shown = found[(number - 1) * PRODUCTS_ON_A_PAGE : number * PRODUCTS_ON_A_PAGE]
        return self._pages.render(request, "home.html", products=shown, found=len(found), number=number, pages=pages)

    async def product(self, request: web.Request) -> web.Response:
        """`GET /products/SKU`."""
        return self._pages.render(request, "product.html", product=await self._product(request.match_info["sku"]))

    async def show_cart(self, request: web.Request) -> web.Response:
        """`GET /cart`."""
        lines, total_cents = await self._lines(request)
        return self._pages.render(request, "cart.html", lines=lines, total_cents=total_cents)

    async def change_cart(self, request: web.Request) -> web.Response:
        """`POST /cart` (sku, quantity, and `add` to add to what is there): changes the cookie, then shows the cart."""
        form = await request.post()
        sku = str(form.get("sku", ""))
        quantity = str(form.get("quantity", "1"))
        if not quantity.isdecimal() or len(quantity) > 3:
            raise Problem(400, "The quantity must be a number.")
        await self._product(sku)
        held = cart.read(request.cookies)
        wanted = int(quantity) + (held.get(sku, 0) if "add" in form else 0)
        reply = web.HTTPSeeOther("/cart")
        reply.set_cookie(
            cart.COOKIE,
            cart.write(cart.change(held, sku, wanted)),
            max_age=cart.AGE_MAX_S,
            httponly=True,
            samesite="Lax",
        )
        raise reply

    async def show_checkout(self, request: web.Request) -> web.Response:
        """`GET /checkout`: the form, with the key that makes sending it twice harmless."""
        lines, total_cents = await self._lines(request)
        if not lines:
            raise web.HTTPSeeOther("/cart")
        return self._checkout_page(request, lines, total_cents, key=str(uuid.uuid4()))

    async def place(self, request: web.Request) -> web.Response:
        """`POST /checkout`: places the order, empties the cart and shows the order; on trouble, the form again."""
        form = await request.post()
        key, customer = str(form.get("key", "")), str(form.get("customer", "")).strip().replace("\0", "")
        lines, total_cents = await self._lines(request)
        if not lines:
            raise web.HTTPSeeOther("/cart")
        if not 1 <= len(key) <= KEY_LETTERS_MAX:
            raise Problem(400, "This form is out of date. Please open the checkout again.")
        try:
            if not 1 <= len(customer) <= CUSTOMER_LETTERS_MAX:
                raise Problem(400, "Please tell us your name.")
            placed = await self._checkout.place(key, customer, cart.lines(cart.read(request.cookies)))
        except Problem as problem:
            return self._checkout_page(request, lines, total_cents, key=key, customer=customer, problem=problem)
        reply = web.HTTPSeeOther(f"/orders/{placed.order_id}")
        reply.del_cookie(cart.COOKIE)
        raise reply

    async def order(self, request: web.Request) -> web.Response:
        """`GET /orders/ID` for people."""
        order = await orders.find(self._reads, request.match_info["order_id"])
        return self._pages.render(request, "order.html", order=order)

    async def status(self, request: web.Request) -> web.Response:
        """`GET /status` for people."""
        return self._pages.render(request, "status.html", status_page=self._watch.current)

    async def problem(self, request: web.Request, problem: Problem) -> web.Response:
        """The page for a request that could not be served."""
        return self._pages.render(request, "problem.html", status=problem.status, problem=problem)

    def _checkout_page(
        self,
        request: web.Request,
        lines: list[tuple[Product, int]],
        total_cents: int,
        *,
        key: str,
        customer: str = "",
        problem: Problem | None = None,
    ) -> web.Response:
        return self._pages.render(
            request,
            "checkout.html",
            status=problem.status if problem else 200,
            lines=lines,
            total_cents=total_cents,
            key=key,
            customer=customer,
            customer_letters_max=CUSTOMER_LETTERS_MAX,
            problem=problem,
        )

    async def _product(self, sku: str) -> Product:
        product = await self._catalogue.product(sku)
        if product is None:
            raise Problem(404, "There is no such product.")
        return product

    async def _lines(self, request: web.Request) -> tuple[list[tuple[Product, int]], int]:
        """The cart's products with their quantities, and the total in cents; products no longer sold are left out."""
        lines = []
        for sku, quantity in cart.read(request.cookies).items():
            product = await self._catalogue.product(sku)
            if product is not None:
                lines.append((product, min(quantity, QUANTITY_MAX)))
        return lines, sum(product["price_cents"] * quantity for product, quantity in lines)
