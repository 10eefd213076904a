"""Fixtures for all tests: what this machine can do, and whether anything is left behind.

A test that needs what the machine lacks is skipped with a loud reason; with CHAOS_REQUIRE_NAMESPACES=1 (set in CI) it
fails instead.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.targets.machine import Machine, survey

_GONE_WITHIN_S = 5.0


@pytest.fixture(scope="session")
def machine() -> Machine:
    """What this machine can do, asked once."""
    return survey()


@pytest.fixture
def namespaces(machine: Machine) -> None:
    """Skips, or fails in CI, where namespaces or packet faults are refused."""
    refusal = machine.namespaces or machine.packets or machine.delays
    if refusal is None:
        return
    reason = f"NOT TESTED HERE: {refusal.why}; {refusal.remedy}"
    if os.environ.get("CHAOS_REQUIRE_NAMESPACES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def nothing_left(tmp_path: Path) -> Iterator[Path]:
    """A folder for a test's runs; afterwards no process, mount or data of those runs may be left."""
    yield tmp_path
    deadline = time.monotonic() + _GONE_WITHIN_S
    while processes_of(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_of(tmp_path) == {}, "processes are left"
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text(), "a mount is left"
    left = [path for path in tmp_path.rglob("data") if any(path.iterdir())]
    assert left == [], "data is left"


def processes_of(folder: Path) -> dict[int, str]:
    """Processes that have to do with a folder: by their arguments, working folder or an open file below it."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                places = [command, str((entry / "cwd").readlink())]
                places += [str(descriptor.readlink()) for descriptor in (entry / "fd").iterdir()]
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            if any(str(folder) in place for place in places):
                found[int(entry.name)] = command
    return found
