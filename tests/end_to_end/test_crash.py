"""SIGKILL of the command, the supervisor, the conductor or an agent in the middle of every kind of fault.

All kinds of faults are on at once, each on another service. Afterwards the kernel is read: no process of the run, no
process in any of its network namespaces, no mount, no rule.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import processes_of
from tests.end_to_end.command import argv, journal, report, wait_for

EVERY_FAULT = """
title: Every kind of fault at once
load: {orders: 40/s}
phases: {warmup: 2s, baseline: 4s, recovery: 2s}
steady_state: {orders.success_rate: ">= 99%"}
method:
  - {fault: process.kill, target: db-replica-2, for: 30s}
  - {fault: process.pause, target: worker, for: 30s}
  - {fault: process.restart, target: cache, for: 30s}
  - {fault: network.latency, target: storefront-1, with: {delay: 20ms}, for: 30s}
  - {fault: network.loss, target: edge, with: {percent: 2%, to: [storefront-2]}, for: 30s}
  - {fault: network.partition, target: db-replica-1, for: 30s}
  - {fault: payment.outage, target: payments, with: {mode: error}, for: 30s}
  - {fault: payment.reply_lost, target: shipping, for: 30s}
"""
KINDS_AT_ONCE = 8
pytestmark = pytest.mark.usefixtures("namespaces")


class Running:
    """A `chaos run` with every fault on, and the processes in it as this side of the namespaces sees them."""

    def __init__(self, base: Path, experiment: str) -> None:
        file = base / "experiment.yaml"
        file.write_text(experiment)
        self.base = base
        self.command = subprocess.Popen(
            argv("run", file, "--report", base), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._faults_on()
        self.namespaces = {_namespace(pid) for pid in processes_of(base)} - {_namespace(os.getpid())}

    def _faults_on(self) -> None:
        def injected() -> bool:
            assert self.command.poll() is None, self.command.communicate()[0]
            return [record["event"] for record in journal(self.base)].count("injected") == KINDS_AT_ONCE

        wait_for("every fault to be on", injected, within_s=60)

    def inside(self) -> list[int]:
        """`chaos.inside` processes: unshare, the supervisor, the conductor, parents first."""
        return sorted(pid for pid, command in processes_of(self.base).items() if "chaos.inside" in command)

    def agents(self) -> list[int]:
        """The agents' processes."""
        entries = {int(path.name): path for path in Path("/proc").iterdir() if path.name.isdigit()}
        found = []
        for pid, path in entries.items():
            try:
                if b"chaos.agent" in (path / "cmdline").read_bytes() and _namespace(pid) in self.namespaces:
                    found.append(pid)
            except (FileNotFoundError, ProcessLookupError):
                continue
        return found

    def assert_nothing_left(self) -> None:
        """Reads the kernel: no process of the run, and no process in any network namespace of the run."""
        wait_for("every process of the run to be gone", lambda: not processes_of(self.base), within_s=5)
        assert not self.namespaces & _namespaces_in_use()


@pytest.fixture
def running(nothing_left: Path) -> Iterator[Running]:
    run = Running(nothing_left, EVERY_FAULT)
    yield run
    run.command.kill()
    run.command.wait()


def test_command_killed(running: Running) -> None:
    assert len(running.namespaces) > 5
    running.command.kill()
    running.assert_nothing_left()


def test_supervisor_killed(running: Running) -> None:
    supervisor = running.inside()[1]
    os.kill(supervisor, signal.SIGKILL)
    out = running.command.communicate(timeout=30)[0]
    running.assert_nothing_left()
    assert running.command.returncode == 3, out
    _assert_cut_short(running.base, out)


def test_conductor_killed(running: Running) -> None:
    conductor = running.inside()[-1]
    os.kill(conductor, signal.SIGKILL)
    out = running.command.communicate(timeout=30)[0]
    running.assert_nothing_left()
    assert running.command.returncode == 3, out
    _assert_cut_short(running.base, out)


def test_agents_killed(running: Running) -> None:
    agents = running.agents()
    assert len(agents) == 3
    for agent in agents:
        os.kill(agent, signal.SIGKILL)
    running.command.send_signal(signal.SIGINT)  # no need to wait for the end of the faults
    out = running.command.communicate(timeout=60)[0]
    running.assert_nothing_left()
    found = {window["fault"]: window for window in report(next(running.base.glob("*/")))["faults"]}
    for kind in ("network.latency", "network.loss", "network.partition"):
        assert found[kind]["healed"], out
        assert not found[kind]["effective"], "an agent that died proves nothing"
        assert "gone" in found[kind]["evidence"]
    assert running.command.returncode == 130


def _assert_cut_short(base: Path, out: str) -> None:
    found = report(next(path for path in base.iterdir() if path.is_dir()))
    assert found["verdict"] == "inconclusive"
    assert "cut short" in found["why"], found["why"]
    assert "INCONCLUSIVE" in out


def _namespace(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return "gone"


def _namespaces_in_use() -> set[str]:
    return {_namespace(int(path.name)) for path in Path("/proc").iterdir() if path.name.isdigit()} - {"gone"}
