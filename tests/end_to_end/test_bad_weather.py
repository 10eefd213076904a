"""What the machine gets wrong: a clear error with the service's last words, exit code 5, and nothing left."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.targets.machine import unshare_argv
from tests.conftest import processes_of
from tests.end_to_end.command import EXPERIMENTS, argv, chaos, journal, report, wait_for
from tests.end_to_end.test_honesty import write

pytestmark = pytest.mark.usefixtures("namespaces")


def test_postgres_that_will_not_start(nothing_left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = nothing_left / "bin"
    broken.mkdir()
    for name in ("initdb", "postgres", "pg_basebackup", "pg_controldata", "pg_isready", "psql", "pg_ctl"):
        (broken / name).write_text("#!/bin/sh\necho 'initdb: error: this one is broken' >&2\nexit 1\n")
        (broken / name).chmod(0o755)
    monkeypatch.setenv("SHOP_POSTGRES_BIN", str(broken))
    done = chaos("run", EXPERIMENTS / "replica-dies.yaml", "--report", nothing_left)
    assert done.code == 5, done.out + done.err
    assert "db-primary ended with exit code" in done.out + done.err
    assert "this one is broken" in done.out + done.err


def test_a_full_disk(nothing_left: Path) -> None:
    small = nothing_left / "small"
    small.mkdir()
    file = write(nothing_left, fault="process.kill", target="db-replica-1", for_="30s")
    script = f"mount -t tmpfs -o size=200k tmpfs {small} && {' '.join(argv('run', file, '--report', small))}"
    done = subprocess.run(
        [*unshare_argv(), "sh", "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 5, done.stdout + done.stderr
    assert "make room, then: chaos judge" in done.stderr
    assert "No space left on device" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_folder_that_cannot_be_written(nothing_left: Path) -> None:
    (nothing_left / "file").write_text("")
    done = chaos("run", EXPERIMENTS / "replica-dies.yaml", "--report", nothing_left / "file" / "below")
    assert done.code == 5
    assert "--report" in done.err


@pytest.fixture
def no_namespaces() -> list[str]:
    """Puts a command where no further user namespace may be made, as in a container with a default profile."""
    who = ["--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else ["--map-current-user"]
    forbid = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    return ["unshare", "--user", *who, "--keep-caps", "--", "sh", "-c", forbid, "sh"]


def test_without_namespaces_packet_faults_are_refused_by_name(nothing_left: Path, no_namespaces: list[str]) -> None:
    file = EXPERIMENTS / "edge-packet-loss.yaml"
    done = subprocess.run(
        [*no_namespaces, *argv("run", file, "--report", nothing_left)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3, done.stdout + done.stderr
    assert "network.loss on edge" in done.stderr
    assert "max_user_namespaces" in done.stderr
    assert not list(nothing_left.glob("*/journal.jsonl")), "refused, yet a run was begun"


@pytest.fixture
def on_loopback(
    nothing_left: Path, no_namespaces: list[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[subprocess.Popen[str]]:
    """A run on loopback ports, with the folder for its temporary data below the test's own."""
    (nothing_left / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(nothing_left / "tmp"))
    file = write(nothing_left, fault="process.kill", target="db-replica-1", for_="3s")
    command = [*no_namespaces, *argv("run", file, "--report", nothing_left / "runs")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as started:
        yield started
        started.kill()
    wait_for("its temporary data to be gone", lambda: not list((nothing_left / "tmp").iterdir()), within_s=5)


def test_without_namespaces_the_shop_runs_on_loopback(on_loopback: subprocess.Popen[str], nothing_left: Path) -> None:
    out = on_loopback.communicate(timeout=120)[0]
    assert on_loopback.returncode == 0, out
    assert report(next((nothing_left / "runs").iterdir()))["verdict"] == "passed"


@pytest.mark.parametrize("victim", ["command", "supervisor", "conductor"])
def test_on_loopback_too_nothing_outlives_a_kill(
    on_loopback: subprocess.Popen[str], nothing_left: Path, victim: str
) -> None:
    def injected() -> bool:
        assert on_loopback.poll() is None
        return "injected" in [record["event"] for record in journal(nothing_left / "runs")]

    wait_for("the fault to be on", injected)
    inside = sorted(pid for pid, command in processes_of(nothing_left).items() if "chaos.inside" in command)
    os.kill({"command": on_loopback.pid, "supervisor": inside[0], "conductor": inside[-1]}[victim], signal.SIGKILL)
    on_loopback.communicate(timeout=30)
    wait_for("every process to be gone", lambda: not processes_of(nothing_left), within_s=5)


def test_a_port_that_is_taken(nothing_left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(nothing_left / "state"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = chaos("sandbox", "up", "--port", str(port), "--report", nothing_left)
    assert done.code == 5
    assert f"port {port}" in done.err
    assert "--port" in done.err


def test_doctor_names_the_cause_and_the_remedy(no_namespaces: list[str]) -> None:
    done = subprocess.run([*no_namespaces, *argv("doctor")], capture_output=True, text=True, timeout=60, check=False)
    assert "user.max_user_namespaces = 0" in done.stdout
    assert "sudo sysctl user.max_user_namespaces" in done.stdout
