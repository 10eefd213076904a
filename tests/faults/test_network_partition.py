"""`network.partition` against real packets."""

from __future__ import annotations

import pytest

from tests.faults.conftest import Refused, World
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


def test_a_third_party_that_is_cut_off_from_all_cannot_be_told_anything(world: World) -> None:
    """Which is why `validate` refuses the two together, unless the partition names its peers."""
    outage = ("payment.outage", {"mode": "error"}, "payments")
    from_all: tuple[str, dict[str, object], str] = ("network.partition", {}, "payments")
    from_one = ("network.partition", {"to": ["cache"]}, "payments")
    world.ask("inject", *from_all, 20)
    with pytest.raises(Refused, match="InjectFailed"):
        world.ask("inject", *outage, 20)
    world.ask("heal", *from_all)
    world.ask("inject", *from_one, 20)
    world.ask("inject", *outage, 20)
    world.ask("heal", *outage)
    world.ask("heal", *from_one)


def test_ends_by_itself_in_the_kernel(world: World) -> None:
    world.ask("inject", *CUT, 0.5)
    assert connect(world, "payments", "shipping", "http", timeout_s=10.0)[0] == "connected"
    assert not world.ask("is_active", *CUT)
    world.ask("heal", *CUT)
