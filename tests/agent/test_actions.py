"""What faults do to real packets: delay, loss, partition; by direction, peer and port; on connections old and new."""

import socket
import threading
import time

import pytest

from tests.agent.binomial import interval
from tests.agent.netns import OTHER, PEER, TARGET, Agent, World
from tests.agent.traffic import PORT, tcp, udp

DELAY_MS = 60.0
EARLY_MS_MAX = 0.2
LATE_MS_MAX = 40.0  # a busy machine wakes the agent late, by far less than this
UNDELAYED_MS_MAX = 25.0


def delayed(milliseconds: float, by: float = DELAY_MS) -> bool:
    """Whether a round trip took as long as this delay makes it."""
    return by - 0.5 <= milliseconds <= by + LATE_MS_MAX


@pytest.mark.parametrize("direction", ["in", "out", "both"])
def test_latency_adds_its_delay_to_a_round_trip(hosts: World, agent: Agent, direction: str) -> None:
    with udp(hosts.target, hosts.peer, PEER) as pair:
        assert pair.median_ms() < UNDELAYED_MS_MAX
        agent.add("latency", direction=direction, delay_ms=DELAY_MS, ports=[PORT])
        assert delayed(pair.median_ms())
        counted = agent.counters()
        agent.do("remove", fault="f")
        assert pair.median_ms() < UNDELAYED_MS_MAX
    packets = 10 if direction == "both" else 5
    share_ms = DELAY_MS / 2 if direction == "both" else DELAY_MS
    assert counted["matched"]["packets"] == counted["delayed"]["packets"] == packets
    assert share_ms - EARLY_MS_MAX <= counted["delayed"]["held_ms"]["p50"] <= counted["delayed"]["held_ms"]["max"]
    assert delayed(counted["delayed"]["held_ms"]["p50"], share_ms)
    assert counted["dropped"]["packets"] == counted["queue_dropped"] == 0


def test_latency_is_for_connections_that_the_peer_opened_too(hosts: World, agent: Agent) -> None:
    with tcp(hosts.peer, hosts.target, TARGET) as (client, server):
        agent.add("latency", delay_ms=DELAY_MS)
        begun = time.monotonic()
        client.sendall(b"a")
        server.sendall(server.recv(1))
        client.recv(1)
        assert delayed((time.monotonic() - begun) * 1000)


@pytest.mark.parametrize("direction", ["in", "out", "both"])
def test_latency_does_not_stall_a_large_reply(hosts: World, agent: Agent, direction: str) -> None:
    """Ten segments fit into the first window, and so need one round trip and not several."""
    reply = bytes(14_000)
    with tcp(hosts.peer, hosts.target, TARGET) as (client, server):
        agent.add("latency", direction=direction, delay_ms=DELAY_MS)
        begun = time.monotonic()
        client.sendall(b"a")
        server.recv(1)
        server.sendall(reply)
        got = 0
        while got < len(reply):
            got += len(client.recv(65_536))
        assert delayed((time.monotonic() - begun) * 1000)


def test_large_transfers_arrive_whole_through_latency_with_jitter(hosts: World, agent: Agent) -> None:
    sent = bytes(range(256)) * 8_000
    got = bytearray()
    with tcp(hosts.target, hosts.peer, PEER) as (client, server):
        agent.add("latency", delay_ms=6, jitter_ms=6, seed=1)
        sender = threading.Thread(target=client.sendall, args=(sent,))
        sender.start()
        while len(got) < len(sent):
            got += server.recv(1 << 20)
        sender.join()
        counted = agent.counters()
    assert bytes(got) == sent
    assert counted["queue_dropped"] == 0


def test_jitter_keeps_the_order_within_a_flow(hosts: World, agent: Agent) -> None:
    with udp(hosts.target, hosts.peer, PEER) as pair:
        agent.add("latency", direction="out", delay_ms=20, jitter_ms=20, seed=3)
        for number in range(200):
            pair.client.send(bytes([number]))
            time.sleep(0.0005)
        assert [pair.server.recv(8)[0] for _ in range(200)] == list(range(200))


def test_latencies_add_up(hosts: World, agent: Agent) -> None:
    with udp(hosts.target, hosts.peer, PEER) as pair:
        agent.add("latency", fault="a", direction="in", delay_ms=DELAY_MS)
        agent.add("latency", fault="b", direction="both", delay_ms=DELAY_MS)
        assert delayed(pair.median_ms(), 2 * DELAY_MS)
        agent.do("remove", fault="a")
        assert delayed(pair.median_ms())


@pytest.mark.parametrize("direction", ["in", "out"])
def test_loss_is_what_was_asked(hosts: World, agent: Agent, direction: str) -> None:
    sent, percent = 6_000, 12.5
    client, server, address = (
        (hosts.target, hosts.peer, PEER) if direction == "out" else (hosts.peer, hosts.target, TARGET)
    )
    with udp(client, server, address) as pair:
        agent.add("loss", direction=direction, percent=percent, ports=[PORT])
        lost = sent - pair.flood(sent)
        counted = agent.counters()
    least, most = interval(sent, percent / 100, 0.999)
    assert least <= lost <= most
    assert (counted["matched"]["packets"], counted["dropped"]["packets"]) == (sent, lost)


