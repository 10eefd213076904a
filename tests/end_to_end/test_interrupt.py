"""Ctrl-C and SIGTERM at any moment: healed, a partial report, exit code 130."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.end_to_end.command import argv, journal, report, wait_for
from tests.end_to_end.test_honesty import write

pytestmark = pytest.mark.usefixtures("namespaces")
MOMENTS = {
    "while starting": lambda events: "run" in events,
    "in the baseline": lambda events: "baseline" in events,
    "with a fault on": lambda events: "injected" in events,
    "in the recovery": lambda events: "recovery" in events,
}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", MOMENTS)
def test_interrupted(nothing_left: Path, moment: str, number: signal.Signals) -> None:
    file = write(
        nothing_left, fault="process.pause", target="db-replica-1", for_="4s" if "recovery" in moment else "30s"
    )
    command = subprocess.Popen(
        argv("run", file, "--report", nothing_left), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        wait_for(moment, lambda: MOMENTS[moment](_events(nothing_left)))
        time.sleep(0.1)
        command.send_signal(number)
        out = command.communicate(timeout=30)[0]
    finally:
        command.kill()
    assert command.returncode == 130, out
    assert {"interrupted", "done"} <= _events(nothing_left)
    folder = next(path for path in nothing_left.iterdir() if path.is_dir())
    found = report(folder)
    assert all(window["healed"] for window in found["faults"])
    assert (folder / "report.html").exists()
    assert found["verdict"] != "passed"


@pytest.mark.parametrize("after_s", [0.0, 0.3, 0.6, 0.9])
def test_interrupted_before_there_is_a_shop(nothing_left: Path, after_s: float) -> None:
    file = write(nothing_left, fault="process.pause", target="db-replica-1")
    command = subprocess.Popen(
        argv("run", file, "--report", nothing_left), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        wait_for("the command to be able to hear", lambda: _catches(command.pid, signal.SIGTERM))
        time.sleep(after_s)
        command.send_signal(signal.SIGINT)
        out = command.communicate(timeout=30)[0]
    finally:
        command.kill()
    assert command.returncode == 130, out
    assert "Traceback" not in out


def _catches(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal, as the kernel shows it; Python itself has none for SIGTERM."""
    caught = re.search(r"^SigCgt:\s*(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.M)
    return caught is not None and bool(int(caught[1], 16) >> (number - 1) & 1)


def test_three_times_ends_everything_on_the_spot(nothing_left: Path) -> None:
    file = write(nothing_left, fault="process.pause", target="db-replica-1", for_="30s")
    command = subprocess.Popen(
        argv("run", file, "--report", nothing_left), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        wait_for("the fault to be on", lambda: "injected" in _events(nothing_left))
        for _ in range(10):
            command.send_signal(signal.SIGINT)
            time.sleep(0.03)
        out = command.communicate(timeout=10)[0]
    finally:
        command.kill()
    assert command.returncode == 130, out
    assert "Traceback" not in out


def test_twice_leaves_at_once(nothing_left: Path) -> None:
    file = write(nothing_left, fault="process.pause", target="db-replica-1", for_="30s")
    command = subprocess.Popen(
        argv("run", file, "--report", nothing_left), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        wait_for("the fault to be on", lambda: "injected" in _events(nothing_left))
        command.send_signal(signal.SIGINT)
        time.sleep(0.2)
        command.send_signal(signal.SIGINT)
        out = command.communicate(timeout=20)[0]
    finally:
        command.kill()
    assert command.returncode == 130, out
    assert "healed" in _events(nothing_left)


def _events(base: Path) -> set[str]:
    return {
        record.get("name", record["event"]) if record["event"] == "phase" else record["event"]
        for record in journal(base)
    }
