"""A spec → the operations of the load and when each is due. Pure: the same seed gives the same ones, for ever.

Each stream has exactly one operation in each of its intervals, at a moment drawn within it. Poisson arrivals would
cluster: their bursts widen the tail of the latency by themselves, and at 20/s a 10 s phase would hold anything from
170 to 230 orders, so that phases would differ without any fault. A fixed beat would fall into step with whatever else
in the system has one (health checks, sweeps, the other streams). Leaves out the clock: `due_s` counts from the start.
"""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from random import Random

from chaos.load.history import Line
from chaos.load.spec import LoadSpec, Shape, fill
from chaos.metrics import BROWSE, ORDERS

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
    """The operations of all streams in the order they come due, without end unless every rate is 0."""
    shopping = None if spec.shape is None else _Shopping(spec.seed, spec.shape)
    paths = {stream.name: stream.path for stream in spec.http}
    arrivals = heapq.merge(*(_arrivals(spec.seed, kind, rate) for kind, rate in spec.rates.items()))
    for op, (due_s, kind) in enumerate(arrivals):
        if kind in paths:
            key = _key(spec.seed, op)
            yield Due(op, kind, due_s, key=key, path=fill(paths[kind], {"n": op, "key": key}))
            continue
        assert shopping is not None  # without a shape, orders and pages have no rate
        if kind == ORDERS:
            yield Due(op, kind, due_s, key=_key(spec.seed, op), lines=shopping.basket())
        else:
            yield Due(op, kind, due_s, path=shopping.page())


def _arrivals(seed: int, kind: str, per_s: float) -> Iterator[tuple[float, str]]:
    if per_s == 0:
        return
    draw = Random(f"{seed}/when/{kind}")
    for interval in count():
        yield (interval + draw.random()) / per_s, kind


def _key(seed: int, op: int) -> str:
    return str(uuid.uuid5(_KEYS, f"{seed}/{op}"))


class _Shopping:
    """Draws what is ordered and looked at next."""

    def __init__(self, seed: int, shape: Shape) -> None:
        self._goods, self._pages = shape.orders.goods(), shape.browse.mix
        self._orders, self._browse = Random(f"{seed}/what/{ORDERS}"), Random(f"{seed}/what/{BROWSE}")

    def basket(self) -> tuple[Line, ...]:
        """The lines of an order."""
        draw = self._orders
        skus = draw.sample(self._goods, min(len(self._goods), draw.randint(1, LINES_MAX)))
        return tuple(Line(sku, draw.randint(1, QUANTITY_MAX)) for sku in skus)

    def page(self) -> str:
        """The path of a page."""
        page = self._browse.choices(self._pages, [page.weight for page in self._pages])[0]
        return str(fill(page.path, {"sku": self._browse.choice(self._goods)}))
