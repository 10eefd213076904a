"""No fault outlives its time, its agent or its caller: read from the kernel, and seen by real packets."""

import os
import signal
import time

import pytest

from tests.agent.netns import PEER, Agent, World
from tests.agent.traffic import udp

FOR_S = 0.4
EXPIRED_S = FOR_S + 0.3
GONE_WITHIN_S = 3.0  # measured: 0.03 s
REMOVALS_AROUND_EXPIRY = 30


def wait_for_no_table(hosts: World) -> None:
    """Waits until the target has no nftables table left."""
    deadline = time.monotonic() + GONE_WITHIN_S
    while hosts.target.tables() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert hosts.target.tables() == []


@pytest.mark.parametrize("action", ["latency", "loss", "partition"])
def test_a_fault_ends_by_itself(hosts: World, agent: Agent, action: str) -> None:
    with udp(hosts.target, hosts.peer, PEER) as pair:
        agent.add(action, percent=100, delay_ms=100, for_s=FOR_S)
        begun = time.monotonic()
        taken = pair.round_trip_ms()
        assert taken is None or taken >= 99
        assert agent.counters()["active"]
        time.sleep(max(0.0, begun + EXPIRED_S - time.monotonic()))
        taken = pair.round_trip_ms()
        assert taken is not None and taken < 50
        counted = agent.counters()
    assert not counted["active"]
    assert counted["matched"]["packets"] >= 1
    assert agent.do("list")["faults"] == []


@pytest.mark.parametrize("action", ["latency", "partition"])
def test_a_fault_ends_although_its_agent_is_frozen(hosts: World, agent: Agent, action: str) -> None:
    with udp(hosts.target, hosts.peer, PEER) as pair:
        agent.add(action, delay_ms=10, for_s=FOR_S)
        os.kill(agent.process.pid, signal.SIGSTOP)
        try:
            assert pair.round_trip_ms() is None
            time.sleep(EXPIRED_S)
            assert pair.round_trip_ms() is not None
        finally:
            os.kill(agent.process.pid, signal.SIGCONT)
        assert not agent.counters()["active"]


def test_what_a_frozen_agent_held_goes_on_when_it_thaws(hosts: World, agent: Agent) -> None:
    with udp(hosts.target, hosts.peer, PEER) as pair:
        agent.add("latency", delay_ms=10, for_s=FOR_S, direction="out")
        os.kill(agent.process.pid, signal.SIGSTOP)
        try:
            pair.client.send(b"held")
            time.sleep(EXPIRED_S)
        finally:
            os.kill(agent.process.pid, signal.SIGCONT)
        assert pair.server.recv(64) == b"held"
    held = agent.counters()["delayed"]["held_ms"]["max"]
    assert held >= 9.8


@pytest.mark.parametrize("action", ["latency", "loss", "partition"])
def test_sigkill_of_the_agent_removes_everything(hosts: World, agent: Agent, action: str) -> None:
    with udp(hosts.target, hosts.peer, PEER) as pair:
        agent.add(action, percent=100, delay_ms=1_000)
        assert pair.round_trip_ms() is None
        assert hosts.target.tables() == [agent.ready["table"]]
        agent.process.kill()
        wait_for_no_table(hosts)
        deadline = time.monotonic() + GONE_WITHIN_S
        while pair.round_trip_ms() is None:  # an echo of what was held may still come late
            assert time.monotonic() < deadline, "packets are still lost"
        assert pair.median_ms() < 50


def test_the_end_of_stdin_removes_everything_and_loses_nothing(hosts: World, agent: Agent) -> None:
    with udp(hosts.target, hosts.peer, PEER) as pair:
        agent.add("latency", delay_ms=5_000, direction="out")
        pair.client.send(b"held")
        assert agent.counters()["matched"]["packets"] == 1
        assert agent.process.stdin is not None
        agent.process.stdin.close()
        assert pair.server.recv(64) == b"held"
        assert agent.process.wait(GONE_WITHIN_S) == 0
        wait_for_no_table(hosts)


def test_remove_releases_at_once_and_may_be_repeated(hosts: World, agent: Agent) -> None:
    with udp(hosts.target, hosts.peer, PEER) as pair:
        agent.add("latency", delay_ms=5_000, direction="out")
        pair.client.send(b"held")
        assert agent.do("remove", fault="f")["ok"]
        assert pair.server.recv(64) == b"held"
        assert agent.do("remove", fault="f")["ok"]
        assert agent.do("remove", fault="never there")["ok"]
        assert agent.do("list")["faults"] == []
        counted = agent.counters()
    assert (counted["active"], counted["matched"]["packets"], counted["delayed"]["packets"]) == (False, 1, 1)


def test_remove_at_the_very_moment_of_expiry(hosts: World, agent: Agent) -> None:
    """The kernel may have ended a fault that the agent has not yet taken note of: that is no error."""
    for round_ in range(REMOVALS_AROUND_EXPIRY):
        name = f"race-{round_}"
        agent.add("partition", fault=name, for_s=0.1)
        time.sleep(0.08 + 0.002 * round_)  # from 20 ms before to 40 ms after
        assert agent.do("remove", fault=name)["ok"]
    assert agent.do("list")["faults"] == []


def test_one_fault_s_end_leaves_what_another_holds(hosts: World, agent: Agent) -> None:
    with udp(hosts.target, hosts.peer, PEER) as pair:
        agent.add("latency", fault="short", delay_ms=1, for_s=0.1)
        agent.add("latency", fault="long", delay_ms=600, direction="out")
        pair.client.send(b"held")
        time.sleep(0.3)
        agent.add("partition", fault="third", direction="in", peers=["198.18.9.9"])
        assert agent.do("remove", fault="third")["ok"]
        pair.server.settimeout(2.0)
        assert pair.server.recv(64) == b"held"


def test_a_name_can_be_used_again_after_expiry(hosts: World, agent: Agent) -> None:
    with udp(hosts.target, hosts.peer, PEER) as pair:
        for _ in range(3):
            agent.add("partition", for_s=0.05)
            assert pair.round_trip_ms() is None
            assert pair.round_trip_ms() is not None


def test_two_agents_in_one_namespace_do_not_meet(hosts: World, agent: Agent) -> None:
    second = Agent(hosts.target)
    try:
        assert second.ready["table"] != agent.ready["table"]
        with udp(hosts.target, hosts.peer, PEER) as pair:
            agent.add("latency", delay_ms=60, direction="out")
            second.add("latency", delay_ms=60, direction="out")
            assert 119 <= pair.median_ms() <= 170
            second.process.kill()
            second.process.wait(GONE_WITHIN_S)
            time.sleep(0.1)
            assert 59 <= pair.median_ms() <= 110
    finally:
        second.close()
