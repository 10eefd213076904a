"""The shop of compose.sandbox.yml under a project name and in a network of its own, by whichever compose is here."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import time
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from tests.docker.left import project_label

FILE = Path(__file__).parents[2] / "compose.sandbox.yml"
PROGRAMS = (["docker", "compose"], ["docker-compose"])

BUILD_S_MAX = 280
"""Images not built before need a minute or so, most of it downloads."""
HEALTHY_S_MAX = 60.0
DOWN_S_MAX = 60


def installed(program: list[str]) -> bool:
    """Whether this way of calling compose works here."""
    if shutil.which(program[0]) is None:
        return False
    return subprocess.run([*program, "version"], capture_output=True, check=False).returncode == 0


class ComposedShop:
    """One project, which starts when told to; `down` takes away all that it made."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.project = f"chaos-shop-{secrets.token_hex(4)}"
        self.net = _free_net(engine)
        self.environment = {"SHOP_NET": self.net, "SHOP_PORT": "0", "CHAOS_RUN": self.project}
        self._program = next((program for program in PROGRAMS if installed(program)), None)

    def compose(self, *words: str, within_s: float = HEALTHY_S_MAX) -> None:
        """Runs compose on this project; AssertionError with what it said where it fails."""
        assert self._program is not None, "neither `docker compose` nor `docker-compose` is installed"
        argv = [*self._program, "-p", self.project, "-f", str(FILE), *words]
        environment = {**os.environ, **self.environment}
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=within_s, check=False)
        assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"

    def up(self) -> None:
        """Starts all services, and waits until every one says that it is healthy."""
        self.compose("up", "-d", "--build", within_s=BUILD_S_MAX)
        self.wait_healthy()

    def wait_healthy(self) -> None:
        """Waits for every container's own health check; AssertionError with the logs of those that are not well."""
        deadline = time.monotonic() + HEALTHY_S_MAX
        while sick := [name for name, container in self.containers().items() if _health(container) != "healthy"]:
            assert time.monotonic() < deadline, {name: self.logs(name) for name in sick}
            time.sleep(0.2)

    def down(self) -> None:
        """Ends and removes everything, data included."""
        self.compose("down", "-v", "--remove-orphans", within_s=DOWN_S_MAX)

    def containers(self) -> dict[str, Any]:
        """Service → its container, as it is now."""
        found = self.engine.containers.list(all=True, filters={"label": project_label(self.project)})
        return {container.labels["com.docker.compose.service"]: container for container in found}

    def logs(self, service: str) -> str:
        """The last lines that a service wrote."""
        text: bytes = self.containers()[service].logs(tail=20)
        return text.decode(errors="replace")

    def published(self, service: str, port: int) -> int:
        """Where on 127.0.0.1 a port of a service is; another one after each start."""
        [binding] = self.containers()[service].attrs["NetworkSettings"]["Ports"][f"{port}/tcp"]
        assert binding["HostIp"] == "127.0.0.1"
        return int(binding["HostPort"])

    def url(self, service: str, port: int = 8080) -> str:
        """A published port as an HTTP URL."""
        return f"http://127.0.0.1:{self.published(service, port)}"

    def address(self, service: str) -> str:
        """A service's address in the project's network; empty while it does not run."""
        [network] = self.containers()[service].attrs["NetworkSettings"]["Networks"].values()
        return str(network["IPAddress"])


def _health(container: Any) -> str:
    return str(container.attrs["State"].get("Health", {}).get("Status", container.attrs["State"]["Status"]))


def _free_net(engine: Any) -> str:
    """The first three numbers of a network in 198.18.0.0/15 that no network of the engine has a part of."""
    taken = [
        ip_network(pool["Subnet"])
        for network in engine.api.networks()
        for pool in (network["IPAM"]["Config"] or [])
        if "Subnet" in pool
    ]
    for number in range(60, 120):
        wanted = ip_network(f"198.19.{number}.0/24")
        if not any(wanted.version == each.version and wanted.overlaps(each) for each in taken):
            return f"198.19.{number}"
    raise AssertionError("no free network: docker network ls")
