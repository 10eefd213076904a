"""A compose project as a target: its containers are found by labels, and all is done through the engine.

Processes are a container's; packet faults are held by agents in helper containers. Only containers whose owner offered
them are touched. Names are those of chaos/targets/docker/containers.py. Leaves out bringing the project up and down.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chaos.errors import FaultError, Unsupported, UsageError
from chaos.targets.agent_client import AgentClient
from chaos.targets.base import Agent, Limits, Link, ProcessState, Terrain
from chaos.targets.docker.addresses import address_among, address_from_here, addresses_of
from chaos.targets.docker.agent_channel import ContainerChannel
from chaos.targets.docker.agent_image import ensure_image
from chaos.targets.docker.command import run_command
from chaos.targets.docker.containers import Inspected, Project, check_offered
from chaos.targets.docker.engine import Refused
from chaos.targets.docker.limits import ContainerLimits
from chaos.targets.docker.login import login_of, sql_port
from chaos.targets.docker.shared_network import refuse_shared_network
from chaos.targets.readiness import dsn, is_ready

if TYPE_CHECKING:
    from chaos.targets.docker.links import Links

_DEAD_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.005
_CONFLICT = 409  # the engine's status for what does not fit a container's state
_REMOVED_CODE = -1


class ComposeTarget:
    """A running project; see targets/base.py for the contract. `service` is always the name of one container."""

    def __init__(self, terrain: Terrain, project: Project, *, run: str, allowed: bool, logs: Path) -> None:
        """`run` labels the helper containers; `allowed`: the user said that the whole project is theirs."""
        self.terrain = terrain
        self._project, self._engine = project, project.engine
        self._run_id, self._allowed, self._logs = run, allowed, logs
        self._agents: dict[str, tuple[str, AgentClient]] = {}

    # ── processes ─────────────────────────────────────────────────────────────────────────────────────────────

    def kill(self, service: str) -> None:
        """SIGKILL to the whole container, paused or not; returns once it is down. Restart policies do not undo it."""
        container = self._offered(service)
        if not container["State"]["Running"]:
            return
        self._unless(_CONFLICT, f"kill {service}", "kill", container["Id"])
        deadline = time.monotonic() + _DEAD_WITHIN_S
        while (now := self._project.find(service)) is not None and now["State"]["Running"]:
            if now["State"]["StartedAt"] != container["State"]["StartedAt"]:
                return  # somebody started it again at once; the fault's own look will tell
            if time.monotonic() > deadline:
                raise FaultError(f"{service} still runs {_DEAD_WITHIN_S:.0f} s after SIGKILL")
            time.sleep(_LOOK_EVERY_S)

    def start(self, service: str) -> None:
        """Starts the container unless it runs; a paused one stays as it is. Does not wait until it serves."""
        container = self._offered(service)
        if not container["State"]["Running"]:
            self._unless(_CONFLICT, f"start {service}", "start", container["Id"])

    def terminate(self, service: str) -> None:
        """The container's own stop signal to its first process, which asks it to end; does not wait."""
        container = self._offered(service)
        if container["State"]["Running"]:
            number = container["Config"].get("StopSignal") or signal.SIGTERM.name
            self._unless(_CONFLICT, f"stop {service}", "kill", container["Id"], number)

    def pause(self, service: str) -> None:
        """Freezes every process of the container."""
        container = self._offered(service)
        if not container["State"]["Paused"]:
            with self._engine.doing(f"pause {service}") as api:
                api.pause(container["Id"])

    def resume(self, service: str) -> None:
        """Lets them go on; harmless when none is frozen, or when the container is gone."""
        container = self._project.find(service)
        if container is not None and self._check_offered(service, container)["State"]["Paused"]:
            with self._engine.doing(f"resume {service}") as api:
                api.unpause(container["Id"])

    def processes(self, service: str) -> list[ProcessState]:
        """The first process stands for the container, by its number on the engine's host; none when it is down."""
        container = self._project.find(service)
        if container is None or not container["State"]["Running"] or not container["State"]["Pid"]:
            return []
        state = container["State"]
        started = round(datetime.fromisoformat(state["StartedAt"]).timestamp() * 100)
        return [ProcessState(state["Pid"], "T" if state["Paused"] else "S", started)]

    def ended(self) -> dict[str, int]:
        """Containers that do not run, with their exit codes; -1 for one that is not there at all."""
        running = self._project.running()
        names = {*running, *self.terrain.system.services}
        return {name: self._exit_code(name) for name in sorted(names) if not running.get(name, False)}

    def unready(self) -> list[str]:
        """The services that do not serve at this moment."""
        return [name for name in self.terrain.system.services if not self._serves(name)]

    # ── network ───────────────────────────────────────────────────────────────────────────────────────────────

    def agent(self, service: str) -> Agent:
        """The agent in the container's network namespace, started if there is none; some 0.2 s, then 2 ms.

        A container that was started again has another namespace, and gets another agent; what was held in the old one
        has ended. For one that does not run it is an agent that holds nothing.
        """
        container = self._project.find(service)
        where = None
        if container is not None and self._check_offered(service, container)["State"]["Running"]:
            where = f"{container['Id']} {container['NetworkSettings']['SandboxKey']}"
        held, agent = self._agents.get(service, (None, None))
        if agent is not None and held == where and agent.alive():
            return agent
        if agent is not None:
            agent.close()
            del self._agents[service]
        if container is None or where is None:
            return _Nowhere(service)
        refuse_shared_network(self._project, service, container, owned=self._allowed)
        channel = ContainerChannel(
            self._engine,
            image=ensure_image(self._engine),
            target=service,
            joins=container["Id"],
            run=self._run_id,
            log=self._logs / "agents.log",
        )
        client = AgentClient(service, channel)
        self._agents[service] = where, client
        return client

    def host(self, service: str) -> str:
        """The container's address as its peers see it; a fixed one also while it is down, else FaultError."""
        others = [networks for name, networks in self._project.networks().items() if name != service]
        return address_among(service, self._project.container(service), others)

    def hosts(self, service: str) -> list[str]:
        """The container's addresses on all its networks: which of them a peer sees is the peer's affair."""
        return addresses_of(service, self._project.container(service))

    def url(self, service: str, port: str) -> str:
        """`http://host:port` of one port, as it is now: a published one may change whenever a container is started."""
        spec = self.terrain.system.services.get(service)
        if spec is None or port not in spec.ports:
            raise UsageError(f"{service} has no port called {port!r}")
        host, is_local = self._engine.host, self._engine.is_local
        container = self._project.container(service)
        return f"http://{address_from_here(service, container, spec.ports[port], host=host, is_local=is_local)}"

    def dsn(self, service: str) -> str:
        """The connection string of a service's database."""
        system = self.terrain.system
        url = self.url(service, sql_port(system.services[service].ports))
        if system.database is not None:
            return dsn(url, system.database)
        login = login_of(service, self._project.container(service))
        return dsn(url, login.database, password=login.password)

    # ── proxies and limits ────────────────────────────────────────────────────────────────────────────────────

    def proxy(self, service: str) -> Link:
        """The proxy through which a service is called."""
        return self._links().link(service)

    def open_proxies(self) -> None:
        """Makes the proxies that the manifest lists; for when a sandbox comes up, before anybody connects."""
        self._links().populate()

    def limits(self, service: str) -> Limits:
        """What the container may use."""

        def look() -> Inspected | None:
            container = self._project.find(service)
            return None if container is None else self._check_offered(service, container)

        return ContainerLimits(self._engine, service, look)

    # ── commands ──────────────────────────────────────────────────────────────────────────────────────────────

    def run(self, service: str, argv: Sequence[str], timeout_s: float) -> tuple[int, str]:
        """The exit code of a command in the container, and what it printed; see docker/command.py."""
        container = self._offered(service)
        return run_command(self._engine, container["Id"], service, argv, timeout_s=timeout_s, run=self._run_id)

    def log(self, service: str, *, lines: int | None = None) -> str:
        """What the container wrote, or the last lines of it; nothing for one that was removed."""
        container = self._project.find(service)
        if container is None:
            return ""
        with self._engine.doing(f"read the log of {service}") as api:
            text: bytes = api.logs(container["Id"], tail="all" if lines is None else lines)
        return text.decode(errors="replace")

    def down(self) -> None:
        """Ends every agent, and with them what they hold; the containers stay as they are."""
        for _, agent in self._agents.values():
            agent.close()
        self._agents.clear()

    # ── inner workings ────────────────────────────────────────────────────────────────────────────────────────

    def _links(self) -> Links:
        from chaos.targets.docker.links import Links  # its SDK is loaded where a fault needs it

        proxy = self.terrain.system.proxy
        if proxy is not None:
            self._offered(proxy.service)
        return Links(self._project, self.terrain.system, self)

    def _offered(self, service: str) -> Inspected:
        return self._check_offered(service, self._project.container(service))

    def _check_offered(self, service: str, container: Inspected) -> Inspected:
        check_offered(self._project, service, container, owned=self._allowed)
        return container

    def _unless(self, status: int, what: str, act: str, *arguments: Any) -> None:
        """One call of the engine, which may find that the container has changed since we looked."""
        try:
            with self._engine.doing(what) as api:
                getattr(api, act)(*arguments)
        except Refused as refused:
            if refused.status != status:
                raise

    def _exit_code(self, name: str) -> int:
        try:
            container = self._project.find(name)
        except UsageError:  # a service of the manifest that was never brought up
            container = None
        return int(container["State"]["ExitCode"]) if container else _REMOVED_CODE

    def _serves(self, name: str) -> bool:
        try:
            container = self._project.find(name)
            if container is None or not container["State"]["Running"] or container["State"]["Paused"]:
                return False
            service = self.terrain.system.services[name]
            asked = service.ready.sql or service.ready.http or service.ready.tcp
            if asked is None:
                return str(container["State"].get("Health", {}).get("Status", "healthy")) == "healthy"
            urls = {port: self.url(name, port) for port in service.ports}
        except (FaultError, Unsupported, UsageError):
            return False
        return is_ready(service.ready, urls, self.terrain.system.database)


class _Nowhere:
    """Stands for the agent of a container that does not run: no packets, so nothing is held, and nothing to undo."""

    def __init__(self, service: str) -> None:
        self._service = service

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        match request["do"]:
            case "list":
                return {"ok": True, "faults": []}
            case "remove":
                return {"ok": True}
        raise FaultError(f"{self._service} does not run, so no packets can be treated there")
