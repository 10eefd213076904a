"""The PostgreSQL client against a real server: budgets hold, late answers keep their connection."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from sandbox import settings
from sandbox.postgres import LINGER_S, Database, DatabaseUnavailableError
from tests.sandbox.launcher import Shop

SESSION = "select pg_backend_pid()"
ORPHANED_S = 0.5
"""Far longer than a killed server's children take to see that they are alone; until then one may still answer."""


@pytest.fixture
def with_database(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[Database], Awaitable[None]]], None]:
    """Runs a coroutine with a client of db-replica-1 that has two connections at most."""
    monkeypatch.setenv("SHOP_SERVICE", "test")
    address = settings.Address("127.0.0.1", shop.ports["db-replica-1", "sql"])
    monkeypatch.setattr(settings, "_addresses", lambda: {"db-replica-1": {"sql": address}})

    def run(work: Callable[[Database], Awaitable[None]]) -> None:
        async def main() -> None:
            database = Database("db-replica-1", connections_max=2)
            await work(database)
            await database.close()

        asyncio.run(main())

    return run


def test_a_late_answer_keeps_its_connection(with_database: Callable[..., None]) -> None:
    async def work(database: Database) -> None:
        before = await database.query(SESSION, budget_s=5)
        with pytest.raises(DatabaseUnavailableError) as caught:
            await database.query("select pg_sleep(0.4)", budget_s=0.1)
        assert caught.value.maybe_done
        await asyncio.sleep(0.6)
        assert await database.query(SESSION, budget_s=5) == before

    with_database(work)


def test_a_hung_server_costs_the_budget_and_no_more(shop: Shop, with_database: Callable[..., None]) -> None:
    async def work(database: Database) -> None:
        before = await database.query(SESSION, budget_s=5)
        with shop.paused("db-replica-1"):
            for _ in range(4):  # more than there are connections
                started = time.monotonic()
                with pytest.raises(DatabaseUnavailableError):
                    await database.query(SESSION, budget_s=0.1)
                assert time.monotonic() - started < 1.0
            await asyncio.sleep(LINGER_S + 0.3)
        assert await database.query(SESSION, budget_s=5) != before, "what hung was given up"

    with_database(work)


def test_a_refusing_server_fails_at_once_and_is_used_once_back(shop: Shop, with_database: Callable[..., None]) -> None:
    async def work(database: Database) -> None:
        await database.query(SESSION, budget_s=5)
        shop.kill("db-replica-1")
        await asyncio.sleep(ORPHANED_S)
        for _ in range(3):
            started = time.monotonic()
            with pytest.raises(DatabaseUnavailableError):
                await database.query(SESSION, budget_s=5)
            assert time.monotonic() - started < 2.0
        shop.start("db-replica-1")
        await asyncio.to_thread(shop.wait_ready, "db-replica-1")
        await database.query(SESSION, budget_s=5)

    with_database(work)
