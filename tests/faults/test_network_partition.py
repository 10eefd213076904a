"""`network.partition` against real packets."""

from __future__ import annotations

from tests.faults.conftest import World
from tests.faults.peer import connect

CUT = ("network.partition", {"to": ["payments"]}, "shipping")


def test_cuts_off_the_peer_and_nobody_else(world: World) -> None:
    world.ask("inject", *CUT, 20)
    assert world.ask("is_active", *CUT)
    assert connect(world, "payments", "shipping", "http", timeout_s=0.4)[0] == "timeout"
    assert connect(world, "cache", "shipping", "http")[0] == "connected"
    evidence = world.ask("evidence", *CUT)
    assert evidence["effective"]
    assert evidence["measured"]["packets_dropped"] >= 1
    world.ask("heal", *CUT)
    assert not world.ask("is_active", *CUT)
    assert connect(world, "payments", "shipping", "http")[0] == "connected"


def test_only_the_ports_named(world: World) -> None:
    address = world.ask("address", "shipping", "control")
    one_port = ("network.partition", {"ports": [int(address.rsplit(":", 1)[1])]}, "shipping")
    world.ask("inject", *one_port, 20)
    assert connect(world, "payments", "shipping", "control", timeout_s=0.4)[0] == "timeout"
    assert connect(world, "payments", "shipping", "http")[0] == "connected"
    world.ask("heal", *one_port)


def test_ends_by_itself_in_the_kernel(world: World) -> None:
    world.ask("inject", *CUT, 0.5)
    assert connect(world, "payments", "shipping", "http", timeout_s=10.0)[0] == "connected"
    assert not world.ask("is_active", *CUT)
    world.ask("heal", *CUT)
