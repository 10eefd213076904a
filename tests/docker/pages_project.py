"""A tiny project of a user's own: pages on `web`, a `db` that nobody asks, and a compose file that says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.docker.running import write
from tests.docker.small_project import PORT, SmallProject

_PROGRAM = f"import http.server; http.server.test(http.server.SimpleHTTPRequestHandler, port={PORT}, bind='0.0.0.0')"


def add_pages(project: SmallProject, *, allowed: bool = True) -> None:
    """Starts both; `allowed` is whether `db` is offered for faults."""
    project.add("web", program=_PROGRAM)
    project.add("db", allowed=allowed)


def experiment(base: Path, project: SmallProject, acts: Sequence[Mapping[str, Any]]) -> Path:
    """The shortest experiment on it, with its compose file beside it."""
    service = f"{{image: any, expose: ['{PORT}']}}"
    (base / "compose.yml").write_text(f"services:\n  web: {service}\n  db: {service}\n")
    sandbox = f"{{compose: compose.yml, project: {project.name}}}"
    return write(base / "experiment.yaml", acts, sandbox=sandbox, pages=f"web:{PORT}/")
