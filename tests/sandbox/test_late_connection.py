"""The primary can be reached, but only after the buyer was told that the order was not placed: then it must not be."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from sandbox import settings
from sandbox.postgres import Database, DatabaseUnavailableError
from sandbox.storefront.charging import Charging
from sandbox.storefront.checkout import WRITE_S, Checkout, Line
from sandbox.storefront.problems import Problem
from sandbox.storefront.reads import Reads
from tests.sandbox.launcher import Shop

LATE_S = WRITE_S + 0.5
"""How long connecting takes: beyond what a checkout waits, within what a connection is given (2 s)."""
SETTLE_S = 1.0
"""How long a statement that was sent after all would have to be carried out; it takes some milliseconds."""

READ_TRIES_MAX = 10


class SlowRelay:
    """Passes TCP on to `port`, each connection only after `LATE_S`; what has passed already is not slowed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.passed = asyncio.Event()  # a connection has got through

    async def serve(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        await asyncio.sleep(LATE_S)
        far, forth = await asyncio.open_connection("127.0.0.1", self._port)
        self.passed.set()
        pumps = [asyncio.create_task(self._pump(near, forth)), asyncio.create_task(self._pump(far, back))]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        for writer in (forth, back):
            writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def far_primary(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SlowRelay]:
    """The shop's addresses, with the primary behind a slow relay."""
    relay = SlowRelay(shop.ports["db-primary", "sql"])
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    ports = {name: shop.ports[name, "sql"] for name in ("db-replica-1", "db-replica-2")}
    ports["db-primary"] = server.sockets[0].getsockname()[1]
    addresses = {name: {"sql": settings.Address("127.0.0.1", port)} for name, port in ports.items()}
    addresses["payments"] = {"http": settings.Address("127.0.0.1", shop.ports["payments", "http"])}
    monkeypatch.setenv("SHOP_SERVICE", "test")
    monkeypatch.setattr(settings, "_addresses", lambda: addresses)
    async with server:
        yield relay


async def connected(reads: Reads) -> None:
    """Asks until an answer comes in time; on a busy machine the first connection may take longer than a read may."""
    for _ in range(READ_TRIES_MAX):
        with suppress(DatabaseUnavailableError):
            await reads.query("select 1")
            return
    raise AssertionError("the replicas do not answer")


def orders_under(shop: Shop, key: str) -> int:
    return int(shop.sql("db-primary", f"select count(*) from orders where idempotency_key = '{key}'")[0][0])


def test_an_order_that_was_refused_never_appears(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [Line("SKU-0011", 1)]

    async def work() -> None:
        async with far_primary(shop, monkeypatch) as relay:
            primary = Database("db-primary", connections_max=2)
            reads = Reads("db-replica-1", ["db-replica-2"], Database("db-primary", connections_max=1))
            charging = Charging(primary)
            checkout = Checkout(reads, primary, charging)
            try:
                await connected(reads)  # so that the price is known in time
                with pytest.raises(Problem) as refused:
                    await checkout.place("refused", "a test", lines)
                assert "It was not placed and no money was taken" in refused.value.message
                assert not relay.passed.is_set(), "the refusal came while connecting"
                await asyncio.wait_for(relay.passed.wait(), 10 * LATE_S)
                await asyncio.sleep(SETTLE_S)
                assert orders_under(shop, "refused") == 0
                placed = await checkout.place("taken", "a test", lines)  # over the connection that came too late
                assert (placed.repeated, orders_under(shop, "taken")) == (False, 1)
                assert orders_under(shop, "refused") == 0
            finally:
                for part in (charging, reads, primary):
                    await part.close()

    asyncio.run(work())


def test_a_statement_that_found_no_free_connection_is_never_sent(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        async with far_primary(shop, monkeypatch):
            primary = Database("db-primary", connections_max=1)
            try:
                await primary.query("create temporary table sent (which int)", budget_s=10 * LATE_S)
                busy = asyncio.ensure_future(primary.query("select pg_sleep(0.5)", budget_s=5))
                await asyncio.sleep(0.1)
                with pytest.raises(DatabaseUnavailableError) as refused:
                    await primary.query("insert into sent values (1)", budget_s=0.1)
                assert not refused.value.maybe_done
                await busy
                assert await primary.query("select count(*) from sent", budget_s=5) == [(0,)]
            finally:
                await primary.close()

    asyncio.run(work())
