"""A small shop on loopback whose manners a test can change while it serves, and loads aimed at it."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from aiohttp import web

from chaos.load import client
from chaos.load.spec import LoadSpec, Shape

SHAPE = Shape.model_validate(
    {
        "orders": {
            "request": {
                "method": "POST",
                "path": "/orders",
                "headers": {"Idempotency-Key": "{key}"},
                "json": {"customer": "load", "lines": "{lines}"},
            },
            "ok": [200, 201],
            "reply": {"order_id": "order_id", "amount_cents": "amount_cents"},
            "skus": {"pattern": "SKU-{n:04d}", "first": 1, "last": 20},
        },
        "browse": {"mix": [{"path": "/", "weight": 3}, {"path": "/products/{sku}?from=load", "weight": 1}]},
    }
)


class Asked(NamedTuple):
    """A request of a user's own, as it came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str


class SmallShop:
    """Serves from a thread; `manners` says how: ok, slow, hang, error, reset, garbage, or close (after one reply)."""

    SLOW_S = 0.4

    def __init__(self) -> None:
        self.manners = "ok"
        self.orders: list[dict[str, object]] = []  # key and lines of each order that came in, repeats included
        self.pages: list[str] = []
        self.asked: list[Asked] = []  # below /own, where a number in the path is the status of the reply
        self.came: list[float] = []  # CLOCK_MONOTONIC of each request
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        assert self._up.wait(10)

    def stop(self) -> None:
        """Ends the server, whatever still hangs in it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._open())
        self._up.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(self._runner.cleanup())
        self._loop.close()

    async def _open(self) -> None:
        app = web.Application()
        app.router.add_post("/orders", self._order)
        app.router.add_route("*", "/own/{status:[0-9]+}{rest:.*}", self._own)
        app.router.add_get("/{page:.*}", self._page)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = site.name

    async def _order(self, request: web.Request) -> web.StreamResponse:
        self.came.append(time.monotonic())
        body = await request.json()
        self.orders.append({"key": request.headers["Idempotency-Key"], "lines": body["lines"]})
        number = len(self.orders)
        return await self._behave(
            request, web.json_response({"order_id": f"order-{number}", "amount_cents": number}, status=201)
        )

    async def _page(self, request: web.Request) -> web.StreamResponse:
        self.came.append(time.monotonic())
        self.pages.append(request.path_qs)
        return await self._behave(request, web.Response(text="a page"))

    async def _own(self, request: web.Request) -> web.StreamResponse:
        self.came.append(time.monotonic())
        # as it was sent, and not as aiohttp understands it
        self.asked.append(Asked(request.method, request.raw_path, dict(request.headers), await request.text()))
        status = int(request.match_info["status"])
        headers = {"Location": "/elsewhere"} if status == 302 else {}
        return await self._behave(request, web.Response(status=status, headers=headers))

    async def _behave(self, request: web.Request, reply: web.Response) -> web.StreamResponse:
        manners = self.manners
        if manners == "slow":
            await asyncio.sleep(self.SLOW_S)
        elif manners == "hang":
            await asyncio.sleep(3600)
        elif manners == "error":
            return web.Response(status=503, text="later")
        elif manners == "garbage":
            return web.Response(status=201, text="<html>")
        elif manners in ("reset", "close"):
            assert request.transport is not None
            if manners == "reset":
                linger_none = struct.pack("ii", 1, 0)
                request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_none)
            request.transport.abort() if manners == "reset" else request.transport.close()
        return reply


@pytest.fixture
def small_shop() -> Iterator[SmallShop]:
    """A shop that says yes until told otherwise."""
    shop = SmallShop()
    yield shop
    shop.stop()


Spec = Callable[..., LoadSpec]
Start = Callable[[LoadSpec], client.LoadProcess]


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    """Makes specs; `spec(url, orders_per_s=…)` changes what it must."""

    def make(url: str, **changes: object) -> LoadSpec:
        standard: dict[str, object] = {
            "url": url,
            "orders_per_s": 80.0,
            "browse_per_s": 40.0,
            "timeout_s": 5.0,
            "seed": 1,
            "history": tmp_path / "history.jsonl",
            "t0": time.monotonic(),
            "shape": SHAPE,
        }
        return LoadSpec.model_validate(standard | changes)

    return make


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts loads and ends them after the test."""
    running: list[client.LoadProcess] = []

    def begin(spec: LoadSpec) -> client.LoadProcess:
        load = client.start(spec)
        running.append(load)
        load.begin()
        return load

    yield begin
    for load in running:
        load.kill()
