"""Process trees, with real processes that have sessions of their own, as PostgreSQL's have."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from chaos.targets.processes import kill_tree, signal_tree, state, tree

_FAMILY = """
import os, sys, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(60)
        time.sleep(60)
print("ready", flush=True)
time.sleep(60)
"""
FAMILY = 7  # the first, three children, three grandchildren
APPEARS_WITHIN_S = 5.0


@pytest.fixture
def family() -> Iterator[subprocess.Popen[str]]:
    first = subprocess.Popen([sys.executable, "-c", _FAMILY], stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None and first.stdout.readline() == "ready\n"
    deadline = time.monotonic() + APPEARS_WITHIN_S
    while len(tree(first.pid)) < FAMILY and time.monotonic() < deadline:
        time.sleep(0.01)
    yield first
    kill_tree(first.pid)
    first.wait()
    first.stdout.close()


def test_the_whole_family_is_found_parents_first(family: subprocess.Popen[str]) -> None:
    found = tree(family.pid)
    assert len(found) == FAMILY
    assert found[0].pid == family.pid


def test_kill_leaves_nobody(family: subprocess.Popen[str]) -> None:
    everybody = tree(family.pid)
    kill_tree(family.pid)
    family.wait()
    for process in everybody:
        now = state(process.pid)
        assert now is None or now.started != process.started or now.state == "Z"


def test_stop_and_go_reach_everybody(family: subprocess.Popen[str]) -> None:
    signal_tree(family.pid, signal.SIGSTOP)
    assert {process.state for process in tree(family.pid)} == {"T"}
    signal_tree(family.pid, signal.SIGCONT)
    assert {process.state for process in tree(family.pid)} == {"S"}


def test_a_stopped_family_can_be_killed(family: subprocess.Popen[str]) -> None:
    signal_tree(family.pid, signal.SIGSTOP)
    kill_tree(family.pid)
    assert tree(family.pid) == []


def test_nobody_is_an_empty_family() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert tree(gone.pid) == []
    kill_tree(gone.pid)
