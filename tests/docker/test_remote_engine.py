"""An engine over TCP, as a remote one is: a relay to the real engine, which can be cut."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from chaos.errors import FaultError
from chaos.targets.docker.engine import Engine, connect
from tests.docker.small_project import SmallProject

pytestmark = pytest.mark.docker

SAID_WITHIN_S = 5.0


class Relay:
    """Forwards every connection to the engine's unix socket until it is cut."""

    def __init__(self, path: str, port: int = 0) -> None:
        self.gather_s = 0.0  # waits so long before it reads, so that what was sent in pieces arrives in one
        self._path = path
        self._open: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", port))
        self.address = f"tcp://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        """Ends it, with all connections."""
        for each in [self._listening, *self._open]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._path)
                self._open += [near, far]
                for here, there in ((near, far), (far, near)):
                    threading.Thread(target=self._forward, args=(here, there), daemon=True).start()

    def _forward(self, here: socket.socket, there: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while select.select([here], [], []):
                time.sleep(self.gather_s)
                if not (data := here.recv(65536)):
                    break
                there.sendall(data)
            there.shutdown(socket.SHUT_WR)


@pytest.fixture
def relay(engine: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    here = connect()
    if not here.address.startswith("unix://"):
        pytest.skip(f"NOT TESTED HERE: the engine at {here.address} is remote already")
    relay = Relay(here.address.removeprefix("unix://"))
    monkeypatch.setenv("DOCKER_HOST", relay.address)
    yield relay
    relay.cut()


@pytest.fixture
def remote(relay: Relay, small: SmallProject) -> Engine:
    small.add("web")
    return connect()


def test_all_of_it_works_over_tcp(remote: Engine, relay: Relay, small: SmallProject) -> None:
    assert remote.address == relay.address
    target = small.target(remote)
    target.agent("web").ask({"do": "add", "fault": "lossy", "action": "loss", "percent": 10, "for_s": 60})
    assert target.run("web", ["echo", "hi"], 5) == (0, "hi\n")
    target.pause("web")
    assert [process.state for process in target.processes("web")] == ["T"]
    target.resume("web")
    target.down()
    assert small.helpers_left(within_s=5) == []


def test_output_that_comes_with_the_head_of_the_reply_is_not_lost(
    remote: Engine, relay: Relay, small: SmallProject
) -> None:
    relay.gather_s = 0.2
    assert small.target(remote).run("web", ["echo", "hi"], 5) == (0, "hi\n")


def test_an_engine_that_goes_away_is_said_and_takes_the_fault_with_it(
    remote: Engine, relay: Relay, small: SmallProject
) -> None:
    target = small.target(remote)
    agent = target.agent("web")
    agent.ask({"do": "add", "fault": "lossy", "action": "loss", "percent": 10, "for_s": 60})
    relay.cut()
    begun = time.monotonic()
    with pytest.raises(FaultError, match="gone"):
        for _ in range(3):  # the first request may still get into its socket
            agent.ask({"do": "ping"})
    for act in (target.processes, target.kill, target.agent, lambda name: target.run(name, ["true"], 5)):
        with pytest.raises(FaultError, match=f"Docker engine at {relay.address} could not .*: it is gone"):
            act("web")
    assert time.monotonic() - begun < SAID_WITHIN_S
    assert small.helpers_left(within_s=5) == []
    target.down()  # nothing to be done, and no error


def test_an_engine_that_goes_away_under_a_command_is_said(remote: Engine, relay: Relay, small: SmallProject) -> None:
    target = small.target(remote)
    threading.Timer(0.5, relay.cut).start()
    begun = time.monotonic()
    with pytest.raises(FaultError, match="Docker engine at"):
        target.run("web", ["sleep", "20"], 10)
    assert time.monotonic() - begun < SAID_WITHIN_S
