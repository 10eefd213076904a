"""Each kind of probe against real parts, which are also silent, frozen, broken and gone."""

from __future__ import annotations

import signal
import socket
import subprocess
import time

import pytest

from chaos.model import CommandProbe, HttpProbe, SqlProbe, StateProbe
from tests.observe.conftest import SPARE_S, Observe, SmallTarget, outcomes


@pytest.mark.usefixtures("pages")
def test_http_below_400_is_a_success(observe: Observe) -> None:
    probes = {
        path: HttpProbe.model_validate({"http": f"edge/{path}", "every": "100ms"})
        for path in ("healthz", "moved", "broken")
    }
    found = observe(probes, 1.0)
    assert outcomes(found, "healthz") == {(True, None, None)}
    assert outcomes(found, "moved") == {(True, None, None)}
    assert outcomes(found, "broken") == {(False, None, "503")}
    assert all(0.0 < sample.latency_s < SPARE_S for sample in found)


@pytest.mark.usefixtures("pages")
def test_another_port_than_the_usual_one(observe: Observe, target: SmallTarget) -> None:
    target.urls = {("web", "8000"): target.urls["edge", "http"]}
    probes = {
        "named": HttpProbe.model_validate({"http": "web:8000/healthz", "every": "100ms"}),
        "only": HttpProbe.model_validate({"http": "web/healthz", "every": "100ms"}),
        "absent": HttpProbe.model_validate({"http": "web:8001/healthz", "every": "100ms"}),
    }
    found = observe(probes, 0.5)
    assert outcomes(found, "named") == outcomes(found, "only") == {(True, None, None)}
    assert {(ok, "has no port '8001'" in (error or "")) for ok, _, error in outcomes(found, "absent")} == {
        (False, True)
    }


def test_nobody_listens(observe: Observe, target: SmallTarget) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    target.urls = {("gone", "http"): url, ("gone", "sql"): url}
    page = HttpProbe.model_validate({"http": "gone/", "every": "100ms"})
    lag = SqlProbe.model_validate({"sql": "select 1", "on": "gone", "every": "100ms"})
    found = observe({"page": page, "lag": lag}, 0.5)
    assert outcomes(found, "page") == {(False, None, "connection refused")}
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
        (outcome,) = outcomes(found, name)
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
    assert outcomes(found, "number") == {(True, 3.5, None)}
    assert outcomes(found, "words") == {(True, None, None)}
    assert outcomes(found, "no") == {(False, 4.0, "exit code 3")}
    assert outcomes(found, "slow") == {(False, None, "timeout")}
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
