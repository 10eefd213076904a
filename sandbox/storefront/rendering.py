"""Templates: prices, pictures, and what every page carries (search words, the cart's size, the status banner)."""

from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader

from sandbox.storefront import cart
from sandbox.storefront.status import StatusWatch


class Pages:
    """Renders the templates of this folder."""

    def __init__(self, watch: StatusWatch) -> None:
        self._watch = watch
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["money"] = money

    def render(self, request: web.Request, template: str, *, status: int = 200, **values: Any) -> web.Response:
        """The page as a reply; `values` are what the template asks for."""
        text = self._environment.get_template(template).render(
            words=request.query.get("q", ""),
            in_cart=sum(cart.read(request.cookies).values()),
            shop=self._watch.current,
            path=request.path,
            **values,
        )
        return web.Response(status=status, text=text, content_type="text/html", headers={"Cache-Control": "no-store"})


def money(cents: int) -> str:
    """An amount as buyers read it."""
    return f"€{cents // 100:,}.{cents % 100:02d}"
