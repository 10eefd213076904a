"""`process.pause` against real processes, read from the kernel."""

from __future__ import annotations

from tests.faults.conftest import World
from tests.faults.peer import charge

PAUSE: tuple[str, dict[str, str], str] = ("process.pause", {}, "payments")


def test_stops_and_goes_on(world: World) -> None:
    world.ask("inject", *PAUSE, 5)
    assert set(world.ask("states", "payments")) == {"T"}
    assert world.ask("is_active", *PAUSE)
    assert charge(world, "paused-1", timeout_s=0.5)[0] == "timeout"
    assert world.ask("evidence", *PAUSE)["effective"]
    world.ask("heal", *PAUSE)
    assert "T" not in world.ask("states", "payments")
    assert not world.ask("is_active", *PAUSE)
    assert charge(world, "paused-2")[0] == 201


def test_heal_twice_and_after_death(world: World) -> None:
    world.ask("inject", *PAUSE, 5)
    world.ask("kill", "payments")
    world.ask("heal", *PAUSE)
    world.ask("heal", *PAUSE)
    assert not world.ask("is_active", *PAUSE)
    world.ask("start", "payments")


def test_a_process_that_was_let_go_is_no_evidence(world: World) -> None:
    world.ask("inject", *PAUSE, 5)
    world.ask("heal", *PAUSE)
    assert not world.ask("evidence", *PAUSE)["effective"]
