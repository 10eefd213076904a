"""Packet faults on real containers, held by an agent in a helper container that ends with us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from chaos.errors import FaultError, Unsupported
from chaos.targets.compose import ComposeTarget
from chaos.targets.docker import agent_image
from chaos.targets.docker.engine import connect
from chaos.targets.docker.leftovers import leftovers, remove
from tests.docker.small_project import SmallProject, round_trip_ms

pytestmark = pytest.mark.docker

LATENCY = {"do": "add", "fault": "late", "action": "latency", "delay_ms": 300, "for_s": 60}
LATE_MS = 250.0
UNDONE_WITHIN_S = 1.0
REMOVED_WITHIN_S = 5.0
_HOLDER = """
import os, sys, time
from pathlib import Path
from chaos.system import System
from chaos.targets.base import Terrain
from chaos.targets.compose import ComposeTarget
from chaos.targets.docker.containers import Project
from chaos.targets.docker.engine import connect

name, run, logs, *group = sys.argv[1:]
if group:  # an ordinary user who may use the engine's socket; the interpreter itself may be out of their reach
    os.setgroups([int(group[0])])
    os.setgid(65534)
    os.setuid(65534)
system = System(name=name, services={})
target = ComposeTarget(Terrain(system, {}), Project(connect(), name), run=run, allowed=False, logs=Path(logs))
target.agent("web").ask({"do": "add", "fault": "late", "action": "latency", "delay_ms": 300, "for_s": 60})
print("on", flush=True)
time.sleep(60)
"""


def in_force(target: ComposeTarget) -> list[str]:
    return [fault["fault"] for fault in target.agent("web").ask({"do": "list"})["faults"]]


def client_and_web(small: SmallProject) -> ComposeTarget:
    small.add("client", address=10)
    small.add("web", address=11)
    return small.target()


def test_latency_is_seen_by_another_container_and_gone_when_healed(small: SmallProject) -> None:
    target = client_and_web(small)
    assert round_trip_ms(target, "client", "web") < LATE_MS
    target.agent("web").ask({**LATENCY, "peers": [target.host("client")]})
    assert in_force(target) == ["late"]
    assert round_trip_ms(target, "client", "web") >= LATE_MS
    assert target.agent("web").ask({"do": "counters", "fault": "late"})["delayed"]["packets"] >= 2
    target.agent("web").ask({"do": "remove", "fault": "late"})
    assert in_force(target) == []
    assert round_trip_ms(target, "client", "web") < LATE_MS
    target.down()
    assert small.helpers_left(REMOVED_WITHIN_S) == []


def test_the_helper_has_one_right_and_is_small(small: SmallProject) -> None:
    identity = small.add("web")
    target = small.target()
    target.agent("web")
    [helper] = small.helpers()
    config: dict[str, Any] = helper.attrs["HostConfig"]
    assert not config["Privileged"]
    assert (config["CapDrop"], [cap.removeprefix("CAP_") for cap in config["CapAdd"]]) == (["ALL"], ["NET_ADMIN"])
    assert config["NetworkMode"] == f"container:{identity}"
    assert config["PidMode"] == config["UsernsMode"] == ""
    assert config["SecurityOpt"] == ["no-new-privileges"]
    assert config["ReadonlyRootfs"] and config["AutoRemove"]
    assert not config["Binds"] and not helper.attrs["Mounts"]
    assert 0 < config["Memory"] <= 1 << 27 and 0 < config["PidsLimit"] <= 16
    assert helper.attrs["Config"]["StdinOnce"]
    labels = helper.attrs["Config"]["Labels"]
    assert (labels["chaos.run"], labels["chaos.role"], labels["chaos.target"]) == (small.run, "agent", "web")
    status = helper.exec_run(["cat", "/proc/1/status"]).output.decode()
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff"))
    assert int(effective, 16) == 1 << 12  # CAP_NET_ADMIN, and nothing else
    target.down()


def test_when_its_holder_is_killed_the_fault_and_the_helper_are_gone(small: SmallProject, tmp_path: Path) -> None:
    target = client_and_web(small)
    argv = [sys.executable, "-c", _HOLDER, small.name, small.run, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"on\n"
        assert round_trip_ms(target, "client", "web") >= LATE_MS
        os.kill(holder.pid, signal.SIGKILL)
        killed = time.monotonic()
    while round_trip_ms(target, "client", "web") >= LATE_MS:
        assert time.monotonic() - killed < UNDONE_WITHIN_S
    assert time.monotonic() - killed < UNDONE_WITHIN_S
    assert small.helpers_left(REMOVED_WITHIN_S) == []


def test_an_agent_is_kept_as_long_as_its_container_is(small: SmallProject) -> None:
    target = client_and_web(small)
    first = target.agent("web")
    target.pause("web")
    assert target.agent("web") is first
    target.resume("web")
    assert target.agent("web") is first
    first.ask(LATENCY)
    target.kill("web")
    assert in_force(target) == []  # what does not run has no packets
    target.agent("web").ask({"do": "remove", "fault": "late"})
    with pytest.raises(FaultError, match="web does not run"):
        target.agent("web").ask(LATENCY)
    target.start("web")
    assert target.agent("web") is not first
    assert in_force(target) == []
    target.agent("web").ask(LATENCY)
    assert round_trip_ms(target, "client", "web") >= LATE_MS
    assert len(small.helpers_left(0.5)) == 1
    target.down()


def test_a_container_that_is_started_again_behind_our_back_gets_another_agent(small: SmallProject) -> None:
    target = client_and_web(small)
    target.agent("web").ask(LATENCY)
    small.client.api.restart(target._project.container("web")["Id"], timeout=0)
    assert in_force(target) == []
    target.agent("web").ask(LATENCY)
    assert in_force(target) == ["late"]
    target.down()


def test_a_helper_that_dies_is_replaced(small: SmallProject) -> None:
    target = client_and_web(small)
    target.agent("web").ask(LATENCY)
    [helper] = small.helpers()
    helper.kill()
    assert small.helpers_left(REMOVED_WITHIN_S) == []
    assert in_force(target) == []
    assert round_trip_ms(target, "client", "web") < LATE_MS
    target.down()


@pytest.mark.parametrize("of", ["host", "another"])
def test_a_network_that_others_use_too_is_left_alone(small: SmallProject, of: str) -> None:
    other = small.add("cache", allowed=False)
    small.add("web", network_mode="host" if of == "host" else f"container:{other}")
    with pytest.raises(Unsupported, match="cannot be told from those of others"):
        small.target().agent("web")
    assert small.helpers() == []


@pytest.mark.parametrize("guest", ["offered", "of an owned project", "not offered"])
def test_a_network_that_somebody_joined_is_left_alone_unless_they_were_offered(small: SmallProject, guest: str) -> None:
    web = small.add("web")
    small.add("sidecar", allowed=guest == "offered", network_mode=f"container:{web}")
    target = small.target(allowed=guest == "of an owned project")
    if guest == "not offered":
        with pytest.raises(Unsupported, match="uses the network of web, and is not offered for faults"):
            target.agent("web")
        assert small.helpers() == []
        return
    target.agent("web")
    small.target(allowed=guest == "of an owned project").agent("web")  # a second agent of ours is no guest
    assert len(small.helpers()) == 2


def test_leftovers_are_found_by_their_run_and_removed(small: SmallProject) -> None:
    small.add("web")
    engine = connect()
    target = small.target(engine)
    target.agent("web").ask(LATENCY)
    assert leftovers(engine, "run-of-somebody-else") == []
    [left] = leftovers(engine, small.run)
    assert left in leftovers(engine, None)
    assert (left.role, left.run, left.target, left.state) == ("agent", small.run, "web", "running")
    remove(engine, left)
    remove(engine, left)
    assert leftovers(engine, small.run) == []
    assert in_force(target) == []  # by another agent
    target.down()


def test_an_image_that_cannot_be_built_is_said_with_the_engines_words(
    engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_image, "_DOCKERFILE", "FROM 127.0.0.1:1/chaos-test-absent:1\n")
    with pytest.raises(Unsupported, match=r"127\.0\.0\.1:1") as caught:
        agent_image.ensure_image(connect())
    assert agent_image.BASE in caught.value.remedy


def test_a_changed_agent_is_another_image(monkeypatch: pytest.MonkeyPatch) -> None:
    before = agent_image.image_name()
    monkeypatch.setattr(agent_image, "_DOCKERFILE", agent_image._DOCKERFILE + "LABEL another=one\n")
    assert agent_image.image_name() != before


def test_a_member_of_the_engines_group_needs_no_more_rights(small: SmallProject, tmp_path: Path) -> None:
    address = connect().address
    if os.geteuid() != 0 or not address.startswith("unix://"):
        pytest.skip("NOT TESTED HERE: only root can become an ordinary user; as one, all these tests are that test")
    group = Path(address.removeprefix("unix://")).stat().st_gid
    target = client_and_web(small)
    argv = [sys.executable, "-c", _HOLDER, small.name, small.run, str(tmp_path), str(group)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"on\n"
        assert "Uid:\t65534\t65534" in Path(f"/proc/{holder.pid}/status").read_text()
        assert round_trip_ms(target, "client", "web") >= LATE_MS
        holder.kill()
    assert small.helpers_left(REMOVED_WITHIN_S) == []
