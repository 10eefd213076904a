"""Undoing faults of a project that is not there any more, on a real engine."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest

from chaos.faults.base import Lease
from chaos.heal.healer import Healer
from chaos.heal.leases import Open
from chaos.system import System
from chaos.targets.order import Compose, Order

pytestmark = pytest.mark.docker

LEFT: dict[str, dict[str, Any]] = {
    "process.kill": {},
    "network.loss": {"percent": "50%"},
    "proxy.latency": {"latency": "1s"},
    "proxy.down": {},
    "resource.cpu": {"percent": "10%"},
}


@pytest.mark.parametrize("word", LEFT)
def test_a_fault_ends_with_the_project_that_it_was_on(engine: Any, tmp_path: Path, word: str) -> None:
    service = {"command": ["-"], "ports": {}, "ready": {}}
    system = System.model_validate({"name": "x", "services": {"web": service}, "proxy": {"service": "toxiproxy"}})
    project = Compose(tmp_path / "compose.yml", f"chaos-test-{secrets.token_hex(4)}", ours=False, owned=True)
    healer = Healer(Order("r", tmp_path, tmp_path, False, system, {}, compose=project))
    try:
        known = healer.undo(Open(word, Lease("1", "web", 5.0, 1), LEFT[word], {}, 0.0))
    finally:
        healer.close()
    assert "is gone" in known or "was removed" in known
