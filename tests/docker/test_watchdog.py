"""The conductor is killed or frozen with faults on; what is left is read from the engine and from the kernel."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from docker.errors import NotFound

from chaos import registry
from chaos.journal import read
from chaos.targets.docker.agent_image import ensure_image
from chaos.targets.docker.engine import connect
from chaos.targets.docker.owner import OWNER_LABEL, owner
from chaos.watchdog import MARGIN_S
from tests.docker import kernel
from tests.docker.killed_run import KilledRun, lives, wait_for
from tests.docker.small_project import SmallProject

pytestmark = pytest.mark.docker

LONG_S = 60.0
DELAY = {"delay": "200ms"}
FAULTS: dict[str, dict[str, Any]] = {
    "process.kill": {},
    "process.pause": {},
    "process.restart": {},
    "network.latency": DELAY,
    "network.loss": {"percent": "50%"},
    "network.partition": {},
}


@pytest.fixture
def run(small: SmallProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KilledRun]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    small.add("web", address=11)
    small.add("db", address=12)
    small.add("cache", address=13)
    run = KilledRun(small, tmp_path)
    yield run
    for pid in (run.conductor.pid if run.conductor else 0, run.watchdog):
        if pid and lives(pid):
            os.kill(pid, signal.SIGKILL)
    if run.conductor is not None:
        run.conductor.wait()


def chaos_heal(*arguments: str, code: int = 0) -> str:
    argv = [sys.executable, "-m", "chaos", "heal", *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("word", FAULTS)
def test_sigkill_of_the_conductor_in_the_middle_of_a_fault(run: KilledRun, word: str) -> None:
    run.start((word, "web", FAULTS[word], LONG_S))
    assert run.services() != run.before or kernel.tables(os.getpid()) is None
    run.send(signal.SIGKILL)
    run.wait_until_healed()  # measured: 0.2 to 0.6 s
    [healed] = run.events("healed")
    assert (healed["by"], healed["gone"], healed["effective"]) == ("watchdog", True, False)
    assert registry.entries() == ([], [])
    assert chaos_heal() == "nothing to heal\n"


def test_sigkill_with_every_kind_of_fault_on(run: KilledRun) -> None:
    run.start(
        ("network.latency", "web", DELAY, LONG_S),
        ("process.pause", "web", {}, LONG_S),
        ("process.kill", "db", {}, LONG_S),
        ("network.partition", "cache", {}, LONG_S),
        ("process.restart", "cache", {}, LONG_S),
    )
    run.send(signal.SIGKILL)
    run.wait_until_healed()  # measured: 0.9 s
    assert len(run.events("healed")) == 5


def test_a_run_that_ends_in_order_leaves_nothing_to_its_watchdog(run: KilledRun) -> None:
    run.start(("process.pause", "web", {}, 1.0))
    assert run.end() == 0
    run.wait_until_healed()
    assert all("by" not in record for record in read(run.folder.journal))
    assert registry.entries() == ([], [])


def test_a_frozen_conductor_does_not_keep_a_fault_on(run: KilledRun) -> None:
    run.start(("process.pause", "web", {}, 1.0))
    began = time.monotonic()
    run.send(signal.SIGSTOP)
    wait_for(lambda: run.services() == run.before, 1.0 + MARGIN_S + 2.0, lambda: f"{run.services()}")
    assert time.monotonic() - began > 1.0 + MARGIN_S - 1.0, "it was not given the time to do it itself"
    notes = run.folder.path / "watchdog.jsonl"
    wait_for(lambda: notes.exists() and "overdue; healed" in notes.read_text(), 2.0, lambda: "no note of it")
    assert run.events("healed") == [], "the journal is the living conductor's"
    assert "alive" in chaos_heal()
    run.send(signal.SIGCONT)
    assert run.end() == 0
    [healed] = run.events("healed")
    assert healed["gone"] and not healed["effective"], "what was undone by somebody else proves nothing"
    run.wait_until_healed()


def test_chaos_heal_when_the_watchdog_died_too(run: KilledRun) -> None:
    run.start(("process.pause", "web", {}, LONG_S), ("process.kill", "db", {}, LONG_S), deaf=True)
    run.send(signal.SIGKILL)
    run.end()
    with run.folder.journal.open("a") as journal:
        journal.write('{"t": 3, "ev')  # cut off in the middle of a write
    assert "process.kill on db, process.pause on web" in chaos_heal("--check", code=4)
    assert run.services() != run.before
    said = chaos_heal()
    assert "healed     process.pause on web" in said and "healed     process.kill on db" in said
    run.wait_until_healed()
    assert [event["by"] for event in run.events("healed")] == ["heal", "heal"]
    assert chaos_heal() == "nothing to heal\n"
    assert chaos_heal("--check") == "nothing to heal\n"
    chaos_heal(str(run.folder.path))


def test_what_will_not_heal_is_said_with_what_to_type(run: KilledRun) -> None:
    run.start(("process.kill", "db", {}, LONG_S), deaf=True)
    run.send(signal.SIGKILL)
    run.end()
    unreachable = {"DOCKER_HOST": "tcp://127.0.0.1:9"}
    file = next(run.folder.path.parent.glob("state/chaos/runs/*.json"))
    entry = json.loads(file.read_text())
    file.write_text(json.dumps(entry | {"engine": unreachable["DOCKER_HOST"]}))
    assert "DOCKER_HOST=tcp://127.0.0.1:9 chaos heal" in chaos_heal(code=4)
    file.write_text(json.dumps(entry))
    chaos_heal()
    run.wait_until_healed()


def test_a_run_whose_folder_is_gone_loses_its_helpers_at_least(run: KilledRun) -> None:
    run.start(("network.partition", "web", {}, LONG_S), deaf=True)
    run.send(signal.SIGSTOP)  # its agent goes on
    assert run.small.helpers()
    (run.folder.path).rename(run.folder.path.with_name("elsewhere"))
    assert "alive" in chaos_heal(), "found by its process, since its lock cannot be"
    run.send(signal.SIGKILL)
    run.end()
    chaos_heal()
    run.wait_until_healed()
    assert registry.entries() == ([], [])


@pytest.mark.parametrize(
    ("label", "removed"),
    [(None, True), (f"{owner().rpartition(' ')[0]} 1", True), (owner(), False), ("x/y 1 2", False)],
)
def test_a_helper_of_a_run_nobody_knows_is_removed_if_its_maker_is_dead_or_a_person_names_it(
    engine: Any, label: str | None, removed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    labels = {"chaos.run": "run-elsewhere", "chaos.role": "agent", **({OWNER_LABEL: label} if label else {})}
    made = engine.api.create_container(ensure_image(connect()), ["sleep", "60"], labels=labels)["Id"]
    try:
        assert (made[:12] in chaos_heal("--check", code=4 if removed else 0)) == removed
        assert (made[:12] in chaos_heal()) == removed
        assert removed or made[:12] in chaos_heal("run-elsewhere")
    finally:
        with suppress(NotFound):
            engine.api.remove_container(made, force=True)
