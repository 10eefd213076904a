"""`process.kill` against real processes, read from the kernel."""

from __future__ import annotations

import pytest

from tests.faults.conftest import Refused, World
from tests.faults.peer import connect

KILL: tuple[str, dict[str, str], str] = ("process.kill", {}, "shipping")


def test_kills_and_starts_again(world: World) -> None:
    assert world.ask("states", "shipping")
    world.ask("inject", *KILL, 5)
    assert world.ask("states", "shipping") == []
    assert world.ask("is_active", *KILL)
    assert connect(world, "payments", "shipping", "http")[0] == "refused"
    evidence = world.ask("evidence", *KILL)
    assert evidence["effective"]
    assert evidence["measured"]["processes_killed"] >= 1
    world.ask("heal", *KILL)
    assert world.ask("states", "shipping")
    assert not world.ask("is_active", *KILL)
    world.ask("start", "shipping")
    assert connect(world, "payments", "shipping", "http")[0] == "connected"


def test_heal_is_idempotent_and_needs_no_inject(world: World) -> None:
    before = world.ask("states", "shipping")
    world.ask("heal", *KILL)
    world.ask("heal", *KILL)
    assert len(world.ask("states", "shipping")) == len(before)


def test_something_else_starting_it_again_is_no_evidence(world: World) -> None:
    world.ask("inject", *KILL, 5)
    world.ask("start", "shipping")
    assert not world.ask("evidence", *KILL)["effective"]
    world.ask("heal", *KILL)


@pytest.mark.parametrize("word", ["process.kill", "process.restart"])
def test_what_does_not_run_is_neither_ended_nor_started(world: World, word: str) -> None:
    world.ask("kill", "shipping")
    with pytest.raises(Refused, match="shipping does not run"):
        world.ask("inject", word, {}, "shipping", 5)
    assert world.ask("states", "shipping") == []
