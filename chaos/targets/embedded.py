"""The embedded sandbox: the shop's services as plain processes, each in a network namespace of its own.

Runs inside the namespaces that `world` made, as a child of `supervisor`. Where the machine refuses namespaces the
same services run on loopback ports, and faults that need packets are refused beforehand. Leaves out the undoing of
its own existence: when the supervisor ends, the kernel ends everything here.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from chaos.errors import SandboxError, Unsupported
from chaos.system import Service
from chaos.targets.agent_client import AgentClient
from chaos.targets.base import Capability, Limits, Link, ProcessState, Terrain
from chaos.targets.channel import Pipe
from chaos.targets.processes import kill_tree, send, signal_tree, tree
from chaos.targets.readiness import dsn, is_ready

_READY_WITHIN_S = 60.0
_ASK_EVERY_S = 0.03
_SIGNAL_ACTS_WITHIN_S = 1.0
_LOOPBACK_PORTS = range(20000, 32768)  # above are ephemeral ports, which anybody may be given
_LOG_LINES_SHOWN = 15
_NOBODY = 65534


class Embedded:
    """The running shop; every capability the machine allows. See targets/base.py for the contract."""

    def __init__(
        self, terrain: Terrain, *, namespaces: bool, code: Path, data: Path, logs: Path, weak: Sequence[str]
    ) -> None:
        self.terrain = terrain
        self._code, self._data, self._logs = code, data, logs
        self._weak = weak
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._agents: dict[str, AgentClient] = {}
        self._open_logs: dict[str, IO[bytes]] = {}
        self._bridge = None
        if namespaces:
            from chaos.targets.network import Bridge

            self._bridge = Bridge()
        self._addresses = self._assign_addresses()

    # ── the whole shop ────────────────────────────────────────────────────────────────────────────────────────

    def up(self, *, interrupted: Callable[[], bool]) -> None:
        """Starts every service in order and returns once all are ready, or when `interrupted` says so.

        Raises SandboxError with a service's last log lines when one ends or is not ready in time.
        """
        services = self.terrain.system.services
        ready: set[str] = set()
        deadline = time.monotonic() + _READY_WITHIN_S
        while len(ready) < len(services) and not interrupted():
            for name, service in services.items():
                if name not in self._running and ready.issuperset(service.after):
                    self.start(name)
                elif name in self._running and name not in ready:
                    if self._running[name].poll() is not None:
                        raise self._would_not_start(name, f"ended with exit code {self._running[name].returncode}")
                    if self._serves(name, service):
                        ready.add(name)
            if time.monotonic() > deadline:
                slow = next(name for name in services if name not in ready)
                raise self._would_not_start(slow, f"was not ready within {_READY_WITHIN_S:.0f} s")
            time.sleep(_ASK_EVERY_S)

    def down(self) -> None:
        """Ends every agent and service. Also without this nothing would outlive the supervisor."""
        for agent in self._agents.values():
            agent.close()
        self._agents.clear()
        for name in list(self._running):
            self.kill(name)

    # ── processes ─────────────────────────────────────────────────────────────────────────────────────────────

    def start(self, service: str) -> None:
        """Starts the service unless it runs; does not wait until it serves."""
        if self.processes(service):
            return
        data = self._data / service
        data.mkdir(parents=True, exist_ok=True)
        # The load and the agents measure, so services are a little less urgent; and none may outlive this process.
        wrapped = ["nice", "-n", "5", "setpriv", "--pdeathsig", "KILL"]
        if os.geteuid() == 0:  # only on plain loopback; PostgreSQL refuses to run as root
            wrapped += [f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
            os.chown(data, _NOBODY, _NOBODY)
        if service not in self._open_logs:
            self._open_logs[service] = (self._logs / f"{service}.log").open("ab", buffering=0)
        command = [sys.executable if word == "python" else word for word in self._spec(service).command]
        environment = {
            **{key: value for key, value in os.environ.items() if key in ("PATH", "LANG", "TZ", "LD_LIBRARY_PATH")},
            **self._spec(service).env,
            "HOME": str(data),
            "PYTHONPATH": str(self._code),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "SHOP_SERVICE": service,
            "SHOP_ADDRESSES": json.dumps(self._addresses),
            "SHOP_WEAK": ",".join(self._weak),
            "SHOP_DATA": str(data),
            **({"SHOP_POSTGRES_BIN": os.environ["SHOP_POSTGRES_BIN"]} if "SHOP_POSTGRES_BIN" in os.environ else {}),
        }
        prefix, descriptors = self._inside(service)
        self._running[service] = subprocess.Popen(
            [*prefix, *wrapped, *command],
            cwd=data,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._open_logs[service],
            stderr=subprocess.STDOUT,
            pass_fds=descriptors,
        )

    def kill(self, service: str) -> None:
        """SIGKILL to every process of the service; returns once they are gone."""
        process = self._running.get(service)
        if process is not None and process.poll() is None:
            kill_tree(process.pid)
            process.wait()

    def terminate(self, service: str) -> None:
        """The service's stop signal to its first process, which asks it to end; does not wait."""
        process = self._running.get(service)
        if process is not None and process.poll() is None:
            send(process.pid, signal.Signals[self._spec(service).stop_signal])

    def pause(self, service: str) -> None:
        """SIGSTOP to every process of the service; returns once they have stopped, which takes a busy one a moment."""
        for process in self.processes(service):
            send(process.pid, signal.SIGSTOP)
        self._wait_for(lambda: all(process.state in "Tt" for process in self.processes(service)))

    def resume(self, service: str) -> None:
        """SIGCONT to every process of the service."""
        if service in self._running:
            signal_tree(self._running[service].pid, signal.SIGCONT)
            self._wait_for(lambda: not any(process.state in "Tt" for process in self.processes(service)))

    def processes(self, service: str) -> list[ProcessState]:
        """The service's processes, its first one first; empty when none runs."""
        process = self._running.get(service)
        if process is None or process.poll() is not None:
            return []
        return tree(process.pid)

    def unready(self) -> list[str]:
        """The services that do not serve at this moment."""
        return [name for name, service in self.terrain.system.services.items() if not self._serves(name, service)]

    def ended(self) -> dict[str, int]:
        """Services whose first process is not there, with its exit code."""
        return {name: process.returncode for name, process in self._running.items() if process.poll() is not None}

    def run(self, service: str, argv: Sequence[str], timeout_s: float) -> tuple[int, str]:
        """Runs a command in the service's network; its exit code and what it printed. Raises TimeoutError."""
        prefix, descriptors = self._inside(service)
        with subprocess.Popen(
            [*prefix, *argv], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, pass_fds=descriptors
        ) as process:
            try:
                out, _ = process.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                kill_tree(process.pid)
                raise TimeoutError(f"{argv[0]} took longer than {timeout_s:g} s") from None
        return process.returncode, out

    # ── network ───────────────────────────────────────────────────────────────────────────────────────────────

    def agent(self, service: str) -> AgentClient:
        """The agent in the service's network namespace, started if none runs."""
        if refusal := self.terrain.missing.get(Capability.NETWORK):
            raise Unsupported(refusal.why, remedy=refusal.remedy)
        if service not in self._agents or not self._agents[service].alive():
            prefix, descriptors = self._inside(service)
            with (self._logs / "agents.log").open("ab", buffering=0) as log:
                command = [*prefix, sys.executable, "-P", "-m", "chaos.agent"]
                pipe = Pipe(command, pass_fds=descriptors, stderr=log.fileno())
                self._agents[service] = AgentClient(service, pipe)
        return self._agents[service]

    def host(self, service: str) -> str:
        """The service's address as its peers see it."""
        return next(iter(self._addresses[service].values())).rsplit(":", 1)[0]

    def hosts(self, service: str) -> list[str]:
        """That address: each service is on one network."""
        return [self.host(service)]

    def url(self, service: str, port: str) -> str:
        """`http://host:port` of one port of a service."""
        return f"http://{self._addresses[service][port]}"

    def dsn(self, service: str) -> str:
        """The connection string of a service's database."""
        assert self.terrain.system.database is not None
        return dsn(self.url(service, "sql"), self.terrain.system.database)

    def proxy(self, service: str) -> Link:
        """Refused: no Toxiproxy stands in here."""
        raise self._refused(Capability.PROXY)

    def limits(self, service: str) -> Limits:
        """Refused: services have no cgroups of their own."""
        raise self._refused(Capability.LIMITS)

    # ── inner workings ────────────────────────────────────────────────────────────────────────────────────────

    def _refused(self, capability: Capability) -> Unsupported:
        refusal = self.terrain.missing[capability]
        return Unsupported(refusal.why, remedy=refusal.remedy)

    @staticmethod
    def _wait_for(condition: Callable[[], bool]) -> None:
        """A signal acts when its process is scheduled. Gives up after a second: then the fault's own look will tell."""
        deadline = time.monotonic() + _SIGNAL_ACTS_WITHIN_S
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.002)

    def _spec(self, service: str) -> Service:
        return self.terrain.system.services[service]

    def _inside(self, service: str) -> tuple[list[str], list[int]]:
        """What to put before a command so that it runs in the service's network, and the descriptors to pass."""
        if self._bridge is None:
            return [], []
        descriptor = self._bridge.namespace(service)
        return ["nsenter", f"--net=/proc/self/fd/{descriptor}", "--"], [descriptor]

    def _serves(self, name: str, service: Service) -> bool:
        urls = {port: self.url(name, port) for port in service.ports}
        return is_ready(service.ready, urls, self.terrain.system.database)

    def _assign_addresses(self) -> dict[str, dict[str, str]]:
        services = self.terrain.system.services
        if self._bridge is not None:
            hosts = {name: self._bridge.add(name) for name in services}
            return {
                name: {port: f"{hosts[name]}:{number}" for port, number in service.ports.items()}
                for name, service in services.items()
            }
        wanted = sum(len(service.ports) for service in services.values())
        free = iter(_free_ports(wanted))
        return {name: {port: f"127.0.0.1:{next(free)}" for port in service.ports} for name, service in services.items()}

    def _would_not_start(self, service: str, what: str) -> SandboxError:
        log = self._logs / f"{service}.log"
        lines = log.read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:] if log.exists() else []
        shown = "\n".join(f"    {line}" for line in lines) or "    (it wrote nothing)"
        return SandboxError(
            f"{service} {what}; its last lines:\n{shown}",
            remedy=f"the whole log is {log}; `chaos doctor` says what this machine lacks",
        )


def _free_ports(count: int) -> list[int]:
    """Loopback ports that nobody listens on; raises SandboxError when there are not enough."""
    found: list[int] = []
    start = secrets.randbelow(len(_LOOPBACK_PORTS))  # two shops that start together look in different places
    for offset in range(len(_LOOPBACK_PORTS)):
        port = _LOOPBACK_PORTS[(start + offset) % len(_LOOPBACK_PORTS)]
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise SandboxError(
        f"no {count} free ports on loopback between {_LOOPBACK_PORTS[0]} and {_LOOPBACK_PORTS[-1]}",
        remedy="end what listens there (`ss -ltn` shows it)",
    )
