"""Runs that prove nothing must say so: exit code 3, with the reason, whatever else went well."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.conftest import processes_of
from tests.end_to_end.command import argv, chaos, journal, report, wait_for

pytestmark = pytest.mark.usefixtures("namespaces")

SHORT = """
title: {title}
weak: {weak}
load: {{orders: 40/s}}
phases: {{warmup: 2s, baseline: 3s, recovery: 3s}}
steady_state: {{orders.success_rate: ">= 99%", orders.p99: "{p99}"}}
method:
  - {{fault: {fault}, target: {target}, with: {{{parameters}}}, for: {for_}}}
"""


def write(folder: Path, **given: str) -> Path:
    """An experiment that takes a few seconds."""
    values = {"title": "Short", "weak": "[]", "p99": "< 2s", "parameters": "", "for_": "3s"} | given
    file = folder / "short.yaml"
    file.write_text(SHORT.format(**values))
    return file


def test_a_fault_that_touched_nothing(nothing_left: Path) -> None:
    file = write(nothing_left, fault="network.loss", target="cache", parameters="percent: 50%, to: [shipping]")
    done = chaos("run", file, "--report", nothing_left)
    assert done.code == 3, done.out + done.err
    found = report(done.folder(nothing_left))
    assert found["verdict"] == "inconclusive"
    assert "not one was dropped" in found["why"]


def test_a_baseline_that_was_never_steady(nothing_left: Path) -> None:
    file = write(nothing_left, fault="process.kill", target="db-replica-1", p99="< 1us")
    done = chaos("run", file, "--report", nothing_left)
    assert done.code == 3, done.out + done.err
    events = [record["event"] for record in journal(nothing_left)]
    assert "baseline_failed" in events
    assert "intent" not in events, "something was injected although the baseline was not steady"
    assert "baseline" in report(done.folder(nothing_left))["why"]


def test_a_fault_that_cannot_go_on(nothing_left: Path) -> None:
    file = nothing_left / "dead.yaml"
    file.write_text(
        SHORT.format(
            title="Dead", weak="[]", p99="< 2s", fault="process.kill", target="payments", parameters="", for_="3s"
        )
        + "  - {fault: payment.outage, target: payments, with: {mode: error}, at: 1s, for: 1s}\n"
    )
    done = chaos("run", file, "--report", nothing_left)
    assert done.code == 2, done.out + done.err
    assert "can both be on payments from 1s to 2s" in done.out + done.err
    assert not [path for path in nothing_left.iterdir() if path.is_dir()], "something was begun"


def test_a_fault_that_somebody_else_took_off(nothing_left: Path) -> None:
    file = write(nothing_left, fault="process.pause", target="cache", for_="4s")
    command = subprocess.Popen(argv("run", file, "--report", nothing_left), stdout=subprocess.PIPE, text=True)
    wait_for("the fault", lambda: "injected" in [record["event"] for record in journal(nothing_left)])
    for pid in processes_of(nothing_left):
        if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T":
            os.kill(pid, signal.SIGCONT)
    out = command.communicate(timeout=60)[0]
    assert command.returncode == 3, out
    assert "the system no longer showed it" in report(next(p for p in nothing_left.iterdir() if p.is_dir()))["why"]


def test_an_abort_heals_and_fails(nothing_left: Path) -> None:
    file = write(
        nothing_left, fault="payment.outage", target="payments", parameters="mode: error", weak="[deferral]", for_="30s"
    )
    file.write_text(file.read_text() + 'abort_if: {orders.success_rate: "< 50% for 2s"}\n')
    done = chaos("run", file, "--report", nothing_left)
    assert done.code == 1, done.out + done.err
    found = report(done.folder(nothing_left))
    assert all(fault["healed"] for fault in found["faults"])
    assert found["duration_s"] < 25, "the fault was not cut short"
    assert any(check["kind"] == "abort" for check in found["checks"])


def test_the_same_seed_draws_the_same_and_judging_again_says_the_same(nothing_left: Path) -> None:
    file = write(nothing_left, fault="process.kill", target="{one of: storefronts}")
    done = chaos("run", file, "--report", nothing_left, "--seed", "7", "--junit", nothing_left / "all.xml", "--json")
    folder = done.folder(nothing_left)
    first = report(folder)
    planned = chaos("plan", file, "--seed", "7")
    assert first["seed"] == 7
    assert first["faults"][0]["target"] in planned.out
    (folder / "report.json").unlink()
    assert json.loads(done.out) == first, "--json prints the report and nothing else"
    again = chaos("judge", folder)
    assert again.code == done.code
    assert report(folder) == first
    text = (folder / "experiment.yaml").read_text()
    (folder / "experiment.yaml").write_text(text.replace("99%", "9%"))
    changed = chaos("judge", folder)
    assert changed.code == 2, "a changed experiment was judged by what the old one did"
    assert "was changed after the run" in changed.err
    assert (nothing_left / "all.xml").read_text().count("<testsuite ") == 1
