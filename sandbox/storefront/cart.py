"""The cart: kept whole in the buyer's cookie, so no storefront has to remember it and any of them can serve the next
page.
"""

import re
from collections.abc import Mapping

from sandbox.storefront.checkout import LINES_MAX, QUANTITY_MAX, Line

COOKIE = "cart"
AGE_MAX_S = 14 * 24 * 3600

_LINE = re.compile(r"([A-Z0-9-]{1,20})\.([1-9][0-9]?)")


def read(cookies: Mapping[str, str]) -> dict[str, int]:
    """Quantities by SKU; whatever is not well-formed is dropped, since buyers can write their cookies."""
    cart: dict[str, int] = {}
    for text in cookies.get(COOKIE, "").split("_")[:LINES_MAX]:
        if match := _LINE.fullmatch(text):
            cart[match[1]] = int(match[2])
    return cart


def write(cart: Mapping[str, int]) -> str:
    """The cookie's value."""
    return "_".join(f"{sku}.{quantity}" for sku, quantity in cart.items())


def change(cart: Mapping[str, int], sku: str, quantity: int) -> dict[str, int]:
    """The cart with `quantity` of the product, which is taken out at zero. A full cart takes no further product."""
    changed = dict(cart)
    changed.pop(sku, None)
    if quantity > 0 and len(changed) < LINES_MAX:
        changed[sku] = min(quantity, QUANTITY_MAX)
    return changed


def lines(cart: Mapping[str, int]) -> list[Line]:
    """The cart as order lines."""
    return [Line(sku, quantity) for sku, quantity in cart.items()]
