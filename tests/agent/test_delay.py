"""When packets are due, without a clock: order within flows, shares of the delay, what is measured."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.agent import netlink
from chaos.agent import nftables as nft
from chaos.agent.delay import FLOWS_PRUNED_AT, Delay, Schedule
from chaos.agent.fault import Fault, parse
from chaos.agent.nfqueue import PACKET, Packet


def latency(**given: object) -> Fault:
    """A latency fault."""
    return parse(
        {"fault": "f", "action": "latency", "for_s": 1, "direction": "out", "delay_ms": 50, "seed": 1, **given}
    )


def packet(number: int = 1, flow: int = 0, hook: int = nft.HOOK_OUT) -> Packet:
    """A UDP packet as the kernel hands it up."""
    headers = bytes([0x45]) + bytes(8) + b"\x11" + bytes(2) + b"\xc6\x12\x00\x01\xc6\x12\x00\x02"
    headers += flow.to_bytes(2, "big") + b"\x00\x35"
    return Packet(7, number, hook, netlink.pack(PACKET, 0, 0, bytes(4) + netlink.attr(10, headers)))


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 0.02)), max_size=60))
def test_jitter_never_reorders_a_flow_and_never_hurries(arrivals: list[tuple[int, float]]) -> None:
    delay, schedule, now = Delay(latency(delay_ms=10, jitter_ms=30)), Schedule(), 0.0
    came: dict[int, list[int]] = {}
    for number, (flow, pause) in enumerate(arrivals):
        now += pause
        schedule.hold(packet(number, flow), delay, now)
        came.setdefault(flow, []).append(number)
    flow_of = {number: flow for flow, numbers in came.items() for number in numbers}
    went: dict[int, list[int]] = {}
    for waiting in schedule.due(float("inf")):
        assert waiting.arrived <= waiting.due
        went.setdefault(flow_of[waiting.number], []).append(waiting.number)
    assert went == came


def test_jitter_is_spread_evenly_and_follows_the_seed() -> None:
    def drawn(seed: int) -> list[float]:
        delay = Delay(latency(jitter_ms=20, seed=seed))
        return [delay.due(packet(flow=n), 0.0) * 1000 for n in range(2_000)]

    times = drawn(1)
    assert drawn(1) == times != drawn(2)
    assert 30 <= min(times) < 32 and 68 < max(times) <= 70
    assert 49 < sum(times) / len(times) < 51


@pytest.mark.parametrize(
    ("direction", "peers", "hook", "share_ms"),
    [
        ("both", [], nft.HOOK_IN, 25),
        ("both", [], nft.HOOK_OUT, 25),
        ("in", [], nft.HOOK_IN, 50),
        ("out", [], nft.HOOK_OUT, 50),
        ("in", [], nft.HOOK_FORWARD, 25),
        ("in", ["198.18.0.1"], nft.HOOK_FORWARD, 50),
        ("both", ["198.18.0.1"], nft.HOOK_FORWARD, 25),
    ],
)
def test_a_packet_s_share_of_the_delay(direction: str, peers: list[str], hook: int, share_ms: float) -> None:
    delay = Delay(latency(direction=direction, peers=peers))
    assert delay.due(packet(hook=hook), 1.0) == pytest.approx(1.0 + share_ms / 1000)


def test_what_was_held_is_measured() -> None:
    delay = Delay(latency())
    assert delay.held().p50_ms is None
    for held_ms in range(1, 101):
        delay.record(held_ms / 1000)
    held = delay.held()
    assert (held.packets, held.max_ms) == (100, 100)
    assert held.p50_ms == pytest.approx(50, abs=0.02)
    assert held.p99_ms == pytest.approx(99, abs=0.02)


def test_flows_that_are_over_are_forgotten() -> None:
    delay = Delay(latency(jitter_ms=1))
    for number in range(3 * FLOWS_PRUNED_AT):
        delay.due(packet(flow=number), number * 1.0)
    assert len(delay._latest_of_flow) <= FLOWS_PRUNED_AT + 1


def test_one_fault_s_packets_can_be_taken_out() -> None:
    schedule, mine, others = Schedule(), Delay(latency()), Delay(latency(delay_ms=10))
    for number in range(10):
        schedule.hold(packet(number), mine if number % 2 else others, number / 1000)
    assert [waiting.number for waiting in schedule.of(mine)] == [1, 3, 5, 7, 9]
    assert [waiting.number for waiting in schedule.due(1.0)] == [0, 2, 4, 6, 8]
    assert schedule.next_due() is None
