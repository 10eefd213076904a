"""The containers of a compose project, found by the labels that compose gives them, by the names experiments use.

A service with one container is called by its service's name. One with several is a set of that name, and its containers
are SERVICE-1, SERVICE-2 …, numbered as compose does. Every look is a fresh one: a container that was made anew has
another id. One-off containers (`compose run`) are nobody's target.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chaos.errors import FaultError, UsageError
from chaos.targets.docker.engine import Engine, Refused
from chaos.words import suggest

ALLOWED_LABEL = "chaos.allowed"
_PROJECT = "com.docker.compose.project"
_SERVICE = "com.docker.compose.service"
_NUMBER = "com.docker.compose.container-number"
_ONE_OFF = "com.docker.compose.oneoff"

Inspected = Mapping[str, Any]
"""What the engine says of one container, in the engine's own words."""


class Project:
    """One compose project on one engine."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self.name = name
        self._seen: set[str] = set()

    def names(self) -> dict[str, list[str]]:
        """The names of each service's containers, running or not; empty where the project has none."""
        return {service: [name for name, _ in found] for service, found in self._listed().items()}

    def running(self) -> dict[str, bool]:
        """Whether each container runs (a paused one does), by name."""
        listed = [container for found in self._listed().values() for container in found]
        return {name: row["State"] in ("running", "paused") for name, row in listed}

    def networks(self) -> dict[str, set[str]]:
        """The names of the networks that each container is on, by its name."""
        listed = [container for found in self._listed().values() for container in found]
        return {name: set((row.get("NetworkSettings") or {}).get("Networks") or {}) for name, row in listed}

    def container(self, name: str) -> Inspected:
        """One container as it is now; the oldest where its service has several by now. Raises UsageError for no match.

        Raises FaultError for one that was there before and has been removed since.
        """
        inspected = self.find(name)
        if inspected is None:
            raise FaultError(
                f"{name} of project {self.name} has no container any more: it was removed",
                remedy="bring the project up again",
            )
        return inspected

    def find(self, name: str) -> Inspected | None:
        """The same, but None for one that has been removed since: it may be about to be made anew."""
        for _ in range(2):  # between the list and the look it may have been made anew
            identity = self._identity(name)
            if identity is None:
                return None
            try:
                with self.engine.doing(f"look at {name}") as api:
                    inspected: Inspected = api.inspect_container(identity)
                return inspected
            except Refused as refused:
                if refused.status != 404:
                    raise
        return None

    def has(self, labels: Mapping[str, str]) -> bool:
        """Whether a container with these labels is one of the project's."""
        return labels.get(_PROJECT) == self.name

    def _identity(self, name: str) -> str | None:
        listed = self._listed()
        if len(several := listed.get(name, [])) > 1:
            # It was the only one when it was named, and its service was scaled up since: what was done, was done to it.
            oldest: str = min((row for _, row in several), key=lambda row: row["Created"])["Id"]
            return oldest
        for service, found in listed.items():
            for each, row in found:
                # The last one left of several is still known by its number.
                if name in (each, _numbered(service, row)):
                    self._seen.add(name)
                    identity: str = row["Id"]
                    return identity
        if name in self._seen:
            return None
        if not listed:
            raise UsageError(
                f"no container of a compose project called {self.name} is on the engine at {self.engine.address}",
                remedy="bring it up first; `docker compose ls -a` shows the projects there are",
            )
        known = [each for found in listed.values() for each, _ in found]
        raise UsageError(f"project {self.name} has no container called {name!r}{suggest(name, known)}")

    def _listed(self) -> dict[str, list[tuple[str, Inspected]]]:
        with self.engine.doing(f"list the containers of project {self.name}") as api:
            rows = api.containers(all=True, filters={"label": [f"{_PROJECT}={self.name}", _SERVICE]})
        services: dict[str, list[Inspected]] = {}
        for row in rows:
            if row["Labels"].get(_ONE_OFF, "False") != "True":
                services.setdefault(row["Labels"][_SERVICE], []).append(row)
        return {service: _named(service, services[service], services) for service in sorted(services)}


def projects(engine: Engine) -> list[str]:
    """The names of the compose projects that have any container, running or not."""
    with engine.doing("list compose projects") as api:
        rows = api.containers(all=True, filters={"label": [_PROJECT, _SERVICE]})
    return sorted({row["Labels"][_PROJECT] for row in rows})


def is_offered(labels: Mapping[str, str] | None) -> bool:
    """Whether a container's labels offer it to us."""
    return (labels or {}).get(ALLOWED_LABEL) == "true"


def check_offered(project: Project, name: str, inspected: Inspected, *, owned: bool) -> None:
    """Raises UsageError for a container that its owner did not offer; `owned`: the whole project is the user's."""
    if not owned and not is_offered(inspected["Config"].get("Labels")):
        raise UsageError(
            f"{name} of project {project.name} is not offered for faults, so nothing was done to it",
            remedy=f"if it is yours: --i-own-this {project.name}, or label the service {ALLOWED_LABEL}=true",
        )


def _named(service: str, rows: list[Inspected], services: Mapping[str, list[Inspected]]) -> list[tuple[str, Inspected]]:
    if len(rows) == 1:
        return [(service, rows[0])]
    rows = sorted(rows, key=lambda row: int(row["Labels"].get(_NUMBER, "0")))
    named = [(_numbered(service, row), row) for row in rows]
    if clash := [name for name, _ in named if name in services]:
        raise UsageError(
            f"{clash[0]} is the name of a service and of a container of the service {service}",
            remedy="give one of the two services another name",
        )
    return named


def _numbered(service: str, row: Inspected) -> str:
    return f"{service}-{row['Labels'].get(_NUMBER, '0')}"
