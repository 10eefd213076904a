"""Fixtures for tests on a real Docker engine: the engine, and whether anything is left on it.

Where none answers, a test is skipped with a loud reason; with CHAOS_REQUIRE_DOCKER=1 (set in CI) it fails instead.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import DockerException

from tests.docker.left import left_under
from tests.docker.small_project import SmallProject


@pytest.fixture(scope="session")
def engine() -> Any:
    """The SDK's client of the engine that DOCKER_HOST names, or of this machine's."""
    try:
        return docker.from_env(timeout=30, version="auto")
    except DockerException as error:
        reason = f"NOT TESTED HERE: no Docker engine answers: {error}; start one, or set DOCKER_HOST"
        if os.environ.get("CHAOS_REQUIRE_DOCKER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture
def small(engine: Any, tmp_path: Path) -> Iterator[SmallProject]:
    """An empty compose project; whatever is added to it is removed."""
    project = SmallProject(engine, tmp_path)
    yield project
    project.remove()


@pytest.fixture
def nothing_left_on_engine(engine: Any) -> Iterator[list[str]]:
    """A list for the labels (`name=value`) of what a test makes; afterwards nothing with one of them may be there."""
    labels: list[str] = []
    yield labels
    assert {label: left for label in labels if (left := left_under(engine, label))} == {}
