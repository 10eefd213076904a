"""Runs whose conductor died with a fault on: what the watchdog or `chaos heal` did later, and what the verdict is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chaos.errors import Exit
from chaos.verdict import FaultWindow, Judgement, Verdict
from tests.judge.world import FAULT, LEASE, World

HEALED = {"event": "healed", "lease": LEASE, "gone": True, "effective": False, "evidence": "healed by the watchdog"}
FAILED = {"event": "heal_failed", "lease": LEASE, "what": "no engine answers", "by_hand": "docker start payments"}


def killed(sandbox: str = "compose") -> World:
    """A run whose conductor was killed four seconds into the fault."""
    world = World().events("run", sandbox=sandbox)
    return replace(
        world,
        journal=[each for each in world.journal if each["t"] <= FAULT],
        operations=[each for each in world.operations if each.due < FAULT + 4],
        reconciliation=None,
    )


def judged(world: World) -> tuple[Judgement, FaultWindow]:
    judgement = world.judge()
    (window,) = judgement.faults
    return judgement, window


def test_what_nobody_healed_is_left_on_in_containers_and_gone_with_a_sandbox() -> None:
    judgement, window = judged(killed())
    assert (judgement.verdict, judgement.exit, window.left_on) == (Verdict.INCONCLUSIVE, Exit.NOT_HEALED, True)
    judgement, window = judged(killed("embedded"))
    assert (judgement.verdict, judgement.exit, window.left_on) == (Verdict.INCONCLUSIVE, Exit.INCONCLUSIVE, False)


@pytest.mark.parametrize("by", ["watchdog", "heal"])
def test_what_somebody_else_healed_is_gone_and_proves_nothing(by: str) -> None:
    judgement, window = judged(killed().adding(t=FAULT + 5, by=by, **HEALED))
    assert (judgement.verdict, judgement.exit) == (Verdict.INCONCLUSIVE, Exit.INCONCLUSIVE)
    assert window.healed and not window.left_on
    assert "cut short" in judgement.why
    assert "healed by the watchdog" in next(check.why for check in judgement.checks if check.kind == "evidence")


def test_who_heals_days_later_does_not_make_the_run_longer() -> None:
    at_once, _ = judged(killed())
    later, window = judged(killed().adding(t=200_000.0, by="heal", **HEALED))
    assert later.duration_s == at_once.duration_s
    assert later.phases == at_once.phases
    assert window.end == 200_000.0


def test_the_last_word_of_the_others_counts() -> None:
    failed = killed().adding(t=FAULT + 5, by="watchdog", **FAILED)
    judgement, window = judged(failed)
    assert (judgement.exit, window.by_hand) == (Exit.NOT_HEALED, FAILED["by_hand"])
    assert "no engine answers" in next(check.why for check in judgement.checks if check.kind == "evidence")
    assert judged(failed.adding(t=FAULT + 50, by="heal", **HEALED))[0].exit is Exit.INCONCLUSIVE


def test_a_verdict_that_was_given_stays() -> None:
    """The run ended by itself and said that it could not heal: who healed later does not change what it proved."""
    unhealed = World().without("healed").adding(t=23.0, **FAILED)
    before = unhealed.judge()
    after = unhealed.adding(t=50.0, by="heal", **HEALED).judge()
    assert before.exit is after.exit is Exit.NOT_HEALED
    assert before.faults == after.faults
    assert any("healed by the watchdog" in note for note in after.notes)


def test_others_cannot_turn_anything_into_a_success() -> None:
    world = World().without("healed").adding(t=23.0, by="heal", **{**HEALED, "effective": True})
    assert world.judge().verdict is Verdict.INCONCLUSIVE
    assert World().without("done").adding(t=50.0, by="heal", event="done").judge().verdict is Verdict.INCONCLUSIVE


def test_a_watchdog_that_died_is_told_and_changes_nothing_else() -> None:
    judgement = World().adding(t=15.0, event="watchdog", what="the watchdog ended, exit code -9").judge()
    assert judgement.verdict is Verdict.PASSED
    assert any("the watchdog ended" in note for note in judgement.notes)
