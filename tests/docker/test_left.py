"""The check for leftovers sees a container that never ran, a network and a volume."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from chaos.targets.docker.agent_image import ensure_image
from chaos.targets.docker.engine import connect
from tests.docker.left import left_under


@pytest.mark.docker
def test_what_is_left_is_seen_until_it_is_gone(engine: Any, nothing_left_on_engine: list[str]) -> None:
    mark = f"left-{secrets.token_hex(4)}"
    labels = {"chaos.test": mark}
    nothing_left_on_engine.append(f"chaos.test={mark}")
    made = [
        engine.containers.create(ensure_image(connect()), "true", labels=labels),
        engine.networks.create(mark, labels=labels, internal=True),
        engine.volumes.create(mark, labels=labels),
    ]
    try:
        kinds = [each.partition(" ")[0] for each in left_under(engine, f"chaos.test={mark}")]
        assert kinds == ["container", "network", "volume"]
    finally:
        for each in made:
            each.remove()
