"""The conductor's end of an agent, against programs that misbehave in the ways an agent could."""

from __future__ import annotations

import subprocess
import sys

import pytest

from chaos.errors import FaultError
from chaos.targets.agent_client import AgentClient
from chaos.targets.channel import Pipe

_READY = "import json, sys, time; print(json.dumps({'ready': True}), flush=True); "


def client(program: str) -> AgentClient:
    return AgentClient("edge", Pipe([sys.executable, "-c", program], pass_fds=[], stderr=subprocess.DEVNULL))


def test_a_reply_is_returned() -> None:
    echo = (
        _READY + "r = json.loads(sys.stdin.readline()); print(json.dumps({'id': r['id'], 'ok': True, 'do': r['do']}))"
    )
    agent = client(echo)
    assert agent.ask({"do": "ping"})["do"] == "ping"
    agent.close()


def test_an_agent_that_cannot_start_says_why() -> None:
    with pytest.raises(FaultError, match="no right") as caught:
        client('print(\'{"ready": false, "error": "no right", "remedy": "be root"}\')')
    assert caught.value.remedy == "be root"


@pytest.mark.parametrize("program", ["", "import sys; sys.stdin.readline()"])
def test_an_agent_that_dies_is_said_to_be_gone(program: str) -> None:
    agent = client(_READY + program)
    with pytest.raises(FaultError, match="gone"):
        for _ in range(3):  # the first request may still get into its pipe
            agent.ask({"do": "ping"})
    agent.close()


def test_an_agent_that_hangs_is_not_waited_for_for_ever() -> None:
    agent = client(_READY + "time.sleep(60)")
    with pytest.raises(FaultError, match="did not answer"):
        agent.ask({"do": "ping"})
    agent.close()
    assert not agent.alive()


def test_a_refusal_is_an_error() -> None:
    agent = client(_READY + 'sys.stdin.readline(); print(\'{"id": 1, "ok": false, "error": "bad delay"}\')')
    with pytest.raises(FaultError, match="bad delay"):
        agent.ask({"do": "add"})
    agent.close()
