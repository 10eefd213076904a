"""Every stock experiment passes on the hardened shop; every twin fails, for the reason that its description states."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.end_to_end.command import EXPERIMENTS, chaos, report

STOCK = sorted(EXPERIMENTS.glob("*.yaml"))
TWINS = sorted((EXPERIMENTS / "twins").glob("*.yaml"))
LONGEST_EXPERIMENT_S = 60.0

pytestmark = pytest.mark.usefixtures("namespaces")


@pytest.mark.parametrize("path", STOCK, ids=lambda path: path.stem)
def test_stock_experiment_passes(path: Path, nothing_left: Path) -> None:
    done = chaos("run", path, "--report", nothing_left)
    assert done.code == 0, done.out + done.err
    found = report(done.folder(nothing_left))
    assert found["verdict"] == "passed"
    assert found["duration_s"] < LONGEST_EXPERIMENT_S
    assert all(fault["healed"] and fault["effective"] for fault in found["faults"])


@pytest.mark.parametrize("path", TWINS, ids=lambda path: path.stem)
def test_twin_fails_for_the_stated_reason(path: Path, nothing_left: Path) -> None:
    stated = re.search(r"Fails on ([\w.]+)", path.read_text())
    assert stated, f"{path} does not say on what it fails"
    done = chaos("run", path, "--report", nothing_left)
    assert done.code == 1, done.out + done.err
    found = report(done.folder(nothing_left))
    failed = {check["name"] for check in found["checks"] if check["verdict"] == "failed"}
    assert stated[1].rstrip(".") in failed, failed
    assert stated[1].rstrip(".") in done.out


def test_every_experiment_has_its_twin() -> None:
    assert [path.name for path in STOCK] == [path.name for path in TWINS]
