"""A compose project of a few tiny containers on the real engine, made without compose: labels are what counts.

Every container echoes UDP, so that packets between two of them can be timed. Its image is the agent's: it has Python.
"""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Any

from docker.errors import APIError
from docker.types import IPAMConfig, IPAMPool

from chaos.system import System
from chaos.targets.base import Terrain
from chaos.targets.compose import ComposeTarget
from chaos.targets.docker.agent_image import ensure_image
from chaos.targets.docker.containers import Project
from chaos.targets.docker.engine import Engine, connect

PORT = 9000
_ECHO = f"""
import signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
echo.bind(("0.0.0.0", {PORT}))
while True:
    data, peer = echo.recvfrom(64)
    echo.sendto(data, peer)
"""
_ROUND_TRIP = f"""
import socket, sys, time
ping = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
ping.settimeout(2)
begun = time.monotonic()
ping.sendto(b"x", (sys.argv[1], {PORT}))
ping.recv(64)
print((time.monotonic() - begun) * 1000)
"""


class SmallProject:
    """Containers with compose's labels, on a network of their own; `remove` takes everything away."""

    def __init__(self, client: Any, logs: Path) -> None:
        self.name = f"chaos-test-{secrets.token_hex(4)}"
        self.run = f"run-{secrets.token_hex(4)}"
        self.client = client
        self._logs = logs
        self._image = ensure_image(connect())
        self.subnet, self.network = _network(client, self.name)
        self.names: list[str] = []

    def add(self, service: str, number: int = 1, *, allowed: bool = True, up: bool = True, **wanted: Any) -> str:
        """Starts one container; returns its id. `wanted`: `address`, `one_off`, `program`, or its host_config."""
        api = self.client.api
        program = wanted.pop("program", _ECHO)
        address, one_off = wanted.pop("address", None), wanted.pop("one_off", False)
        if "network_mode" not in wanted:
            endpoint = api.create_endpoint_config(ipv4_address=f"{self.subnet}.{address}" if address else None)
            networking = {"networking_config": api.create_networking_config({self.name: endpoint})}
            wanted["network_mode"] = self.name
        else:
            networking = {}
        labels = {
            "com.docker.compose.project": self.name,
            "com.docker.compose.service": service,
            "com.docker.compose.container-number": str(number),
            "com.docker.compose.oneoff": str(one_off),
            **({"chaos.allowed": "true"} if allowed else {}),
        }
        identity: str = api.create_container(
            self._image,
            ["python3", "-c", program],
            labels=labels,
            ports=list(wanted.get("port_bindings", {})),
            host_config=api.create_host_config(**wanted),
            **networking,
        )["Id"]
        if up:
            api.start(identity)
        self.names.append(service)
        return identity

    def target(self, engine: Engine | None = None, *, allowed: bool = False) -> ComposeTarget:
        """The project as a target."""
        service = {"command": ["-"], "ports": {"http": PORT}, "ready": {}}
        system = System.model_validate({"name": self.name, "services": dict.fromkeys(self.names, service)})
        project = Project(engine or connect(), self.name)
        return ComposeTarget(Terrain(system, {}), project, run=self.run, allowed=allowed, logs=self._logs)

    def helpers(self) -> list[Any]:
        """The helper containers that belong to this project's run, whatever their state."""
        found: list[Any] = self.client.containers.list(
            all=True, filters={"label": f"chaos.run={self.run}"}, ignore_removed=True
        )
        return found

    def helpers_left(self, within_s: float) -> list[Any]:
        """Those that are left when the engine has had some time to remove what has ended."""
        deadline = time.monotonic() + within_s
        while (left := self.helpers()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left

    def remove(self) -> None:
        """Removes all containers and the network."""
        for label in (f"com.docker.compose.project={self.name}", f"chaos.run={self.run}"):
            for container in self.client.api.containers(all=True, filters={"label": label}):
                self.client.api.remove_container(container["Id"], force=True)
        self.client.api.remove_network(self.network)


def round_trip_ms(target: ComposeTarget, here: str, there: str) -> float:
    """How long a datagram takes from one container to another and back."""
    code, said = target.run(here, ["python3", "-c", _ROUND_TRIP, target.host(there)], 5.0)
    assert code == 0, said
    return float(said)


def _network(client: Any, name: str) -> tuple[str, str]:
    """A network in a free part of 198.18.0.0/15: its first three numbers, and its id."""
    for part in range(120, 180):
        subnet = f"198.19.{part}"
        try:
            pools = [IPAMPool(subnet=f"{subnet}.0/24")]
            made: str = client.api.create_network(name, ipam=IPAMConfig(pool_configs=pools))["Id"]
        except APIError as error:
            if "overlaps" not in str(error):
                raise
        else:
            return subnet, made
    raise AssertionError("no free network: docker network ls")
