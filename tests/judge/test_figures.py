"""What the one pass counts, in which phase, and what it leaves out."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from chaos.folder import RunFolder
from chaos.judge import unsteady_baseline
from chaos.observe.samples import Sample
from chaos.verdict import Verdict
from tests.judge.world import (
    BASELINE,
    END,
    FAULT,
    RECOVERY,
    World,
    experiment,
    failed,
    named,
    slow,
    timed_out,
    write_lines,
)


def test_an_operation_belongs_to_the_phase_in_which_it_was_due() -> None:
    world = World().change(slow(5), FAULT - 0.1, FAULT)  # due before the fault, answered during it
    judgement = world.judge()
    slowest = {stats.phase: stats.percentiles_s["max"] for stats in judgement.stats if stats.stream == "orders"}
    assert slowest == {"warmup": 0.02, "baseline": 5.0, "fault": 0.02, "recovery": 0.02}


def test_stats_and_buckets_count_everything_once() -> None:
    world = World().change(failed, 15, 16).change(timed_out, 16, 17)
    judgement = world.judge()
    orders = {stats.phase: stats for stats in judgement.stats if stats.stream == "orders"}
    assert (orders["fault"].ok, orders["fault"].failed, orders["fault"].unknown) == (160, 20, 20)
    assert orders["fault"].errors == {"503": 20, "timeout": 20}
    assert sum(bucket.ok + bucket.failed + bucket.unknown for bucket in judgement.buckets) == len(world.operations)
    (second,) = [bucket for bucket in judgement.buckets if bucket.stream == "orders" and bucket.t == 16]
    assert (second.ok, second.failed, second.unknown, second.p99_s) == (0, 0, 20, 5.0)


def test_memory_does_not_grow_with_the_number_of_errors() -> None:
    judgement = World().change(lambda each: replace(failed(each), error=f"error {each.op}"), FAULT, RECOVERY).judge()
    (stats,) = [stats for stats in judgement.stats if stats.stream == "orders" and stats.phase == "fault"]
    assert len(stats.errors) == 41
    assert stats.errors["other"] == 160


@pytest.mark.parametrize(
    ("bound", "values", "verdict", "measured"),
    [
        ("< 1", [0.1, 0.2], Verdict.PASSED, "0.2 at worst"),
        ("< 1", [0.1, 1.5], Verdict.FAILED, "1.5 at worst"),
        ("> 1", [7.0, 0.5], Verdict.FAILED, "0.5 at worst"),
        ("== 3", [3.0, 2.0], Verdict.FAILED, "2 at worst"),
        ("< 1", [0.1, None], Verdict.INCONCLUSIVE, "0.1 at worst"),
    ],
)
def test_a_probes_values_must_each_hold(
    bound: str, values: list[float | None], verdict: Verdict, measured: str
) -> None:
    """A healthy probe, but for the fault phase, where two values take turns."""
    good = {"< 1": 0.1, "> 1": 7.0, "== 3": 3.0}[bound]
    samples = [
        Sample(float(t), "lag", value is not None, 0.001, value, None if value is not None else "refused")
        for t in range(int(END))
        for value in [values[t % 2] if FAULT <= t < RECOVERY else good]
    ]
    asked = experiment(
        probes={"lag": {"sql": "select 1", "on": "db-primary"}},
        steady_state={"orders.p99": "< 800ms", "lag.value": bound},
        while_faulty=None,
    )
    judgement = replace(World(), experiment=asked, samples=samples).judge()
    check = named(judgement, "lag.value", "fault")
    assert (check.verdict, judgement.verdict) == (verdict, verdict)
    assert check.measured.startswith(measured)
    assert any(stats.stream == "lag" and stats.phase == "fault" for stats in judgement.stats)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run in the middle of its baseline's last moment."""
    run = RunFolder(tmp_path)
    run.experiment.write_text(json.dumps(_yaml()))
    write_lines(run.journal, [event for event in World().journal if event["t"] <= BASELINE])
    _write_history(run, World())
    return run


def _yaml() -> dict[str, object]:
    asked = experiment()
    return {
        "title": asked.title,
        "load": {"orders": "20/s"},
        "phases": {"baseline": "10s", "recovery": "20s"},
        "steady_state": {name: bound.text for name, bound in asked.steady_state.items()},
        "method": [{"fault": "payment.outage", "target": "payments", "for": "10s"}],
    }


def _write_history(run: RunFolder, world: World) -> None:
    """As it stands at the end of the baseline: what ends later has no end yet."""
    lines = []
    for each in world.operations:
        if each.due < FAULT and each.kind == "orders":
            record = asdict(each)
            lines.append({key: record[key] for key in ("op", "kind", "due", "key", "lines")})
            if each.end is not None and each.end < FAULT:
                lines.append({key: record[key] for key in ("op", "end", "sent", "result", "status", "error")})
    write_lines(run.history, lines)


def test_a_steady_baseline_lets_the_run_go_on(folder: RunFolder) -> None:
    assert not unsteady_baseline(folder)


def test_an_unsteady_baseline_stops_it(folder: RunFolder) -> None:
    _write_history(folder, World().change(failed, 5, 6))
    assert unsteady_baseline(folder)


def test_what_is_in_flight_at_the_end_of_the_baseline_is_not_held_against_it(folder: RunFolder) -> None:
    _write_history(folder, World().change(slow(0.4)))
    assert not unsteady_baseline(folder)


def test_a_baseline_without_samples_is_not_steady(folder: RunFolder) -> None:
    folder.history.write_text("")
    assert unsteady_baseline(folder)


def test_a_run_that_has_no_baseline_yet_is_not_steady(folder: RunFolder) -> None:
    write_lines(folder.journal, World().journal[:2])
    assert unsteady_baseline(folder)
