"""How an engine is reached, and what is said when it is not."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from chaos.errors import Exit, FaultError, SandboxError, Unsupported
from chaos.targets.docker.engine import Engine, Refused, connect
from tests.docker.small_project import SmallProject

_NOBODY = 65534


@pytest.mark.parametrize(
    ("address", "host", "local"),
    [
        ("unix:///var/run/docker.sock", "127.0.0.1", True),
        ("tcp://127.0.0.1:2375", "127.0.0.1", True),
        ("tcp://localhost:2375", "localhost", True),
        ("tcp://build.example:2376", "build.example", False),
        ("tcp://198.18.0.7:2375", "198.18.0.7", False),
    ],
)
def test_where_published_ports_are(address: str, host: str, local: bool) -> None:
    engine = Engine(None, address)
    assert (engine.host, engine.is_local) == (host, local)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "unix:///nowhere/docker.sock", "carrier-pigeon://coop"])
def test_no_engine_is_said_at_once(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    begun = time.monotonic()
    with pytest.raises(SandboxError, match="no Docker engine answers at") as caught:
        connect()
    assert time.monotonic() - begun < 5
    assert caught.value.exit is Exit.NO_SANDBOX
    assert address in caught.value.what
    assert "DOCKER_HOST names it" in caught.value.remedy


def test_a_server_that_never_answers_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaos.targets.docker.engine.CALL_WITHIN_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(SandboxError, match="no Docker engine answers"):
            connect()


def test_a_socket_without_permission_names_the_group(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("NOT TESTED HERE: only root can become somebody without permission")
    path = Path("/tmp") / f"{tmp_path.name}-{os.getpid()}.sock"  # where others may enter
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        path.chmod(0o600)
        monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
        os.seteuid(_NOBODY)
        try:
            with pytest.raises(SandboxError, match="no permission") as caught:
                connect()
        finally:
            os.seteuid(0)
            path.unlink()
    assert "docker" in caught.value.remedy
    assert "group" in caught.value.remedy


def test_ssh_is_refused_with_a_way_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "ssh://me@build.example")
    with pytest.raises(Unsupported) as caught:
        connect()
    assert "ssh -nNT" in caught.value.remedy


@pytest.mark.docker
def test_a_refusal_tells_what_was_wanted_and_why(small: SmallProject) -> None:
    engine = connect()
    with (
        pytest.raises(Refused, match="would not look at web: No such container") as caught,
        engine.doing("look at web") as api,
    ):
        api.inspect_container("no-such-thing")
    assert caught.value.status == 404
    assert isinstance(caught.value, FaultError)


@pytest.mark.docker
def test_networks_that_are_taken_are_known(small: SmallProject) -> None:
    assert f"{small.subnet}.0/24" in map(str, connect().subnets())
