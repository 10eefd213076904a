"""Playing the timeline, with a clock of the test's own and a fault that only takes notes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from chaos.errors import HealFailed, InjectFailed
from chaos.faults.base import Evidence, Fault, Lease, Seen
from chaos.inject import Player
from chaos.journal import Journal
from chaos.plan import Plan, Step
from chaos.targets.base import Capability, Target


class Noted(Fault):
    """Takes notes in `target`, a list, and fails where it is told to."""

    word: ClassVar[str] = "test.noted"
    title: ClassVar[str] = "takes notes"
    undo: ClassVar[str] = "takes more notes"
    by_hand: ClassVar[str] = "cross them out"
    needs: ClassVar[frozenset[Capability]] = frozenset()

    inject_fails: bool = False
    heals_at_try: int = 1
    crash: bool = False

    def before(self, target: Target, lease: Lease) -> Seen:
        return {"before": 3}

    def inject(self, target: Target, lease: Lease, seen: Seen) -> None:
        notes(target).append(f"inject {lease.service}")
        if self.inject_fails:
            raise InjectFailed("no")

    def is_active(self, target: Target, lease: Lease, seen: Seen) -> bool:
        injected = notes(target).count(f"inject {lease.service}")
        return injected > notes(target).count(f"healed {lease.service}")

    def heal(self, target: Target, lease: Lease, seen: Seen) -> None:
        notes(target).append(f"heal {lease.service}")
        if notes(target).count(f"heal {lease.service}") < self.heals_at_try:
            if self.crash:
                raise ZeroDivisionError("a bug")
            raise HealFailed("stuck", remedy="pull the plug")
        notes(target).append(f"healed {lease.service}")

    def evidence(self, target: Target, lease: Lease, seen: Seen) -> Evidence:
        return Evidence(seen["before"] == 3, "seen", {"before": seen["before"]})


def notes(target: Target) -> list[str]:
    return cast("list[str]", target)


def step(service: str, at_s: float, for_s: float, **parameters: Any) -> Step:
    return Step(f"1-test.noted-{service}", at_s, for_s, Noted(**parameters), service, seed=1)


class Play:
    """Plays steps and keeps what came of it."""

    def __init__(self, path: Path, steps: list[Step], stop_at: float = 1e9) -> None:
        self.now = 0.0
        self.notes: list[str] = []
        self.said: list[str] = []
        self.stop_at = stop_at
        with Journal(path, lambda: self.now) as journal:
            player = Player(cast("Target", self.notes), journal, self.said.append)
            length = max(each.at_s + each.for_s for each in steps)
            plan = cast("Plan", type("Steps", (), {"steps": tuple(steps), "fault_s": length})())
            player.play(plan, self.hold_until())
            self.left_on = dict(player.on)
        self.events = [json.loads(line) for line in path.read_text().splitlines()]

    def hold_until(self) -> Callable[[float], bool]:
        def hold(t: float) -> bool:
            self.now = min(max(self.now, t), self.stop_at)
            return t <= self.stop_at

        return hold

    def of(self, event: str) -> list[dict[str, Any]]:
        return [record for record in self.events if record["event"] == event]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def test_each_at_its_time_and_the_intent_first(path: Path) -> None:
    play = Play(path, [step("b", 2.0, 3.0), step("a", 0.0, 2.0)])
    assert play.notes == ["inject a", "heal a", "healed a", "inject b", "heal b", "healed b"]
    of_a = [record["event"] for record in play.events if record["lease"].endswith("-a")]
    assert of_a == ["intent", "injected", "heal", "healed"]
    assert all(record["seen"] == {"before": 3} for record in play.of("intent")), "another process may have to heal it"
    assert [record["t"] for record in play.of("injected")] == [0.0, 2.0]
    assert [record["t"] for record in play.of("healed")] == [2.0, 5.0]
    assert all(record["effective"] for record in play.of("healed"))


def test_a_fault_that_the_system_no_longer_shows_has_no_evidence(path: Path) -> None:
    noted: list[str] = []
    times = [0.0]
    with Journal(path, lambda: times[0]) as journal:
        player = Player(cast("Target", noted), journal, noted.append)

        def hold(t: float) -> bool:
            if t == 4.0 and player.on:
                times[0] = 1.0
                player.look()
                assert not player.on["1-test.noted-a"].lapsed_at, "it was still there"
                noted.append("healed a")  # somebody else took it off
                times[0] = 2.0
                player.look()
            times[0] = t
            return True

        plan = cast("Plan", type("Steps", (), {"steps": (step("a", 0.0, 4.0),), "fault_s": 4.0})())
        player.play(plan, hold)
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert [record["t"] for record in events if record["event"] == "lapsed"] == [2.0]
    (healed,) = [record for record in events if record["event"] == "healed"]
    assert not healed["effective"]
    assert "at 2.0 s the system no longer showed it" in healed["evidence"]


def test_a_stop_in_the_middle_heals_what_is_on_and_injects_no_more(path: Path) -> None:
    play = Play(path, [step("a", 0.0, 10.0), step("b", 1.0, 10.0), step("c", 5.0, 1.0)], stop_at=3.0)
    assert play.notes == ["inject a", "inject b", "heal b", "healed b", "heal a", "healed a"], (
        "the latest is healed first"
    )
    assert play.left_on == {}


def test_a_failed_injection_is_healed_and_ends_the_play(path: Path) -> None:
    play = Play(path, [step("a", 0.0, 1.0, inject_fails=True), step("b", 0.5, 1.0)])
    assert play.of("inject_failed")[0]["what"] == "no"
    assert "inject b" not in play.notes
    assert play.of("healed")[0]["effective"] is False
    assert play.of("healed")[0]["evidence"] == "it never went on"


@pytest.mark.parametrize("crash", [False, True])
def test_healing_is_tried_again(path: Path, crash: bool) -> None:
    play = Play(path, [step("a", 0.0, 1.0, heals_at_try=3, crash=crash)])
    assert play.notes.count("heal a") == 3
    assert len(play.of("healed")) == 1


def test_what_will_not_heal_is_said_and_the_others_are_healed(path: Path) -> None:
    play = Play(path, [step("a", 0.0, 1.0), step("b", 0.0, 1.0, heals_at_try=99)])
    (failed,) = play.of("heal_failed")
    assert (failed["what"], failed["by_hand"]) == ("stuck", "pull the plug")
    assert "healed a" in play.notes
    assert any("NOT HEALED" in line and "pull the plug" in line for line in play.said)
