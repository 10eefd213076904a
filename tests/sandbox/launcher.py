"""Starts the shop on loopback ports, as `shop.yaml` describes it, and ends it again.

As root the services run in a user namespace with an ordinary uid, because PostgreSQL refuses uid 0. Every service dies
with the test process (`setpriv --pdeathsig`), so an interrupted test leaves nothing. A single service can be started
again with protections switched off, which is quicker than a weak shop. No packet faults, no pid namespaces.
"""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import yaml

ROOT = Path(__file__).parents[2]
READY_S_MAX = 40.0
STOP_S_MAX = 10.0
"""A primary may wait for a standby that left without a word, for as long as its wal_sender_timeout (5 s)."""
FIRST_PORT = 20000
"""Below the ephemeral ports, which connections take at random."""


class Shop:
    """One shop; its data lie in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.manifest: dict[str, Any] = yaml.safe_load((ROOT / "sandbox" / "shop.yaml").read_text(encoding="utf-8"))
        self.folder = folder
        self.services: dict[str, dict[str, Any]] = self.manifest["services"]
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        names = [(service, port) for service, entry in self.services.items() for port in entry["ports"]]
        self.ports = dict(zip(names, _free_ports(len(names)), strict=True))

    def up(self) -> float:
        """Starts every service and waits until all are ready; returns the seconds it took."""
        started = time.monotonic()
        waiting = dict(self.services)
        ready: set[str] = set()
        while len(ready) < len(self.services):
            for service, entry in list(waiting.items()):
                if ready >= set(entry["after"]):
                    self.start(service)
                    del waiting[service]
            ready.update(service for service in self.processes.keys() - ready if self.is_ready(service))
            if time.monotonic() - started > READY_S_MAX:
                raise AssertionError(f"not ready: {self.services.keys() - ready}\n{self.logs()}")
            time.sleep(0.02)
        return time.monotonic() - started

    def start(self, service: str, *, weak: str = "") -> None:
        """Starts one service, without waiting, with the protections named in `weak` switched off."""
        data = self.folder / service
        data.mkdir(parents=True, exist_ok=True)
        command = [sys.executable if word == "python" else word for word in self.services[service]["command"]]
        as_user = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []
        addresses: dict[str, dict[str, str]] = {}
        for (name, port), number in self.ports.items():
            addresses.setdefault(name, {})[port] = f"127.0.0.1:{number}"
        environment = os.environ | {
            "SHOP_SERVICE": service,
            "SHOP_ADDRESSES": json.dumps(addresses),
            "SHOP_DATA": str(data),
            "SHOP_WEAK": weak,
            "PYTHONPATH": str(ROOT),
        }
        with (self.folder / f"{service}.log").open("ab") as log:
            self.processes[service] = subprocess.Popen(
                [*as_user, "setpriv", "--pdeathsig", "KILL", *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def is_ready(self, service: str) -> bool:
        """Whether the service serves, asked as its `ready` says; AssertionError with its log if it ended."""
        if self.processes[service].poll() is not None:
            raise AssertionError(f"{service} ended\n{self.logs(service)}")
        (way, what), *_ = self.services[service]["ready"].items()
        try:
            if way == "sql":
                return bool(self.sql(service, what)[0][0])
            if way == "http":
                return self.get(service, what)[0] == 200
            with socket.create_connection(("127.0.0.1", self.ports[service, what]), timeout=1):
                return True
        except (OSError, psycopg.OperationalError, IndexError):
            return False

    def wait_ready(self, service: str) -> None:
        """Waits until the service is ready."""
        wait_until(lambda: self.is_ready(service), f"{service} is ready", READY_S_MAX)

    def kill(self, service: str) -> None:
        """SIGKILL, as a fault does it."""
        self.processes[service].kill()
        self.processes[service].wait()

    def terminate(self, service: str) -> float:
        """Asks the service to end, and waits for it; returns the seconds it took."""
        started = time.monotonic()
        self.processes[service].send_signal(signal.Signals[self.services[service].get("stop_signal", "SIGTERM")])
        self.processes[service].wait(STOP_S_MAX)
        return time.monotonic() - started

    @contextmanager
    def weakened(self, service: str, weak: str) -> Iterator[None]:
        """The service started again with protections switched off, and at the end once more with all of them."""
        self.kill(service)
        self.start(service, weak=weak)
        self.wait_ready(service)
        try:
            yield
        finally:
            self.restart(service)

    def restart(self, service: str) -> None:
        """Kills the service if it runs, starts it again and waits until it is ready."""
        self.kill(service)
        self.start(service)
        self.wait_ready(service)

    @contextmanager
    def paused(self, service: str) -> Iterator[None]:
        """The service and all its children stopped (SIGSTOP), as if it hung."""
        stopped = self._tree(service)
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)

    def _tree(self, service: str) -> list[int]:
        found = [self.processes[service].pid]
        for pid in found:
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                found.extend(int(child) for child in children.read_text(encoding="ascii").split())
        return found

    def down(self) -> None:
        """Ends every service as it wants to be ended; AssertionError if one does not end in time."""
        running = {name: process for name, process in self.processes.items() if process.poll() is None}
        for name, process in running.items():
            process.send_signal(signal.Signals[self.services[name].get("stop_signal", "SIGTERM")])
        late = []
        for name, process in running.items():
            try:
                process.wait(STOP_S_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                late.append(name)
        logs = self.logs(*late)
        shutil.rmtree(self.folder)
        assert not late, f"did not end within {STOP_S_MAX} s: {late}\n{logs}"

    def url(self, service: str = "edge", port: str = "http") -> str:
        """Where a port of a service is, as an HTTP URL."""
        return f"http://127.0.0.1:{self.ports[service, port]}"

    def sql(self, service: str, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query on one of the databases."""
        login = self.manifest["database"]
        conninfo = f"host=127.0.0.1 port={self.ports[service, 'sql']} dbname={login['name']} user={login['user']}"
        with psycopg.connect(conninfo, connect_timeout=2) as connection:
            return connection.execute(query.encode()).fetchall()

    def request(
        self,
        service: str,
        method: str,
        path: str,
        *,
        port: str = "http",
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Status and body (parsed if it is JSON) of one request; OSError where there is no answer."""
        request = urllib.request.Request(self.url(service, port) + path, method=method, headers=headers or {})
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=35) as reply:
                status, content, kind = reply.status, reply.read().decode(), reply.headers.get_content_type()
        except urllib.error.HTTPError as error:
            status, content, kind = error.code, error.read().decode(), error.headers.get_content_type()
        return status, json.loads(content) if kind == "application/json" else content

    def get(self, service: str, path: str, **options: Any) -> tuple[int, Any]:
        """As `request`, with GET."""
        return self.request(service, "GET", path, **options)

    def order(
        self, key: str, sku: str = "SKU-0007", *, service: str = "edge", quantity: int = 1
    ) -> tuple[int, dict[str, Any]]:
        """Places an order of one line; returns status and body."""
        body = {"customer": "a test", "lines": [{"sku": sku, "quantity": quantity}]}
        return self.request(service, "POST", "/orders", body=body, headers={"Idempotency-Key": key})

    def set_fault(self, service: str, **fault: Any) -> dict[str, Any]:
        """Sets a fault of a third party; returns its state."""
        status, state = self.request(service, "PUT", "/fault", port="control", body=fault)
        assert status == 200, state
        return dict(state)

    def end_fault(self, service: str) -> dict[str, Any]:
        """Ends a third party's fault; returns its state."""
        return dict(self.request(service, "DELETE", "/fault", port="control")[1])

    def ledger(self, service: str) -> list[dict[str, Any]]:
        """All entries of a third party's ledger."""
        content = self.get(service, "/ledger", port="control")[1]
        return [json.loads(line) for line in content.splitlines()]

    def drained(self) -> bool:
        """Whether every order is settled."""
        return bool(self.sql(self.manifest["drained"]["on"], self.manifest["drained"]["sql"])[0][0])

    def wait_drained(self, seconds: float = 20.0) -> None:
        """Waits until every order is settled."""
        wait_until(self.drained, "all orders are settled", seconds)

    def logs(self, *services: str) -> str:
        """The last lines of the services' logs; of all for none named."""
        found = []
        for name in services or self.services:
            path = self.folder / f"{name}.log"
            if path.exists():
                lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
                found.append("\n".join([f"-- {name}", *lines]))
        return "\n".join(found)


def wait_until(done: Callable[[], bool], what: str, seconds: float) -> None:
    """Asks `done` until it says yes; AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain until {what}"
        time.sleep(0.05)


async def many_orders(shop: Shop, count: int, *, rate: float, prefix: str) -> list[tuple[int, float]]:
    """Places `count` orders at `rate` a second, open loop; the status (0: no answer) and the seconds of each."""

    async def one(session: aiohttp.ClientSession, number: int) -> tuple[int, float]:
        started = time.monotonic()
        body = {"customer": "load", "lines": [{"sku": f"SKU-{number % 190 + 1:04d}", "quantity": 1}]}
        try:
            async with session.post("/orders", json=body, headers={"Idempotency-Key": f"{prefix}-{number}"}) as reply:
                await reply.read()
                return reply.status, time.monotonic() - started
        except (aiohttp.ClientError, TimeoutError):
            return 0, time.monotonic() - started

    timeout = aiohttp.ClientTimeout(total=40)
    async with aiohttp.ClientSession(shop.url(), timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
        started = time.monotonic()
        tasks = []
        for number in range(count):
            await asyncio.sleep(max(0.0, started + number / rate - time.monotonic()))
            tasks.append(asyncio.create_task(one(session, number)))
        return await asyncio.gather(*tasks)


def _free_ports(count: int) -> list[int]:
    """So many ports of loopback nobody listens on just now."""
    found: list[int] = []
    start = FIRST_PORT + os.getpid() % 8000
    for number in range(start, start + 4000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", number))
            except OSError:
                continue
        found.append(number)
        if len(found) == count:
            return found
    raise AssertionError("no free ports on loopback")
