"""Probes against real parts: an HTTP server, PostgreSQL, commands and processes; each also silent, broken and gone."""

from __future__ import annotations

import os
import resource
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

from chaos.errors import ChaosError, SandboxError
from chaos.model import CommandProbe, HttpProbe, Probe, SqlProbe, StateProbe
from chaos.observe import Observer, Sample, samples
from chaos.targets.base import ProcessState, Target
from chaos.targets.processes import tree
from sandbox.database import binaries

SPARE_S = 1.0  # by how much a busy machine may be late


class SmallTarget:
    """Services on loopback: where they listen and which process each is. Nothing but what probes need."""

    def __init__(self) -> None:
        database = SimpleNamespace(name="postgres", user="postgres")
        self.terrain = SimpleNamespace(system=SimpleNamespace(database=database))
        self.urls: dict[tuple[str, str], str] = {}
        self.pids: dict[str, int] = {}

    def url(self, service: str, port: str) -> str:
        return self.urls[service, port]

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


def _outcomes(found: list[Sample], probe: str) -> set[tuple[bool, float | None, str | None]]:
    return {(sample.ok, sample.value, sample.error) for sample in found if sample.probe == probe}


@pytest.mark.usefixtures("pages")
def test_http_below_400_is_a_success(observe: Observe) -> None:
    probes = {
        path: HttpProbe.model_validate({"http": f"edge/{path}", "every": "100ms"})
        for path in ("healthz", "moved", "broken")
    }
    found = observe(probes, 1.0)
    assert _outcomes(found, "healthz") == {(True, None, None)}
    assert _outcomes(found, "moved") == {(True, None, None)}
    assert _outcomes(found, "broken") == {(False, None, "503")}
    assert all(0.0 < sample.latency_s < SPARE_S for sample in found)


@pytest.mark.usefixtures("pages", "silent")
def test_a_silent_probe_delays_neither_itself_nor_others(observe: Observe) -> None:
    probes = {
        "quick": HttpProbe.model_validate({"http": "edge/healthz", "every": "100ms"}),
        "silent page": HttpProbe.model_validate({"http": "silent/", "every": "200ms"}),
        "silent database": SqlProbe.model_validate({"sql": "select 1", "on": "silent", "every": "200ms"}),
    }
    found = observe(probes, 2.0)
    assert len([one for one in found if one.probe == "quick"]) == pytest.approx(20, abs=3)
    for name in ("silent page", "silent database"):
        asked = [one for one in found if one.probe == name]
        assert len(asked) == pytest.approx(10, abs=2)
        assert _outcomes(asked, name) == {(False, None, "timeout")}
        assert all(0.19 <= one.latency_s < 0.2 + SPARE_S for one in asked)
        # the rate is that of a fixed grid: the error does not add up
        assert (asked[-1].t - asked[0].t) / (len(asked) - 1) == pytest.approx(0.2, abs=0.04)


def test_nobody_listens(observe: Observe, target: SmallTarget) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    target.urls = {("gone", "http"): url, ("gone", "sql"): url}
    page = HttpProbe.model_validate({"http": "gone/", "every": "100ms"})
    lag = SqlProbe.model_validate({"sql": "select 1", "on": "gone", "every": "100ms"})
    found = observe({"page": page, "lag": lag}, 0.5)
    assert _outcomes(found, "page") == {(False, None, "connection refused")}
    assert {(one.ok, "Connection refused" in (one.error or "")) for one in found if one.probe == "lag"} == {
        (False, True)
    }


def test_a_query_gives_a_number_or_an_error(observe: Observe, postgres: subprocess.Popen[bytes]) -> None:
    queries = {
        "number": "select 12.5",
        "truth": "select 1 = 1",
        "untruth": "select pg_is_in_recovery()",
        "null": "select null::int",
        "text": "select 'many'",
        "rows": "select generate_series(1, 3)",
        "nan": "select 'NaN'::float8",
        "nothing": "create temp table t ()",
        "wrong": "select nonsense",
        "slow": "select pg_sleep(30)",
    }
    probes = {
        name: SqlProbe.model_validate({"sql": sql, "on": "db", "every": "500ms"}) for name, sql in queries.items()
    }
    found = [one for one in observe(probes, 2.0) if one.t >= 0.4]  # the server has its first connections behind it

    def only(name: str) -> tuple[bool, float | None, str | None]:
        (outcome,) = _outcomes(found, name)
        return outcome

    assert only("number") == (True, 12.5, None)
    assert only("truth") == (True, 1.0, None)
    assert only("untruth") == (True, 0.0, None)
    assert only("slow") == (False, None, "timeout")
    for name, said in {
        "null": "null",
        "text": "could not convert",
        "rows": "3 rows of 1 columns",
        "nan": "not a number",
        "nothing": "",
        "wrong": 'column "nonsense" does not exist',
    }.items():
        ok, value, error = only(name)
        assert (ok, value) == (False, None)
        assert error is not None and said in error


