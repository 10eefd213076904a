"""Fixtures for tests of the agent: three hosts with links between them, an agent on one, and ways to send packets."""

import contextlib
from collections.abc import Iterator

import pytest

from tests.agent.netns import Agent, World, world


@pytest.fixture(scope="session")
def _hosts() -> Iterator[World]:
    with world() as made:
        yield made


@pytest.fixture
def hosts(namespaces: None, request: pytest.FixtureRequest) -> World:
    """The target and its neighbours; skips where the machine refuses namespaces or packet faults."""
    found = request.getfixturevalue("_hosts")
    assert isinstance(found, World)
    return found


@pytest.fixture
def agent(hosts: World) -> Iterator[Agent]:
    """An agent on the target; afterwards it is gone, and its table with it."""
    with contextlib.closing(Agent(hosts.target)) as started:
        yield started
    assert hosts.target.tables() == []
