"""A real embedded target in namespaces of its own for the fault tests, shared by all of them."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos.targets.machine import unshare_argv
from tests.docker.conftest import engine
from tests.faults.limited import Limited
from tests.faults.proxied import Proxied

__all__ = ["engine"]

_ANSWER_WITHIN_S = 30.0


class World:
    """The outer half: each call is a request to `inside.py`; an error there is a `Refused` here."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [*unshare_argv(), sys.executable, "-m", "tests.faults.inside", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def ask(self, do: str, *arguments: Any) -> Any:
        """One request and its answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, "with": arguments}) + "\n")
        self._process.stdin.flush()
        assert select.select([self._process.stdout], [], [], _ANSWER_WITHIN_S)[0], f"no answer to {do}"
        reply = json.loads(self._process.stdout.readline())
        if "error" in reply:
            raise Refused(reply["error"], reply["what"])
        return reply["value"]

    def close(self) -> None:
        """Ends the world."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=_ANSWER_WITHIN_S)


class Refused(Exception):
    """The inner half raised one of our errors: its name and what it said."""


@pytest.fixture(scope="session")
def shared_world(tmp_path_factory: pytest.TempPathFactory, machine: Any) -> Iterator[World]:
    """One world for all fault tests, with the services that they act on."""
    made = World(tmp_path_factory.mktemp("world"))
    for service in ("payments", "shipping", "cache"):
        made.ask("start", service)
    yield made
    made.close()


@pytest.fixture
def world(namespaces: None, request: pytest.FixtureRequest) -> World:
    """The shared world, with every service it needs running."""
    found: World = request.getfixturevalue("shared_world")
    for service in ("payments", "shipping", "cache"):
        found.ask("start", service)
    return found


@pytest.fixture(scope="session")
def proxied(engine: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    """A web server behind a real Toxiproxy, shared by the tests of proxy faults."""
    made = Proxied(engine, tmp_path_factory.mktemp("proxied"))
    yield made
    made.here.down()
    made.remove()


@pytest.fixture
def limited(engine: Any, tmp_path: Path) -> Iterator[Limited]:
    """A project with a container whose limits can be changed."""
    made = Limited(engine, tmp_path)
    yield made
    made.remove()
