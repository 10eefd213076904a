"""Undoing faults of a project that is not there any more, or is on another engine."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest

from chaos.errors import SandboxError
from chaos.faults.base import Lease
from chaos.heal.healer import Healer
from chaos.heal.leases import Open
from chaos.system import System
from chaos.targets.docker.engine import connect
from chaos.targets.order import Compose, Order

pytestmark = pytest.mark.docker

LEFT: dict[str, dict[str, Any]] = {
    "process.kill": {},
    "network.loss": {"percent": "50%"},
    "proxy.latency": {"latency": "1s"},
    "proxy.down": {},
    "resource.cpu": {"percent": "10%"},
}


def order(folder: Path, engine: list[str]) -> Order:
    """An order for a project that is nowhere."""
    service = {"command": ["-"], "ports": {}, "ready": {}}
    system = System.model_validate({"name": "x", "services": {"web": service}, "proxy": {"service": "toxiproxy"}})
    name = f"chaos-test-{secrets.token_hex(4)}"
    project = Compose(folder / "compose.yml", name, ours=False, owned=True, engine=engine)
    return Order("r", folder, folder, False, system, {}, compose=project)


@pytest.mark.parametrize("word", LEFT)
def test_a_fault_ends_with_the_project_that_it_was_on(engine: Any, tmp_path: Path, word: str) -> None:
    healer = Healer(order(tmp_path, connect().known_by()))
    try:
        known = healer.undo(Open(word, Lease("1", "web", 5.0, 1), LEFT[word], {}, 0.0))
    finally:
        healer.close()
    assert "is gone" in known or "was removed" in known


def test_nothing_is_healed_on_another_engine_than_that_of_the_run(engine: Any, tmp_path: Path) -> None:
    here = connect().known_by()
    assert len(here) == 2
    for known in here:  # the other one may have changed
        Healer(order(tmp_path, [known, "elsewhere"])).close()
    with pytest.raises(SandboxError, match="the run was on elsewhere: nothing was done"):
        Healer(order(tmp_path, ["another id", "elsewhere"]))
