"""Placing orders: once, twice with one key, beyond the stock, and with bad input."""

import asyncio

import pytest

from tests.sandbox.launcher import Shop, many_orders


def test_an_order_is_paid_and_shipped(shop: Shop) -> None:
    status, placed = shop.order("first", "SKU-0011", quantity=2)
    assert status == 201
    assert placed["status"] == "pending"
    shop.wait_drained()
    status, order = shop.get("edge", f"/orders/{placed['order_id']}")
    assert (status, order["status"], order["amount_cents"]) == (200, "paid", placed["amount_cents"])
    charges = [entry for entry in shop.ledger("payments") if entry["order_id"] == placed["order_id"]]
    assert [charge["amount_cents"] for charge in charges] == [placed["amount_cents"]]
    shipments = [entry for entry in shop.ledger("shipping") if entry["order_id"] == placed["order_id"]]
    assert [shipment["shipment_id"] for shipment in shipments] == [order["shipment_id"]]


def test_a_repeated_key_returns_the_first_order(shop: Shop) -> None:
    first = shop.order("again", "SKU-0012", service="storefront-1")
    second = shop.order("again", "SKU-0012", service="storefront-2")
    assert (first[0], second[0]) == (201, 200)
    assert second[1]["order_id"] == first[1]["order_id"]
    assert second[1]["amount_cents"] == first[1]["amount_cents"]


def test_stock_never_falls_below_zero_under_concurrency(shop: Shop) -> None:
    (initial,) = shop.sql("db-primary", "select initial from stock where sku = 'SKU-0199'")[0]

    async def rush() -> list[int]:
        return [
            status
            for status, _ in await asyncio.gather(
                *(asyncio.to_thread(shop.order, f"rush-{n}", "SKU-0199") for n in range(40))
            )
        ]

    statuses = asyncio.run(rush())
    assert statuses.count(201) == initial
    assert statuses.count(409) == 40 - initial
    assert shop.sql("db-primary", "select remaining from stock where sku = 'SKU-0199'") == [(0,)]


def test_sold_out_says_that_no_money_was_taken(shop: Shop) -> None:
    status, answer = shop.order("too-many", "SKU-0200", quantity=4)
    assert status == 409
    assert answer["money_taken"] is False
    assert "SKU-0200" in answer["error"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([], "object"),
        ({"customer": "", "lines": [{"sku": "SKU-0001", "quantity": 1}]}, "customer"),
        ({"customer": "a", "lines": []}, "lines"),
        ({"customer": "a", "lines": [{"sku": "SKU-0001", "quantity": 0}]}, "quantity"),
        ({"customer": "a", "lines": [{"sku": "SKU-0001", "quantity": True}]}, "quantity"),
        ({"customer": "a", "lines": [{"quantity": 1}]}, "sku"),
        ({"customer": "a", "lines": [{"sku": "SKU-9999", "quantity": 1}]}, "no product SKU-9999"),
        ({"customer": "a\0", "lines": [{"sku": "SKU-0001", "quantity": 1}]}, "customer"),
    ],
)
def test_bad_orders_are_refused_in_plain_words(shop: Shop, body: object, says: str) -> None:
    status, answer = shop.request("edge", "POST", "/orders", body=body, headers={"Idempotency-Key": "bad"})
    assert status == 400
    assert says in answer["error"]
    assert answer["money_taken"] is False


def test_an_order_without_a_key_is_refused(shop: Shop) -> None:
    body = {"customer": "a", "lines": [{"sku": "SKU-0001", "quantity": 1}]}
    status, answer = shop.request("edge", "POST", "/orders", body=body)
    assert status == 400
    assert "Idempotency-Key" in answer["error"]


def test_unknown_orders_are_not_found(shop: Shop) -> None:
    for order_id in ("nonsense", "00000000-0000-0000-0000-000000000000"):
        assert shop.get("edge", f"/orders/{order_id}")[0] == 404


def test_everything_adds_up_after_many_orders(shop: Shop) -> None:
    answers = asyncio.run(many_orders(shop, 60, rate=40, prefix="sum"))
    assert {status for status, _ in answers} == {201}
    shop.wait_drained()
    records = shop.manifest["records"]
    orders = shop.sql("db-primary", records["orders"]["sql"])
    paid = {order_id: amount for _, order_id, status, amount, _ in orders if status == "paid"}
    charged = [entry["order_id"] for entry in shop.ledger("payments")]
    assert paid.keys() <= set(charged)
    assert len({entry["order_id"] for entry in shop.ledger("shipping")}) == len(shop.ledger("shipping"))
    sold: dict[str, int] = {}
    for _, _, status, amount, lines in orders:
        assert amount == sum(line["quantity"] * line["price_cents"] for line in lines)
        for line in lines if status != "cancelled" else []:
            sold[line["sku"]] = sold.get(line["sku"], 0) + line["quantity"]
    for sku, initial, remaining in shop.sql("db-primary", records["stock"]["sql"]):
        assert initial == remaining + sold.get(sku, 0)
