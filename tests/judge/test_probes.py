"""A probe that fell silent: what nobody looked at is not known to have held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from chaos.observe.samples import Sample
from chaos.verdict import Judgement, Verdict
from tests.judge.world import BASELINE, END, FAULT, RECOVERY, World, experiment, named

PASSED, FAILED, INCONCLUSIVE = Verdict.PASSED, Verdict.FAILED, Verdict.INCONCLUSIVE
EVERY_S = 0.25
IN_A_PHASE = 40  # the baseline and the fault phase last ten seconds each
Kept = Callable[[int, float], bool]
"""Number and time of a sample → whether it was taken."""


def judged(metric: str, bound: str, kept: Kept, *, ok: Kept = lambda number, t: True) -> Judgement:
    """A run that is fine, with a probe whose samples are not all there, or not all ok."""
    samples = [
        Sample(number * EVERY_S, "lag", ok(number, number * EVERY_S), 0.001, 0.5, None)
        for number in range(int(END / EVERY_S))
        if kept(number, number * EVERY_S)
    ]
    asked = experiment(
        probes={"lag": {"sql": "select 1", "on": "db-primary", "every": f"{EVERY_S}s"}},
        steady_state={"orders.p99": "< 800ms", metric: bound},
        while_faulty=None,
    )
    return replace(World(), experiment=asked, samples=samples).judge()


def all_but(start: float, end: float, missing: int = 10**6) -> Kept:
    """The first samples of a span are missing."""
    return lambda number, t: not start <= t < min(end, start + missing * EVERY_S)


METRICS = pytest.mark.parametrize(("metric", "bound"), [("lag.value", "< 1"), ("lag.success_rate", ">= 90%")])


@METRICS
def test_all_there(metric: str, bound: str) -> None:
    assert judged(metric, bound, lambda number, t: True).verdict is PASSED


@pytest.mark.parametrize(("phase", "start"), [("baseline", BASELINE), ("fault", FAULT)])
@METRICS
def test_a_phase_needs_what_the_interval_promises(metric: str, bound: str, phase: str, start: float) -> None:
    enough = judged(metric, bound, all_but(start, start + 10, missing=3))  # 5% of 40, and one at the edge
    assert named(enough, metric, phase).verdict is PASSED
    for missing in (4, 15, 37):
        judgement = judged(metric, bound, all_but(start, start + 10, missing))
        assert judgement.verdict is INCONCLUSIVE
        check = named(judgement, metric, phase)
        assert check.verdict is INCONCLUSIVE
        assert f"lag was sampled {IN_A_PHASE - missing} times " in check.why
        assert f"and should have been {IN_A_PHASE} times" in check.why


def test_what_was_seen_broken_is_broken() -> None:
    seen = judged("lag.success_rate", ">= 90%", all_but(FAULT, RECOVERY, 15), ok=lambda number, t: not 16 <= t < 18)
    assert named(seen, "lag.success_rate", "fault").verdict is FAILED  # 8 of 40, whatever the others were


def test_what_the_missing_ones_could_mend_is_not_known() -> None:
    seen = judged("lag.success_rate", ">= 90%", all_but(FAULT, RECOVERY, 15), ok=lambda number, t: not 16 <= t < 17)
    assert named(seen, "lag.success_rate", "fault").verdict is INCONCLUSIVE  # 4 of 25, or 4 of 40


@METRICS
def test_a_recovery_that_the_probe_did_not_see(metric: str, bound: str) -> None:
    check = named(judged(metric, bound, all_but(RECOVERY + 2, RECOVERY + 12)), "recovers")
    assert check.verdict is INCONCLUSIVE
    assert "its samples too few" in check.why
