"""The agent's conversation: replies in order, refusals that say what is allowed, and no line that ends it."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.agent.netns import ROOT, Agent, World

GOOD: dict[str, Any] = {"fault": "g", "action": "partition", "peers": ["198.18.9.9"], "for_s": 5}


def test_it_says_what_it_is(agent: Agent) -> None:
    assert agent.ready["ready"] is True
    assert agent.ready["pid"] == agent.process.pid
    assert agent.ready["table"] == f"chaos-agent-{agent.process.pid}"
    assert agent.ready["kernel"] == os.uname().release


def test_times_are_monotonic_seconds(agent: Agent) -> None:
    before = time.monotonic()
    at = agent.add("partition", peers=["198.18.9.9"])
    assert before <= at <= time.monotonic()
    assert before <= agent.do("ping")["at"] <= time.monotonic()


def test_list_tells_what_the_kernel_has(agent: Agent) -> None:
    agent.add("partition", fault="a", peers=["198.18.9.9"], for_s=20)
    agent.add("loss", fault="fault ü", peers=["198.18.9.9"], percent=0.5, for_s=30)
    listed = agent.do("list")["faults"]
    assert [one["fault"] for one in listed] == ["a", "fault ü"]
    assert 15 < listed[0]["expires_in_s"] <= 20 < listed[1]["expires_in_s"] <= 30


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"action": "explode"}, "action"),
        ({"action": None}, "action"),
        ({"direction": "up"}, "direction"),
        ({"peers": ["db-primary"]}, "peers"),
        ({"peers": ["::1"]}, "peers"),
        ({"peers": ["1.2.3.4\0"]}, "peers"),
        ({"peers": "198.18.0.1"}, "peers"),
        ({"ports": [0]}, "ports"),
        ({"ports": [True]}, "ports"),
        ({"for_s": 0}, "for_s"),
        ({"for_s": None}, "for_s"),
        ({"for_s": float("nan")}, "for_s"),
        ({"for_s": float("inf")}, "for_s"),
        ({"fault": ""}, "fault"),
        ({"fault": "x" * 500}, "fault"),
        ({"fault": "\ud800"}, "fault"),
        ({"action": "latency"}, "delay_ms"),
        ({"action": "latency", "delay_ms": -1}, "delay_ms"),
        ({"action": "latency", "delay_ms": 0}, "delay_ms"),
        ({"action": "loss"}, "percent"),
        ({"action": "loss", "percent": 101}, "percent"),
        ({"action": "loss", "percent": 0}, "percent"),
        ({"seed": "x"}, "seed"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_fault_is_refused_by_key(agent: Agent, wrong: dict[str, Any], said: str) -> None:
    reply = agent.do("add", **{**GOOD, **wrong})
    assert reply["ok"] is False
    assert said in reply["error"]
    assert reply["allowed"]
    assert agent.do("list")["faults"] == []


def test_a_fault_in_force_is_not_added_twice(agent: Agent) -> None:
    agent.add("partition", peers=["198.18.9.9"])
    assert agent.do("add", **{**GOOD, "fault": "f"})["ok"] is False
    assert len(agent.do("list")["faults"]) == 1


def test_counters_of_an_unknown_fault_are_an_error(agent: Agent) -> None:
    reply = agent.do("counters", fault="nobody")
    assert reply["ok"] is False and "nobody" in reply["error"]


def test_there_is_an_end_to_the_number_of_faults(agent: Agent) -> None:
    replies = [agent.do("add", **{**GOOD, "fault": f"f{n}"}) for n in range(91)]
    assert [reply["ok"] for reply in replies] == [True] * 90 + [False]
    assert "90" in replies[-1]["allowed"]
    agent.do("remove", fault="f7")
    assert agent.do("add", **GOOD)["ok"]


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"1", b"\xff\xfe", b"null", b"[" * 100_000, b"9" * 10_000, b'{"do": {}}']
)
def test_a_bad_line_is_answered(agent: Agent, line: bytes) -> None:
    assert agent.send(line)["ok"] is False
    assert agent.do("ping")["ok"] is True


def test_a_line_without_end_is_refused_once(agent: Agent) -> None:
    assert agent.send(b"x" * (3 << 20))["ok"] is False
    assert agent.do("ping")["ok"] is True


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
_commands = st.fixed_dictionaries(
    {"do": st.sampled_from(["add", "remove", "counters", "list", "ping"]) | _json},
    optional={
        **dict.fromkeys(("id", "fault", "peers", "ports", "seed"), _json),
        "action": st.sampled_from(["latency", "loss", "partition", "count"]) | _json,
        "direction": st.sampled_from(["in", "out", "both"]) | _json,
        **{key: st.floats(-1, 120) | _json for key in ("delay_ms", "jitter_ms", "percent")},
        "for_s": st.floats(0, 1) | _json,
    },
)
_lines = _commands.map(lambda command: json.dumps(command).encode()) | st.binary(max_size=60)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(line=_lines)
def test_no_line_ends_the_agent(agent: Agent, line: bytes) -> None:
    line = line.replace(b"\n", b" ")
    if line.strip():
        assert isinstance(agent.send(line)["ok"], bool)
    assert agent.do("ping")["ok"] is True


def test_without_rights_it_says_what_it_needs() -> None:
    command = ["unshare", "--user", sys.executable, "-m", "chaos.agent"]  # a user namespace that owns no network
    result = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=20, stdin=subprocess.DEVNULL, check=False)
    if not result.stdout:
        pytest.skip(f"NOT TESTED HERE: no user namespaces: {result.stderr.decode()}")
    reply = json.loads(result.stdout)
    assert (result.returncode, reply["ready"]) == (1, False)
    assert "CAP_NET_ADMIN" in reply["remedy"]


def test_the_probe_answers_and_leaves_nothing(hosts: World) -> None:
    with hosts.target.popen(sys.executable, "-m", "chaos.agent", "--probe") as probing:
        found = json.loads(probing.communicate(timeout=20)[0])
    assert probing.returncode == 0
    assert found["nf_tables"] is found["owner"] is found["numgen"] is True
    assert found["queue"] in ("nft", "xtables")
    assert hosts.target.tables() == []


def test_the_folder_alone_serves(hosts: World, tmp_path: Path) -> None:
    """As in an image with nothing but Python: no site packages, no other part of the project."""
    shutil.copytree(ROOT / "chaos" / "agent", tmp_path / "chaos" / "agent")
    command = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from chaos.agent.__main__ import main; main()"
    with hosts.target.popen(sys.executable, "-S", "-I", "-c", command) as started:
        output, _ = started.communicate(b'{"id": 1, "do": "ping"}\n', timeout=20)
    assert [json.loads(line).get("ok", True) for line in output.splitlines()] == [True, True]
