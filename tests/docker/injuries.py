"""What shows that a compose project is injured, or is not: read from the engine, the kernel, and those who play faults.

Two looks are compared: whatever a fault changes must be in a look. Helper containers are found by the namespaces that
they share with the project's containers, and not by their labels. Leaves out what a restart changes: ids of processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import requests

from tests.docker import kernel
from tests.docker.left import project_label

CONTROL = 8090  # a third party's port for being told to misbehave
BEHAVES, SILENT = "no fault", "silent"
_ANSWER_WITHIN_S = 2.0
_LIMITS = ("NanoCpus", "CpuQuota", "CpuPeriod", "Memory", "MemorySwap")


@dataclass(frozen=True)
class Container:
    """One container."""

    state: str  # the engine's word: running, paused, exited …
    limits: Mapping[str, int]  # in the engine's words
    frozen: bool | None = None  # these three as the kernel has them; None while it does not run
    tables: list[str] | None = None  # of packet rules; None too where only root may look
    kernel_limits: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Look:
    """A whole project at one moment."""

    containers: Mapping[str, Container]
    helpers: tuple[str, ...]  # containers that share a namespace with one of the project's
    proxies: Mapping[str, Any]  # with their toxics, as the Toxiproxy has them
    modes: Mapping[str, str]  # what each third party plays

    def differences(self, other: Look) -> list[str]:
        """What is not the same, for people."""
        found = [
            f"{name}: {self.containers.get(name)}, and then {other.containers.get(name)}"
            for name in {*self.containers, *other.containers}
            if self.containers.get(name) != other.containers.get(name)
        ]
        for what in ("helpers", "proxies", "modes"):
            if getattr(self, what) != getattr(other, what):
                found.append(f"{what}: {getattr(self, what)}, and then {getattr(other, what)}")
        return found


def look(client: Any, project: str) -> Look:
    """The project as it is now; `client` is the SDK's."""
    rows = client.api.containers(all=True)
    wanted = project_label(project).partition("=")[2]
    ours = {row["Id"]: row for row in rows if row["Labels"].get("com.docker.compose.project") == wanted}
    joins = {f"container:{identity}" for identity in ours}
    helpers = sorted(
        f"{row['Image']} on {row['HostConfig']['NetworkMode'][:22]}"
        for row in rows
        if row["HostConfig"].get("NetworkMode") in joins
    )
    with ThreadPoolExecutor() as threads:
        inspected = {
            each["Config"]["Labels"]["com.docker.compose.service"]: each
            for each in threads.map(client.api.inspect_container, ours)
        }
        containers = dict(zip(inspected, threads.map(_container, inspected.values()), strict=True))
    return Look(
        containers,
        tuple(helpers),
        _ask(published(inspected.get("toxiproxy"), 8474), "/proxies") or {},
        {name: mode(published(inspected.get(name), CONTROL)) for name in ("payments", "shipping")},
    )


def published(inspected: Any, port: int) -> str | None:
    """Where a port of a container is reached; None while it is not."""
    bindings = inspected["NetworkSettings"]["Ports"].get(f"{port}/tcp") if inspected else None
    return f"http://127.0.0.1:{bindings[0]['HostPort']}" if bindings else None


def mode(control: str | None) -> str:
    """What a third party plays, by its own word; `silent` where it does not answer."""
    told = _ask(control, "/fault")
    return str(told["mode"] or BEHAVES) if told else SILENT


def _ask(url: str | None, path: str) -> dict[str, Any] | None:
    if url is None:
        return None
    try:
        reply = requests.get(f"{url}{path}", timeout=_ANSWER_WITHIN_S)
        found: dict[str, Any] = reply.json()
    except requests.RequestException:
        return None
    return found


def _container(inspected: Any) -> Container:
    state, limits = inspected["State"], {name: int(inspected["HostConfig"].get(name) or 0) for name in _LIMITS}
    pid = state["Pid"]
    try:
        if state["Running"] and pid:
            return Container(state["Status"], limits, kernel.frozen(pid), kernel.tables(pid), kernel.limits(pid))
    except (FileNotFoundError, ProcessLookupError):  # it ended at this moment
        return Container("ending", limits)
    return Container(state["Status"], limits)
