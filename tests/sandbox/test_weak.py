"""Each protection's off-switch makes its difference, shown beside the hardened shop wherever both can be asked."""

import threading
import time

from tests.sandbox.launcher import Shop, wait_until


def statuses(shop: Shop, prefix: str, count: int = 12) -> list[int]:
    return [shop.order(f"{prefix}-{number}")[0] for number in range(count)]


def charges(shop: Shop, order_id: str) -> int:
    return sum(entry["order_id"] == order_id for entry in shop.ledger("payments"))


def test_idempotency_of_orders(shop: Shop) -> None:
    with shop.weakened("storefront-1", "idempotency"):
        first = shop.order("weak-key", service="storefront-1")
        second = shop.order("weak-key", service="storefront-1")
    assert (first[0], second[0]) == (201, 201)
    assert first[1]["order_id"] != second[1]["order_id"]


def test_idempotency_of_charges(shop: Shop) -> None:
    with shop.weakened("worker", "idempotency"):
        shop.set_fault("payments", mode="reply_lost", expires_s=20)
        order_id = shop.order("charged-twice")[1]["order_id"]
        wait_until(lambda: charges(shop, order_id) > 1, "it is charged twice", 10)
        shop.end_fault("payments")
        shop.wait_drained()


def test_timeouts(shop: Shop) -> None:
    def seconds(key: str) -> float:
        started = time.monotonic()
        assert shop.order(key, service="storefront-1")[0] == 201
        return time.monotonic() - started

    with shop.paused("db-replica-1"):
        bounded = seconds("bounded")
    with shop.weakened("storefront-1", "timeouts"):
        lasting = threading.Event()

        def hold() -> None:
            with shop.paused("db-replica-1"):
                lasting.set()
                time.sleep(2.5)

        pause = threading.Thread(target=hold)
        pause.start()
        lasting.wait()
        unbounded = seconds("unbounded")
        pause.join()
    assert bounded < 1.5
    assert unbounded > 2.0


def test_retries(shop: Shop) -> None:
    shop.kill("storefront-1")
    assert set(statuses(shop, "with-retries")) == {201}
    shop.start("storefront-1")
    shop.wait_ready("storefront-1")
    with shop.weakened("edge", "retries"):
        shop.kill("storefront-1")
        assert 503 in statuses(shop, "without-retries")


def test_health_checks(shop: Shop) -> None:
    # Retries are off in both cases, since they would make up for what health checks do not see.
    for weak, expected in (("retries", {201}), ("retries,health_checks", {201, 503})):
        with shop.weakened("edge", weak):
            shop.kill("storefront-1")
            time.sleep(2.5)  # three missed checks take 1.5 s at most
            assert set(statuses(shop, f"rotation-{weak}")) == expected
        shop.start("storefront-1")
        shop.wait_ready("storefront-1")


def test_circuit_breaker(shop: Shop) -> None:
    def calls(prefix: str) -> int:
        shop.set_fault("payments", mode="error", expires_s=30)
        shop.order(f"{prefix}-first")
        time.sleep(1.5)  # the first one's tries in a row open the circuit, where there is one
        before = shop.get("payments", "/fault", port="control")[1]["seen"]
        statuses(shop, prefix)
        time.sleep(1.5)
        seen = int(shop.end_fault("payments")["seen"]) - int(before)
        shop.wait_drained()
        return seen

    guarded = calls("guarded")
    with shop.weakened("worker", "circuit_breaker"):
        unguarded = calls("unguarded")
    assert guarded <= 6
    assert unguarded >= 20


def test_deferral(shop: Shop) -> None:
    stock = "select remaining from stock where sku = 'SKU-0050'"
    with shop.weakened("storefront-1", "deferral"):
        status, placed = shop.order("at-once", "SKU-0051", service="storefront-1")
        assert (status, placed["status"]) == (201, "paid")
        before = shop.sql("db-primary", stock)
        shop.kill("payments")  # on loopback the mode refuse resets connections, and leaves a doubt
        status, answer = shop.order("refused", "SKU-0050", service="storefront-1")
        assert status == 503
        assert answer["money_taken"] is False
        assert shop.sql("db-primary", stock) == before, "the stock was given back"
        assert shop.order("deferred", "SKU-0050", service="storefront-2")[0] == 201
        shop.restart("payments")
    shop.wait_drained()
    cancelled = shop.sql("db-primary", "select status from orders where idempotency_key = 'refused'")
    assert cancelled == [("cancelled",)]


def test_replica_fallback(shop: Shop) -> None:
    with shop.weakened("storefront-1", "replica_fallback"):
        shop.kill("db-replica-1")
        status, answer = shop.order("no-fallback", service="storefront-1")
        assert status == 503
        assert answer["money_taken"] is False
        assert shop.order("fallback", service="storefront-2")[0] == 201
        shop.start("db-replica-1")
        shop.wait_ready("db-replica-1")


def test_truthful_status(shop: Shop) -> None:
    with shop.weakened("storefront-1", "truthful_status"):
        shop.set_fault("payments", mode="refuse", expires_s=30)
        shop.order("status")
        wait_until(lambda: shop.get("storefront-2", "/status")[1]["state"] == "degraded", "the truth is told", 10)
        assert shop.get("storefront-1", "/status")[1]["state"] == "ok"
        shop.end_fault("payments")


def test_plain_errors(shop: Shop) -> None:
    status, answer = shop.order("plain", "SKU-9999", service="storefront-1")
    assert (status, answer["money_taken"]) == (400, False)
    with shop.weakened("storefront-1", "plain_errors"):
        raw_status, raw = shop.order("raw", "SKU-9999", service="storefront-1")
    assert raw_status == 500
    assert "Traceback" in str(raw)
