"""What is left on the engine under a label: containers in any state, networks, volumes."""

from __future__ import annotations

from typing import Any


def project_label(project: str) -> str:
    """The label of all that compose makes for a project."""
    return f"com.docker.compose.project={project}"


def left_under(engine: Any, wanted: str) -> list[str]:
    """What still carries the label (`name=value`), as `kind name`."""
    label = {"label": wanted}
    containers = engine.api.containers(all=True, filters=label)
    networks = engine.api.networks(filters=label)
    volumes = engine.api.volumes(filters=label)["Volumes"] or []
    return [
        *(f"container {each['Names'][0]}" for each in containers),
        *(f"network {each['Name']}" for each in networks),
        *(f"volume {each['Name']}" for each in volumes),
    ]
