"""The 200 products the shop sells: ten kinds of thing in twenty makes each, the same in every run.

`SKU-0001` to `SKU-0190` never sell out under load; `SKU-0199` and `SKU-0200` are scarce on purpose.
"""

from typing import NamedTuple

AMPLE = 100_000
SCARCE = {"SKU-0199": 25, "SKU-0200": 3}

_KINDS = {
    "lamp": ("Lamp", "A warm, even light for desk or bedside.", 3900),
    "mug": ("Mug", "Holds a generous cup and keeps it hot.", 1400),
    "chair": ("Chair", "Sits well through a long dinner.", 12900),
    "blanket": ("Blanket", "Soft, washable, and large enough for two.", 5900),
    "clock": ("Clock", "Silent movement, easy to read across a room.", 4500),
    "vase": ("Vase", "Stands firmly and takes tall stems.", 2800),
    "notebook": ("Notebook", "Lies flat; 192 pages that do not bleed.", 1200),
    "kettle": ("Kettle", "Boils a litre quickly and pours without dripping.", 6400),
    "planter": ("Planter", "With saucer and drainage, for indoors.", 2400),
    "basket": ("Basket", "Woven by hand, for laundry or logs.", 3200),
}
_MAKES = (
    "Aalto", "Birch", "Cobalt", "Dune", "Ember", "Fjord", "Granite", "Harbour", "Iris", "Juniper",
    "Kelp", "Linen", "Meadow", "Nordic", "Ochre", "Pebble", "Quartz", "Rowan", "Saffron", "Tide",
)  # fmt: skip


class Product(NamedTuple):
    """One product as it is first put on sale; price in cents."""

    sku: str
    name: str
    kind: str
    description: str
    price_cents: int
    stock: int


def products() -> list[Product]:
    """All products, by SKU."""
    listed: list[Product] = []
    for make_number, make in enumerate(_MAKES):
        for kind, (noun, description, base_cents) in _KINDS.items():
            sku = f"SKU-{len(listed) + 1:04d}"
            price_cents = base_cents + 100 * (make_number * 7 % 20)
            stock = SCARCE.get(sku, AMPLE)
            listed.append(Product(sku, f"{make} {noun}", kind, description, price_cents, stock))
    return listed


def insert_sql() -> str:
    """The statements that put all products and their stock into an empty database."""
    rows, stock = [], []
    for product in products():
        texts = (product.sku, product.name, product.kind, product.description)
        # Constants of this file, none of which holds a quote; single-user mode takes no parameters.
        rows.append("('" + "', '".join(texts) + f"', {product.price_cents})")
        stock.append(f"('{product.sku}', {product.stock}, {product.stock})")
    return (
        f"insert into products (sku, name, kind, description, price_cents) values {', '.join(rows)};\n\n"
        f"insert into stock (sku, initial, remaining) values {', '.join(stock)};\n\n"
    )
