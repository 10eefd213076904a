"""A spec → the operations of the load and when each is due. Pure: the same seed gives the same orders, for ever.

Each stream has exactly one operation in each of its intervals, at a moment drawn within it. Poisson arrivals would
cluster: their bursts widen the tail of the latency by themselves, and at 20/s a 10 s phase would hold anything from
170 to 230 orders, so that phases would differ without any fault. A fixed beat would fall into step with whatever else
in the system has one (health checks, sweeps, the other stream). Leaves out the clock: `due_s` counts from the start.
"""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from random import Random

from chaos.load.history import Line
from chaos.load.spec import LoadSpec, Page, fill

ORDERS = "orders"
BROWSE = "browse"
LINES_MAX = 3
QUANTITY_MAX = 2
_KEYS = uuid.UUID("0d6f5a2c-3c1b-4a53-9f0a-6a6f2f7d6e11")  # the name space of idempotency keys; any constant would do


@dataclass(frozen=True, slots=True)
class Due:
    """An operation to be sent; `due_s` is seconds after the load began."""

    op: int
    kind: str
    due_s: float
    key: str = ""
    lines: tuple[Line, ...] = ()
    path: str = ""


def schedule(spec: LoadSpec) -> Iterator[Due]:
    """The operations of all streams in the order they come due, without end unless both rates are 0."""
    goods = spec.shape.orders.goods()
    pages = spec.shape.browse.mix
    draw_order, draw_page = Random(f"{spec.seed}/what/{ORDERS}"), Random(f"{spec.seed}/what/{BROWSE}")
    arrivals = heapq.merge(*(_arrivals(spec, kind) for kind in (ORDERS, BROWSE)))
    for op, (due_s, kind) in enumerate(arrivals):
        if kind == ORDERS:
            key = str(uuid.uuid5(_KEYS, f"{spec.seed}/{op}"))
            yield Due(op, kind, due_s, key=key, lines=_basket(draw_order, goods))
        else:
            yield Due(op, kind, due_s, path=_page(draw_page, pages, goods))


def _arrivals(spec: LoadSpec, kind: str) -> Iterator[tuple[float, str]]:
    rate = spec.orders_per_s if kind == ORDERS else spec.browse_per_s
    if rate == 0:
        return
    draw = Random(f"{spec.seed}/when/{kind}")
    for interval in count():
        yield (interval + draw.random()) / rate, kind


def _basket(draw: Random, goods: list[str]) -> tuple[Line, ...]:
    skus = draw.sample(goods, min(len(goods), draw.randint(1, LINES_MAX)))
    return tuple(Line(sku, draw.randint(1, QUANTITY_MAX)) for sku in skus)


def _page(draw: Random, pages: list[Page], goods: list[str]) -> str:
    page = draw.choices(pages, [page.weight for page in pages])[0]
    return str(fill(page.path, {"sku": draw.choice(goods)}))
