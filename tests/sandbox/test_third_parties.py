"""The third parties: every fault mode as a client sees it, its end, its counts, and a ledger that survives a kill."""

import json
import socket
import time
import urllib.error
from pathlib import Path

import pytest

from sandbox.third_party import fault
from sandbox.third_party.ledger import Entry, Ledger
from tests.sandbox.launcher import Shop, wait_until


def charge(shop: Shop, key: str) -> tuple[int, dict[str, object]]:
    return shop.request(
        "payments", "POST", "/charges", body={"order_id": key, "amount_cents": 5}, headers={"Idempotency-Key": key}
    )


def charges(shop: Shop, order_id: str) -> int:
    return sum(entry["order_id"] == order_id for entry in shop.ledger("payments"))


@pytest.fixture(autouse=True)
def no_order_left_over(shop: Shop) -> None:
    """Test charges have no order; nothing else must be going on meanwhile."""
    shop.wait_drained()


def test_refuse_on_loopback_resets_each_connection_and_counts_it(shop: Shop) -> None:
    shop.set_fault("payments", mode="refuse", expires_s=20)
    for _ in range(3):
        with (
            pytest.raises(ConnectionResetError),
            socket.create_connection(("127.0.0.1", shop.ports["payments", "http"]), timeout=2) as connection,
        ):
            connection.recv(1)
    state = shop.get("payments", "/fault", port="control")[1]
    assert state["mode"] == "refuse"
    assert state["affected"] == 3
    ended = shop.end_fault("payments")
    assert ended["mode"] is None
    assert ended["affected"] == 3
    assert shop.end_fault("payments")["affected"] == 3, "ending it twice is harmless"
    assert charge(shop, "after-refuse")[0] == 201


def test_refusals_of_others_on_loopback_are_not_counted(shop: Shop) -> None:
    shop.set_fault("payments", mode="refuse", expires_s=20)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound but not listening: whoever connects is reset by the kernel
        for _ in range(5):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(nobody.getsockname(), timeout=2)
    assert shop.end_fault("payments")["affected"] == 0


def test_a_fault_ends_by_itself(shop: Shop) -> None:
    shop.set_fault("payments", mode="refuse", expires_s=0.5)
    with pytest.raises(OSError):
        charge(shop, "expiry")
    wait_until(lambda: shop.get("payments", "/fault", port="control")[1]["mode"] is None, "the fault ended", 5)
    assert charge(shop, "expiry")[0] == 201


def test_error_is_503_without_a_charge(shop: Shop) -> None:
    shop.set_fault("payments", mode="error")
    assert charge(shop, "error")[0] == 503
    assert shop.end_fault("payments") | {"since_s": 0} == {"mode": None, "seen": 1, "affected": 1, "since_s": 0}
    assert charges(shop, "error") == 0


def test_slow_answers_late(shop: Shop) -> None:
    shop.set_fault("payments", mode="slow", delay_ms=400)
    started = time.monotonic()
    assert charge(shop, "slow")[0] == 201
    assert time.monotonic() - started >= 0.4


def test_reply_lost_charges_and_resets(shop: Shop) -> None:
    shop.set_fault("payments", mode="reply_lost")
    with pytest.raises((ConnectionError, urllib.error.URLError)):
        charge(shop, "lost")
    shop.end_fault("payments")
    assert charges(shop, "lost") == 1
    assert charge(shop, "lost")[0] == 200, "the same key finds the charge"
    assert charges(shop, "lost") == 1


def test_hang_holds_until_the_fault_ends(shop: Shop) -> None:
    shop.set_fault("payments", mode="hang", expires_s=0.7)
    started = time.monotonic()
    with pytest.raises((ConnectionError, urllib.error.URLError)):
        charge(shop, "hang")
    assert 0.5 <= time.monotonic() - started < 10
    assert charges(shop, "hang") == 0


def test_without_a_key_each_call_charges(shop: Shop) -> None:
    for _ in range(2):
        body = {"order_id": "keyless", "amount_cents": 5}
        assert shop.request("payments", "POST", "/charges", body=body)[0] == 201
    assert charges(shop, "keyless") == 2


@pytest.mark.parametrize(
    "asked",
    [
        [],
        {},
        {"mode": "sulk"},
        {"mode": "hang", "percent": 101},
        {"mode": "hang", "delay": 1},
        {"mode": "slow", "delay_ms": "1"},
    ],
)
def test_bad_faults_are_refused(shop: Shop, asked: object) -> None:
    status, answer = shop.request("payments", "PUT", "/fault", port="control", body=asked)
    assert status == 400
    assert answer["error"]


def test_a_share_is_drawn_with_the_seed() -> None:
    def draws(seed: int) -> list[bool]:
        some = fault.parse({"mode": "error", "percent": 50, "seed": seed})
        return [some.hits() for _ in range(200)]

    assert draws(1) == draws(1)
    assert draws(1) != draws(2)
    assert 60 < sum(draws(1)) < 140


def test_the_ledger_survives_a_kill(shop: Shop) -> None:
    assert charge(shop, "before-kill")[0] == 201
    shop.restart("payments")
    assert charge(shop, "before-kill")[0] == 200
    assert charges(shop, "before-kill") == 1


def test_a_torn_line_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    whole: Entry = {"order_id": "a", "idempotency_key": "k"}
    path.write_text(json.dumps(whole) + '\n{"order_id": "b", "idem', encoding="utf-8")
    ledger = Ledger(path)
    ledger.append({"order_id": "c", "idempotency_key": "l"})
    ledger.close()
    again = Ledger(path)
    assert len(again) == 2
    assert again.with_key("k") == whole
    assert again.of_order("b") == []
    again.close()