def test_loss_of_everything(hosts: World, agent: Agent) -> None:
    with udp(hosts.target, hosts.peer, PEER) as pair:
        agent.add("loss", percent=100, direction="out")
        assert pair.flood(200) == 0


@pytest.mark.parametrize(
    ("direction", "there", "back"), [("out", False, True), ("in", True, False), ("both", False, False)]
)
def test_partition_by_direction(hosts: World, agent: Agent, direction: str, there: bool, back: bool) -> None:
    with udp(hosts.target, hosts.peer, PEER) as outwards, udp(hosts.peer, hosts.target, TARGET) as inwards:
        agent.add("partition", direction=direction)
        assert (outwards.flood(100) == 100, inwards.flood(100) == 100) == (there, back)


def test_partition_is_silent(hosts: World, agent: Agent) -> None:
    """Sending succeeds, connecting hangs: nobody is told."""
    agent.add("partition")
    with hosts.target.socket(socket.SOCK_DGRAM) as datagrams:
        assert datagrams.sendto(b"x", (PEER, PORT)) == 1
    with hosts.target.socket(socket.SOCK_STREAM) as stream:
        stream.settimeout(0.3)
        with pytest.raises(TimeoutError):
            stream.connect((PEER, PORT))


def test_partition_cuts_an_open_connection_which_then_recovers(hosts: World, agent: Agent) -> None:
    with tcp(hosts.target, hosts.peer, PEER) as (client, server):
        client.sendall(b"a")
        assert server.recv(1) == b"a"
        agent.add("partition", direction="out")
        client.sendall(b"b")
        server.settimeout(0.3)
        with pytest.raises(TimeoutError):
            server.recv(1)
        agent.do("remove", fault="f")
        server.settimeout(5.0)
        assert server.recv(1) == b"b"


def test_count_does_nothing_but_count(hosts: World, agent: Agent) -> None:
    with udp(hosts.target, hosts.peer, PEER) as peer, udp(hosts.target, hosts.other, OTHER) as other:
        agent.add("count", direction="in", peers=[PEER])
        assert peer.median_ms() < UNDELAYED_MS_MAX
        assert other.median_ms() < UNDELAYED_MS_MAX
        counted = agent.counters()
    assert counted["matched"]["packets"] == 5
    assert counted["dropped"]["packets"] == 0


def test_other_peers_are_untouched(hosts: World, agent: Agent) -> None:
    with udp(hosts.target, hosts.peer, PEER) as peer, udp(hosts.target, hosts.other, OTHER) as other:
        agent.add("partition", peers=[PEER, "198.18.9.9"], ports=[PORT])
        assert peer.round_trip_ms() is None
        assert other.round_trip_ms() is not None
        assert agent.counters()["matched"]["packets"] == 1


def test_other_ports_are_untouched(hosts: World, agent: Agent) -> None:
    with udp(hosts.target, hosts.peer, PEER, 9001) as meant, udp(hosts.target, hosts.peer, PEER, 9002) as other:
        agent.add("partition", ports=[9001, 9003], direction="in")
        assert meant.round_trip_ms() is None
        assert other.round_trip_ms() is not None
        agent.do("remove", fault="f")
        client_port = other.client.getsockname()[1]
        agent.add("partition", ports=[client_port], direction="in")
        assert meant.round_trip_ms() is not None
        assert other.round_trip_ms() is None


def test_a_packet_with_both_ports_named_is_treated_once(hosts: World, agent: Agent) -> None:
    with udp(hosts.target, hosts.peer, PEER) as pair:
        agent.add("latency", ports=[PORT, pair.client.getsockname()[1]], direction="out", delay_ms=DELAY_MS)
        assert delayed(pair.median_ms())
        assert agent.counters()["matched"]["packets"] == 5


def test_loopback_is_never_touched(hosts: World, agent: Agent) -> None:
    agent.add("partition")
    with udp(hosts.target, hosts.target, TARGET) as own, udp(hosts.target, hosts.target, "127.0.0.1") as local:
        assert own.round_trip_ms() is not None
        assert local.round_trip_ms() is not None
    assert agent.counters()["matched"]["packets"] == 0


@pytest.mark.parametrize("direction", ["in", "out", "both"])
@pytest.mark.parametrize("peers", [[], [OTHER]])
def test_forwarded_round_trips_grow_by_the_delay_once(
    hosts: World, agent: Agent, direction: str, peers: list[str]
) -> None:
    with udp(hosts.peer, hosts.other, OTHER) as pair:
        assert pair.median_ms() < UNDELAYED_MS_MAX
        agent.add("latency", direction=direction, delay_ms=DELAY_MS, peers=peers)
        assert delayed(pair.median_ms())
