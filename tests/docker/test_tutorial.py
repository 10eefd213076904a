"""docs/own-system.md, followed word for word in a fresh folder: its commands print what it says that they print.

Only the name of the folder, and with it that of the project, is another, so that two can follow it at a time. A run
whose load was late because the machine is busy proves nothing, and is run again.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.docker.composed_shop import PROGRAMS, installed
from tests.docker.left import project_label
from tests.docker.tutorial import PAGE, Command, File, missing, steps

pytestmark = pytest.mark.docker

NAME = "pricepage"  # in the tutorial
COMMAND_S_MAX = 200  # building for the first time downloads packages
TRIES = 4
INCONCLUSIVE = 3


@dataclass
class Reader:
    """Somebody who does what the page says."""

    folder: Path
    project: str
    exit_code: int = 0

    def does(self, step: File | Command) -> None:
        """Writes the file, or runs the command and compares; AssertionError with what was printed."""
        if isinstance(step, File):
            (self.folder / step.name).write_text(self._mine(step.text))
            return
        shown = tuple(map(self._mine, step.shown))
        for _ in range(TRIES):
            printed = self.runs(self._mine(step.text))
            if self.exit_code != INCONCLUSIVE:
                break
        told = f"$ {step.text}\n{printed}\nexit code {self.exit_code}"
        assert (line := missing(shown, printed)) is None, f"the page shows:\n{line}\nbut this was printed:\n{told}"
        assert shown or self.exit_code == 0, told

    def runs(self, command: str) -> str:
        """What a command prints in the folder where the last one left off."""
        reading, writing = os.pipe()
        script = f"(exit {self.exit_code})\n{command}\ncode=$?\npwd >&{writing}\nexit $code"
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env={**os.environ, "PATH": path, "COLUMNS": "200"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_S_MAX,
            check=False,
            pass_fds=[writing],
        )
        os.close(writing)
        with os.fdopen(reading) as where:
            self.folder = Path(where.readline().strip())
        self.exit_code = done.returncode
        return done.stdout

    def _mine(self, text: str) -> str:
        program = next((program for program in PROGRAMS if installed(program)), None)
        assert program is not None, "neither `docker compose` nor `docker-compose` is installed"
        return text.replace("docker compose", " ".join(program)).replace(NAME, self.project)


@pytest.fixture
def reader(engine: Any, tmp_path: Path, nothing_left_on_engine: list[str]) -> Iterator[Reader]:
    project = f"{NAME}-{secrets.token_hex(3)}"
    nothing_left_on_engine.append(project_label(project))
    yield Reader(tmp_path, project)
    for container in engine.containers.list(all=True, filters={"label": project_label(project)}):
        container.remove(force=True)
    for network in engine.networks.list(filters={"label": project_label(project)}):
        network.remove()
    for image in engine.images.list():
        if any(project in tag for tag in image.tags):
            engine.images.remove(image.id, force=True)


def test_the_tutorial_is_followed_word_for_word(engine: Any, reader: Reader) -> None:
    for step in steps(PAGE.read_text()):
        reader.does(step)
    assert list(reader.folder.iterdir()) == [], "it says how to take everything away"
    assert [tag for image in engine.images.list() for tag in image.tags if reader.project in tag] == []


def test_it_fails_first_and_passes_then() -> None:
    commands = [step for step in steps(PAGE.read_text()) if isinstance(step, Command)]
    runs = [(command, after) for command, after in pairwise(commands) if "chaos run" in command.text]
    assert [after.shown for command, after in runs if command.text == "chaos run hang.yaml"] == [("1",), ("0",), ("2",)]


def test_a_line_that_differs_in_a_word_is_found() -> None:
    printed = "one\npassed  page: 51 ms of 160 (expected < 1s)\n100%\n"
    assert missing(("passed page: 7 ms of 1 (expected < 1s)", "46%"), printed) is None
    assert missing(("failed page: 7 ms of 1 (expected < 1s)",), printed) is not None
    assert missing(("100%", "one"), printed) == "one"
    assert missing(("1",), "2\n") == "1"
