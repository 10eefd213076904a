"""What no run may ever do: pass after it was cut off, pass for want of samples, or gain by a failure."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.verdict import Verdict
from tests.judge.world import FAULT, RECOVERY, World, every, failed, journal, slow, timed_out

CHANGES = {
    "failed": failed,
    "timed out": timed_out,
    "slow": slow(3.0),
    "slow refusal": lambda each: slow(3.0)(failed(each)),
}
FEW = settings(max_examples=25, deadline=None)
RANK = {Verdict.PASSED: 0, Verdict.INCONCLUSIVE: 1, Verdict.FAILED: 2}


@cache
def _world() -> World:
    return World()


@pytest.mark.parametrize("length", range(len(journal())))
def test_no_beginning_of_a_passing_journal_passes(length: int) -> None:
    judgement = replace(_world(), journal=journal()[:length]).judge()
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert judgement.exit != 0


# Nothing rests on these: the warm-up is not judged, `healed` says more than `heal`, and row counts are a second look.
SPARE = [e for e in journal() if e["event"] in ("run", "ready", "heal", "records") or e.get("name") == "warmup"]


@pytest.mark.parametrize("left_out", [number for number, event in enumerate(journal()) if event not in SPARE])
def test_no_journal_passes_with_one_event_missing(left_out: int) -> None:
    events = [event for number, event in enumerate(journal()) if number != left_out]
    assert replace(_world(), journal=events).judge().verdict is not Verdict.PASSED


@FEW
@given(st.sampled_from(sorted(CHANGES)), st.integers(2, 60), st.sampled_from(sorted(CHANGES)), st.integers(2, 60))
def test_a_further_failure_never_improves_a_verdict(first: str, nth: int, second: str, further: int) -> None:
    before = _world().change(every(nth, CHANGES[first]), FAULT, RECOVERY)
    worse = before.change(every(further, CHANGES[second]), FAULT, RECOVERY)
    assert RANK[worse.judge().verdict] >= RANK[before.judge().verdict]


@FEW
@given(st.integers(1, 60), st.floats(0.0, 6.0), st.integers(1, 300))
def test_quick_refusals_on_top_never_improve_a_verdict(nth: int, seconds: float, refusals: int) -> None:
    before = _world().change(every(nth, slow(seconds)), FAULT, RECOVERY)
    one = next(each for each in before.operations if each.kind == "orders" and each.due >= FAULT)
    refused = [replace(failed(one), end=one.due + 0.001, key=f"more-{n}") for n in range(refusals)]
    worse = replace(before, operations=[*before.operations, *refused])
    assert RANK[worse.judge().verdict] >= RANK[before.judge().verdict]


@FEW
@given(st.sets(st.integers(0, 839), min_size=1, max_size=700))
def test_a_history_that_lost_anything_never_passes(lost: set[int]) -> None:
    keys = {f"orders-{number}" for number in lost}
    fewer = _world().change(lambda each: None if each.key in keys else each)
    assert fewer.judge().verdict is Verdict.INCONCLUSIVE


@FEW
@given(st.sampled_from([0, 5, 60, 90]), st.sets(st.integers(0, 839), max_size=300))
def test_fewer_successes_never_make_a_run_pass(nth: int, lost: set[int]) -> None:
    world = _world().change(every(nth, failed), FAULT, RECOVERY) if nth else _world()
    keys = {f"orders-{number}" for number in lost}
    fewer = world.change(lambda each: None if each.key in keys and each.result == "ok" else each)
    fewer = fewer.events("load", sent=len(fewer.operations))
    assert RANK[fewer.judge().verdict] >= min(RANK[world.judge().verdict], RANK[Verdict.INCONCLUSIVE])


@FEW
@given(st.floats(0.0, 44.0), st.booleans())
def test_wherever_a_run_is_killed_it_does_not_pass(t: float, flush: bool) -> None:
    cut = [event for event in journal() if event["t"] < t]
    seen = [
        each
        if each.end is not None and each.end < t
        else replace(each, result="unknown", error="never ended", end=None)
        for each in _world().operations
        if each.due < t
    ]
    judgement = replace(_world(), journal=cut, operations=seen if flush else [], reconciliation=None).judge()
    assert judgement.verdict is Verdict.INCONCLUSIVE  # and not failed: nothing in flight is held against the system
