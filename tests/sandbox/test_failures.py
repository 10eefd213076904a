"""The hardened shop while parts of it fail: orders go on, nothing is lost, everything settles."""

import asyncio
import threading
import time

from tests.sandbox.launcher import Shop, many_orders, wait_until

RATE = 30


def orders_while(shop: Shop, prefix: str, act: object, count: int = 75) -> list[tuple[int, float]]:
    """Orders at `RATE` a second, with `act` done half a second after the first."""
    assert callable(act)
    timer = threading.Timer(0.5, act)
    timer.start()
    answers = asyncio.run(many_orders(shop, count, rate=RATE, prefix=prefix))
    timer.join()
    return answers


def succeeded(answers: list[tuple[int, float]]) -> int:
    return sum(status in (200, 201) for status, _ in answers)


def test_a_killed_storefront_costs_no_order(shop: Shop) -> None:
    answers = orders_while(shop, "storefront-dies", lambda: shop.kill("storefront-1"))
    assert succeeded(answers) == len(answers), answers


def test_a_hung_storefront_costs_no_order(shop: Shop) -> None:
    def hang() -> None:
        with shop.paused("storefront-1"):
            time.sleep(1.5)

    answers = orders_while(shop, "storefront-hangs", hang)
    assert succeeded(answers) == len(answers), answers


def test_a_killed_replica_costs_no_order_and_comes_back(shop: Shop) -> None:
    answers = orders_while(shop, "replica-dies", lambda: shop.kill("db-replica-1"))
    assert succeeded(answers) == len(answers), answers
    shop.start("db-replica-1")
    shop.wait_ready("db-replica-1")
    shop.wait_drained()
    count = "select count(*), sum(amount_cents), count(*) filter (where status = 'paid') from orders"
    wait_until(lambda: shop.sql("db-replica-1", count) == shop.sql("db-primary", count), "the replica caught up", 10)


def test_a_killed_cache_costs_no_order_and_no_page(shop: Shop) -> None:
    shop.kill("cache")
    for path in ("/", "/?q=lamp", "/products/SKU-0001"):
        assert shop.get("edge", path)[0] == 200
    assert shop.order("no-cache")[0] == 201


def test_a_restarted_primary_loses_nothing(shop: Shop) -> None:
    before = shop.order("before-restart")[1]["order_id"]
    shop.restart("db-primary")
    assert shop.order("after-restart")[0] == 201
    assert shop.get("edge", f"/orders/{before}")[1]["order_id"] == before
    shop.wait_ready("db-replica-1")
    shop.wait_ready("db-replica-2")


def test_a_payment_outage_defers_and_is_told(shop: Shop) -> None:
    shop.set_fault("payments", mode="refuse", expires_s=30)
    answers = asyncio.run(many_orders(shop, 30, rate=RATE, prefix="outage"))
    assert succeeded(answers) == len(answers)
    wait_until(lambda: shop.get("edge", "/status")[1]["parts"]["payments"] == "delayed", "/status tells", 10)
    assert not shop.drained()
    wait_until(
        lambda: "Payments are delayed" in shop.get("edge", "/", headers={"Accept": "text/html"})[1],
        "a banner tells",
        10,
    )
    shop.end_fault("payments")
    shop.wait_drained(10)
    wait_until(lambda: shop.get("edge", "/status")[1]["state"] == "ok", "/status says all is well", 10)


def test_lost_replies_charge_once(shop: Shop) -> None:
    shop.set_fault("payments", mode="reply_lost", percent=50, expires_s=30, seed=3)
    order_ids = [shop.order(f"reply-lost-{number}")[1]["order_id"] for number in range(8)]
    shop.wait_drained()
    assert shop.end_fault("payments")["affected"] > 0
    charged = [entry["order_id"] for entry in shop.ledger("payments")]
    assert all(charged.count(order_id) == 1 for order_id in order_ids)


def test_a_killed_worker_takes_up_where_it_was(shop: Shop) -> None:
    shop.kill("worker")
    order_id = shop.order("no-worker")[1]["order_id"]
    assert not shop.drained()
    shop.start("worker")
    shop.wait_drained()
    assert [entry["order_id"] for entry in shop.ledger("payments")].count(order_id) == 1


def test_services_end_when_told(shop: Shop) -> None:
    for service in ("edge", "storefront-1", "worker", "payments", "db-replica-2", "cache"):
        # Two seconds is what services are given; the rest is a busy machine.
        assert shop.terminate(service) < 3.0, service
