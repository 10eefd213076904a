"""What the load is told: rates, time-out, seed, where to send, and how requests look.

The shape of requests and replies is data from the system's manifest (its `load:` section), so that the generator
knows nothing of the shop. Texts in it may hold `{key}`, `{sku}` and `{lines}`. A user's own requests are streams
beside those, whose texts may hold `{n}` and `{key}`. Leaves out when things are sent: that is `schedule`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from chaos.metrics import BROWSE, ORDERS
from chaos.model import Frozen, HttpLoad, Status


class SkuPattern(Frozen):
    """Numbered goods, as in SKU-0001 to SKU-0190."""

    pattern: str = Field(description="A format with `n`, as in SKU-{n:04d}.")
    first: int
    last: int


class Request(Frozen):
    """What is sent to place an order."""

    method: str = "POST"
    path: str
    headers: dict[str, str] = Field(default_factory=dict)
    json_: Any = Field(alias="json", description="The body; the text {lines} alone stands for the list of lines.")


class Reply(Frozen):
    """Where a good reply says which order it made, as names of its JSON object's members."""

    order_id: str
    amount_cents: str


class Orders(Frozen):
    """How orders are placed, and what replies mean."""

    request: Request
    ok: list[int] = Field(min_length=1, description="Status codes that say yes; every other one says no.")
    reply: Reply
    skus: list[str] | SkuPattern = Field(description="Goods to order and to look at.")

    def goods(self) -> list[str]:
        """Every SKU, spelt out."""
        if isinstance(self.skus, list):
            return self.skus
        return [self.skus.pattern.format(n=n) for n in range(self.skus.first, self.skus.last + 1)]


class Page(Frozen):
    """A page that customers ask for."""

    path: str = Field(description="May hold {sku}.")
    weight: float = Field(default=1.0, gt=0, description="How often, compared with the others.")


class Browse(Frozen):
    """What customers look at."""

    mix: list[Page] = Field(min_length=1)
    ok: list[int] = Field(default=[200], min_length=1)


class Shape(Frozen):
    """The `load:` section of a manifest."""

    orders: Orders
    browse: Browse


class Stream(Frozen):
    """One entry of `load.http`, with the address that its service has in this run."""

    name: str
    url: str = Field(description="Where its service is, as in http://198.18.0.10:8080.")
    path: str = Field(description="May hold {n} and {key}.")
    per_s: float = Field(gt=0)
    method: str
    headers: dict[str, str]
    json_: Any = Field(alias="json")
    body: str | None
    ok: list[Status] | None

    @staticmethod
    def of(asked: HttpLoad, url: str, path: str) -> Stream:
        """The entry of an experiment, to be sent to this address and path."""
        same = asked.model_dump(by_alias=True, exclude={"url", "rate"})
        return Stream.model_validate({**same, "url": url, "path": path, "per_s": asked.rate})


class LoadSpec(Frozen):
    """Everything the generator needs to know; one JSON line on its stdin."""

    url: str = Field(default="", description="The entrance for orders and browsing, as in http://198.18.0.10:8080.")
    orders_per_s: float = Field(default=0.0, ge=0)
    browse_per_s: float = Field(default=0.0, ge=0)
    http: list[Stream] = Field(default_factory=list)
    timeout_s: float = Field(gt=0, description="How long a customer waits, from the moment the request is sent.")
    seed: int
    history: Path = Field(description="Where history.jsonl is written; must not exist yet.")
    t0: float = Field(description="CLOCK_MONOTONIC when the run started; every `t` counts from it.")
    shape: Shape | None = Field(default=None, description="How orders and pages look; none: there are none.")

    @property
    def rates(self) -> dict[str, float]:
        """Every stream with its operations per second; orders and browsing are there at 0 too, if they can be."""
        known = {} if self.shape is None else {ORDERS: self.orders_per_s, BROWSE: self.browse_per_s}
        return known | {stream.name: stream.per_s for stream in self.http}


def fill(template: Any, values: Mapping[str, Any]) -> Any:
    """A copy of a JSON value with each `{name}` in its texts replaced; a text that is `{name}` alone takes any type."""
    if isinstance(template, str):
        for name, value in values.items():
            if template == f"{{{name}}}":
                return value
            if isinstance(value, str | int):
                template = template.replace(f"{{{name}}}", str(value))
        return template
    if isinstance(template, dict):
        return {name: fill(value, values) for name, value in template.items()}
    if isinstance(template, list):
        return [fill(value, values) for value in template]
    return template
