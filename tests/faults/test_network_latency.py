"""`network.latency` against real packets."""

from __future__ import annotations

from tests.faults.conftest import World
from tests.faults.peer import connect

DELAY_S = 0.2
ROOM_S = 0.15  # a busy machine may add this much by itself
LATENCY = ("network.latency", {"delay": "200ms", "to": ["payments"]}, "cache")


def test_adds_its_delay_to_a_round_trip_with_the_peer_only(world: World) -> None:
    world.ask("inject", *LATENCY, 20)
    assert world.ask("is_active", *LATENCY)
    result, seconds = connect(world, "payments", "cache", _port(world))
    assert result == "connected"
    assert DELAY_S * 0.95 <= seconds < DELAY_S + ROOM_S
    assert connect(world, "shipping", "cache", _port(world))[1] < ROOM_S
    evidence = world.ask("evidence", *LATENCY)
    assert evidence["effective"], evidence
    assert evidence["measured"]["held_ms"]["p50"] >= DELAY_S * 1e3 / 2 * 0.95
    world.ask("heal", *LATENCY)
    assert not world.ask("is_active", *LATENCY)
    assert connect(world, "payments", "cache", _port(world))[1] < ROOM_S


def test_one_direction_bears_it_all(world: World) -> None:
    one_way = ("network.latency", {"delay": "200ms", "to": ["payments"], "direction": "in"}, "cache")
    world.ask("inject", *one_way, 20)
    assert DELAY_S * 0.95 <= connect(world, "payments", "cache", _port(world))[1] < DELAY_S + ROOM_S
    assert world.ask("evidence", *one_way)["measured"]["held_ms"]["p50"] >= DELAY_S * 1e3 * 0.95
    world.ask("heal", *one_way)


def test_without_packets_there_is_no_evidence(world: World) -> None:
    world.ask("inject", *LATENCY, 20)
    evidence = world.ask("evidence", *LATENCY)
    assert not evidence["effective"]
    assert "not one packet" in evidence["summary"]
    world.ask("heal", *LATENCY)
    world.ask("heal", *LATENCY)


def _port(world: World) -> str:
    return "valkey"
