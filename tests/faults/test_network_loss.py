"""`network.loss` against real packets."""

from __future__ import annotations

from tests.faults.conftest import World
from tests.faults.peer import connect

LOSS = ("network.loss", {"percent": "50%", "to": ["payments"]}, "shipping")
CONNECTIONS = 12  # each a few packets: that not one of them is dropped has a chance below one in a million


def test_drops_a_share_and_counts_it(world: World) -> None:
    world.ask("inject", *LOSS, 60)
    assert world.ask("is_active", *LOSS)
    for _ in range(CONNECTIONS):
        connect(world, "payments", "shipping", "http", timeout_s=0.2)
    evidence = world.ask("evidence", *LOSS)
    assert evidence["effective"], evidence
    measured = evidence["measured"]
    assert 0 < measured["packets_dropped"] < measured["packets_matched"]
    world.ask("heal", *LOSS)
    assert not world.ask("is_active", *LOSS)
    assert connect(world, "payments", "shipping", "http")[0] == "connected"


def test_traffic_with_others_is_no_evidence(world: World) -> None:
    world.ask("inject", *LOSS, 20)
    assert connect(world, "cache", "shipping", "http")[0] == "connected"
    assert not world.ask("evidence", *LOSS)["effective"]
    world.ask("heal", *LOSS)
