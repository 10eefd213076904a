"""`payment.outage` against the real payments service, mode by mode."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.conftest import Refused, World
from tests.faults.peer import charge

SLOW_S = 0.5


def outage(mode: str, **parameters: Any) -> tuple[str, dict[str, Any], str]:
    return ("payment.outage", {"mode": mode, **parameters}, "payments")


@pytest.mark.parametrize(
    ("mode", "seen"), [("refuse", "ConnectionRefusedError"), ("error", 503), ("hang", "timeout"), ("slow", 201)]
)
def test_each_mode_and_back(world: World, mode: str, seen: object) -> None:
    fault = outage(mode, delay="500ms")
    world.ask("inject", *fault, 20)
    assert world.ask("is_active", *fault)
    result, seconds = charge(world, f"{mode}-1", timeout_s=1.5)
    assert result == seen
    if mode == "slow":
        assert seconds >= SLOW_S
    evidence = world.ask("evidence", *fault)
    assert evidence["effective"], evidence
    world.ask("heal", *fault)
    assert not world.ask("is_active", *fault)
    assert charge(world, f"{mode}-2")[0] == 201


@pytest.mark.parametrize("mode", ["refuse", "error"])
def test_without_requests_there_is_no_evidence(world: World, mode: str) -> None:
    fault = outage(mode)
    world.ask("inject", *fault, 20)
    assert not world.ask("evidence", *fault)["effective"]
    world.ask("heal", *fault)
    world.ask("heal", *fault)


def test_a_dead_gateway_cannot_be_told_and_needs_no_healing(world: World) -> None:
    world.ask("kill", "payments")
    with pytest.raises(Refused, match="InjectFailed"):
        world.ask("inject", *outage("error"), 20)
    world.ask("heal", *outage("error"))
