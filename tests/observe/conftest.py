"""Services on loopback for probes to look at: an HTTP server, PostgreSQL, and a port that never says a word."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chaos.model import Probe
from chaos.observe import Observer, Sample, samples
from chaos.system import Database
from chaos.targets.base import ProcessState, Target
from chaos.targets.processes import tree
from chaos.targets.readiness import dsn
from sandbox.database import binaries

SPARE_S = 1.0  # by how much a busy machine may be late


class SmallTarget:
    """Services on loopback: where they listen and which process each is. Nothing but what probes need."""

    def __init__(self) -> None:
        self.urls: dict[tuple[str, str], str] = {}
        self.pids: dict[str, int] = {}

    @property
    def terrain(self) -> Any:
        services = {service: SimpleNamespace(ports={port: 1}) for service, port in self.urls if port != "sql"}
        return SimpleNamespace(system=SimpleNamespace(services=services, sets={}, load={}))

    def url(self, service: str, port: str) -> str:
        return self.urls[service, port]

    def dsn(self, service: str) -> str:
        return dsn(self.urls[service, "sql"], Database(name="postgres", user="postgres"))

    def processes(self, service: str) -> list[ProcessState]:
        return tree(self.pids[service])

    def run(self, service: str, argv: Sequence[str], timeout_s: float) -> tuple[int, str]:
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout_s, check=False)
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        return done.returncode, done.stdout


@pytest.fixture
def target() -> SmallTarget:
    return SmallTarget()


Observe = Callable[..., list[Sample]]


@pytest.fixture
def observe(target: SmallTarget, tmp_path: Path) -> Observe:
    """Observes for some seconds, with something done in the middle; returns the samples in order of time."""

    def run(probes: Mapping[str, Probe], seconds: float, halfway: Callable[[], object] = lambda: None) -> list[Sample]:
        path = tmp_path / "samples.jsonl"
        observer = Observer(probes, cast(Target, target), path, time.monotonic())
        time.sleep(seconds / 2)
        halfway()
        time.sleep(seconds / 2)
        observer.stop()
        return sorted(samples(path), key=lambda sample: sample.t)

    return run


class _Pages(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        status = {"/healthz": 200, "/moved": 302, "/broken": 503}[self.path]
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        pass


@pytest.fixture
def pages(target: SmallTarget) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    target.urls["edge", "http"] = f"http://127.0.0.1:{server.server_port}"
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def silent(target: SmallTarget) -> Iterator[None]:
    """A port that accepts connections and never says a word, for any protocol."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        for service, port in (("silent", "http"), ("silent", "sql")):
            target.urls[service, port] = f"http://127.0.0.1:{server.getsockname()[1]}"
        yield


@pytest.fixture
def postgres(target: SmallTarget, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A PostgreSQL server of its own; it refuses uid 0, so root's runs in a user namespace."""
    programs = binaries.folder()
    wrap = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.getuid() == 0 else []
    data = tmp_path / "data"
    initdb = ["initdb", "--no-sync", "--locale=C", "--auth=trust", "--username=postgres", f"--pgdata={data}"]
    subprocess.run([*wrap, programs / initdb[0], *initdb[1:]], check=True, capture_output=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off"}
    options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
    server = subprocess.Popen(
        [*wrap, programs / "postgres", "-D", data, *options], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    target.urls["db", "sql"] = f"http://127.0.0.1:{port}"
    target.pids["db"] = server.pid
    try:
        for _ in range(200):
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield server
    finally:
        server.send_signal(signal.SIGCONT)
        server.send_signal(signal.SIGINT)  # at once, without a recovery next time
        server.wait(20)


def outcomes(found: list[Sample], probe: str) -> set[tuple[bool, float | None, str | None]]:
    return {(sample.ok, sample.value, sample.error) for sample in found if sample.probe == probe}