def test_a_frozen_database_is_a_time_out_and_its_return_is_seen(
    observe: Observe, postgres: subprocess.Popen[bytes]
) -> None:
    """A stopped server's kernel still accepts connections, and nothing ever comes back."""
    probe = SqlProbe.model_validate({"sql": "select 7", "on": "db", "every": "200ms"})

    def freeze() -> None:
        postgres.send_signal(signal.SIGSTOP)
        time.sleep(1.0)
        postgres.send_signal(signal.SIGCONT)

    found = observe({"seven": probe}, 2.0, freeze)
    outcomes = [(one.ok, one.value, one.error) for one in found]
    assert outcomes[2] == outcomes[-1] == (True, 7.0, None)
    assert 3 <= outcomes.count((False, None, "timeout")) <= 7


def test_commands(observe: Observe) -> None:
    commands = {
        "number": ["echo", "3.5"],
        "words": ["echo", "all is well"],
        "no": ["sh", "-c", "echo 4; exit 3"],
        "slow": ["sleep", "30"],
        "absent": ["/no/such/program"],
    }
    probes = {
        name: CommandProbe.model_validate({"command": argv, "on": "edge", "every": "500ms"})
        for name, argv in commands.items()
    }
    found = observe(probes, 1.2)
    assert _outcomes(found, "number") == {(True, 3.5, None)}
    assert _outcomes(found, "words") == {(True, None, None)}
    assert _outcomes(found, "no") == {(False, 4.0, "exit code 3")}
    assert _outcomes(found, "slow") == {(False, None, "timeout")}
    assert {one.ok for one in found if one.probe == "absent"} == {False}


def test_state_follows_the_process(observe: Observe, target: SmallTarget) -> None:
    probe = StateProbe.model_validate({"state": "sleeper", "every": "100ms"})
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        target.pids["sleeper"] = sleeper.pid

        def stop_and_kill() -> None:
            sleeper.send_signal(signal.SIGSTOP)
            time.sleep(0.5)
            sleeper.kill()
            sleeper.wait()

        found = [(one.ok, one.error) for one in observe({"up": probe}, 1.0, stop_and_kill)]
    phases = list(dict.fromkeys(found))
    assert phases == [(True, None), (False, "every process is stopped"), (False, "no process")]
    assert min(found.count(phase) for phase in phases) >= 3


def test_a_bug_in_a_target_is_in_the_samples_and_not_silent(observe: Observe) -> None:
    found = observe({"up": StateProbe.model_validate({"state": "nobody", "every": "100ms"})}, 0.5)
    assert _outcomes(found, "up") == {(False, None, "KeyError: 'nobody'")}
    assert len(found) >= 3


@pytest.mark.usefixtures("silent")
def test_stopping_takes_no_longer_than_a_time_out(target: SmallTarget, tmp_path: Path) -> None:
    before = threading.active_count()
    probe = HttpProbe.model_validate({"http": "silent/", "every": "500ms"})
    observer = Observer({"silent": probe}, cast(Target, target), tmp_path / "samples.jsonl", time.monotonic())
    time.sleep(0.2)
    began = time.monotonic()
    observer.stop()
    assert time.monotonic() - began < 0.5 + SPARE_S
    observer.stop()
    assert threading.active_count() == before


def test_no_probes_no_samples(observe: Observe) -> None:
    assert observe({}, 0.0) == []


def test_a_file_that_cannot_be_written_is_an_error(target: SmallTarget, tmp_path: Path) -> None:
    probe = CommandProbe.model_validate({"command": ["true"], "on": "edge", "every": "50ms"})
    with pytest.raises(SandboxError, match="No such file"):
        Observer({"true": probe}, cast(Target, target), tmp_path / "absent" / "samples.jsonl", 0.0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    observer = Observer({"true": probe}, cast(Target, target), tmp_path / "samples.jsonl", time.monotonic())
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))  # the kernel refuses writes beyond, as a full disk does
        time.sleep(1.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with pytest.raises(SandboxError, match="cannot be written"):
        observer.stop()
    assert len(list(samples(tmp_path / "samples.jsonl"))) >= 1


def test_reading_samples(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    line = '{"t": 4.0, "probe": "lag", "ok": true, "latency_s": 0.002, "value": 0.0}\n'
    path.write_text(line + '{"t": 5.0, "probe": "lag", "ok": false, "latency_s": 1.0, "error": "timeout"}\n{"t": 6.0, ')
    assert list(samples(path)) == [
        Sample(4.0, "lag", True, 0.002, 0.0),
        Sample(5.0, "lag", False, 1.0, None, "timeout"),
    ]
    path.write_text(line + "{}\n")
    with pytest.raises(ChaosError, match=r"samples.jsonl:2: "):
        list(samples(path))
