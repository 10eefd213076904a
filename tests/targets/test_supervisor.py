"""The supervisor's life line, without a shop: what ends it, and what ends with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.targets.machine import unshare_argv

_INSIDE = """
import signal, subprocess, sys, time
from chaos.targets.supervisor import supervise

def conduct():
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {{signal.SIGINT}})
    subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "sleep", "{marker}"], start_new_session=True)
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        return 7
    return 0

supervise(conduct)
"""
ENDS_WITHIN_S = 5.0


@pytest.fixture(params=["namespaces", "loopback"])
def supervisor(request: pytest.FixtureRequest) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    prefix = []
    if request.param == "namespaces":
        request.getfixturevalue("namespaces")
        prefix = unshare_argv()
    marker = f"6{os.getpid()}.{time.monotonic_ns()}"  # how its service is found: `sleep` with this very time
    process = subprocess.Popen(
        [*prefix, sys.executable, "-c", _INSIDE.format(marker=marker)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None and process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    deadline = time.monotonic() + ENDS_WITHIN_S
    while not _sleepers(marker):
        assert time.monotonic() < deadline, "its service did not start"
    yield process, marker
    process.stdin.close()
    process.wait(timeout=ENDS_WITHIN_S)
    process.stdout.close()


def test_the_end_of_its_standard_input_ends_everything(supervisor: tuple[subprocess.Popen[bytes], str]) -> None:
    process, marker = supervisor
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=ENDS_WITHIN_S) == 1
    _gone(marker)


def test_a_byte_interrupts_the_conductor_and_its_code_is_handed_on(
    supervisor: tuple[subprocess.Popen[bytes], str],
) -> None:
    process, marker = supervisor
    assert process.stdin is not None
    process.stdin.write(bytes([signal.SIGINT]))
    process.stdin.flush()
    assert process.wait(timeout=ENDS_WITHIN_S) == 7
    _gone(marker)


def test_its_own_death_ends_everything(supervisor: tuple[subprocess.Popen[bytes], str]) -> None:
    process, marker = supervisor
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=ENDS_WITHIN_S)
    _gone(marker)


def _gone(marker: str) -> None:
    deadline = time.monotonic() + ENDS_WITHIN_S
    while _sleepers(marker) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert _sleepers(marker) == []


def _sleepers(marker: str) -> list[int]:
    found = []
    for path in Path("/proc").iterdir():
        try:
            if path.name.isdigit() and (path / "cmdline").read_bytes().split(b"\0")[:2] == [b"sleep", marker.encode()]:
                found.append(int(path.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
