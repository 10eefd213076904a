"""What a compose project has left on the engine: containers in any state, networks, volumes."""

from __future__ import annotations

from typing import Any


def left_of(engine: Any, project: str) -> list[str]:
    """What still belongs to the project, as `kind name`."""
    label = {"label": f"com.docker.compose.project={project}"}
    containers = engine.api.containers(all=True, filters=label)
    networks = engine.api.networks(filters=label)
    volumes = engine.api.volumes(filters=label)["Volumes"] or []
    return [
        *(f"container {each['Names'][0]}" for each in containers),
        *(f"network {each['Name']}" for each in networks),
        *(f"volume {each['Name']}" for each in volumes),
    ]
