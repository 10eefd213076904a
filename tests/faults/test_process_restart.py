"""`process.restart` against real processes."""

from __future__ import annotations

import time

from tests.faults.conftest import World
from tests.faults.peer import connect

RESTART: tuple[str, dict[str, str], str] = ("process.restart", {}, "shipping")
ENDS_WITHIN_S = 3.0


def test_ends_on_request_and_is_started_again(world: World) -> None:
    world.ask("inject", *RESTART, 5)
    assert world.ask("is_active", *RESTART)
    deadline = time.monotonic() + ENDS_WITHIN_S
    while world.ask("states", "shipping") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert world.ask("states", "shipping") == []
    evidence = world.ask("evidence", *RESTART)
    assert evidence["effective"]
    assert "ended when asked to" in evidence["summary"]
    world.ask("heal", *RESTART)
    assert not world.ask("is_active", *RESTART)
    world.ask("start", "shipping")
    assert connect(world, "payments", "shipping", "http")[0] == "connected"


def test_what_does_not_end_is_killed(world: World) -> None:
    world.ask("inject", "process.pause", {}, "shipping", 5)  # a stopped process cannot act on SIGTERM
    world.ask("inject", *RESTART, 1)
    evidence = world.ask("evidence", *RESTART)
    assert not evidence["effective"]
    assert "did not end when asked, so nothing was put to the test" in evidence["summary"]
    world.ask("heal", *RESTART)
    assert not world.ask("is_active", *RESTART)
    assert "T" not in world.ask("states", "shipping")


def test_something_else_starting_it_again_is_no_evidence(world: World) -> None:
    world.ask("inject", *RESTART, 5)
    world.ask("kill", "shipping")
    world.ask("start", "shipping")
    evidence = world.ask("evidence", *RESTART)
    assert not evidence["effective"]
    assert "something started it again" in evidence["summary"]


def test_what_was_started_since_is_not_killed(world: World) -> None:
    world.ask("inject", *RESTART, 5)
    world.ask("kill", "shipping")
    world.ask("start", "shipping")
    was = world.ask("pids", "shipping")
    world.ask("heal", *RESTART)
    assert world.ask("pids", "shipping") == was
