"""`chaos check` refuses what the agent or a third party would refuse, at the very same limits."""

from __future__ import annotations

from typing import Any

import pytest

from chaos import faults
from chaos.agent import fault as agent
from chaos.faults.network_latency import DELAY_S_MAX as LATENCY_S_MAX
from chaos.faults.network_loss import PERCENT_MIN
from chaos.faults.packets import PacketFault
from chaos.faults.payment_outage import DELAY_S_MAX as SLOW_S_MAX
from chaos.faults.third_party import EXPIRY_MARGIN_S, ThirdPartyFault
from chaos.shipped import load_system
from sandbox.third_party import fault as third_party

A_HAIR = 1.001


def add(**changes: Any) -> dict[str, Any]:
    return {"do": "add", "fault": "x", "action": "latency", "delay_ms": 5, "percent": 5, "for_s": 5} | changes


@pytest.mark.parametrize(
    ("allowed", "refused"),
    [
        ({"for_s": PacketFault.for_s_min}, {"for_s": PacketFault.for_s_min / A_HAIR}),
        ({"for_s": PacketFault.for_s_max}, {"for_s": PacketFault.for_s_max * A_HAIR}),
        ({"delay_ms": LATENCY_S_MAX * 1e3}, {"delay_ms": LATENCY_S_MAX * 1e3 * A_HAIR}),
        ({"jitter_ms": LATENCY_S_MAX * 1e3}, {"jitter_ms": LATENCY_S_MAX * 1e3 * A_HAIR}),
        ({"action": "loss", "percent": PERCENT_MIN}, {"action": "loss", "percent": PERCENT_MIN / A_HAIR}),
    ],
)
def test_the_agents(allowed: dict[str, Any], refused: dict[str, Any]) -> None:
    agent.parse(add(**allowed))
    with pytest.raises(agent.Refused):
        agent.parse(add(**refused))


@pytest.mark.parametrize(
    ("key", "most"), [("expires_s", ThirdPartyFault.for_s_max + EXPIRY_MARGIN_S), ("delay_ms", SLOW_S_MAX * 1e3)]
)
def test_the_third_parties(key: str, most: float) -> None:
    third_party.parse({"mode": "slow", key: most})
    with pytest.raises(ValueError, match=key):
        third_party.parse({"mode": "slow", key: most * A_HAIR})


@pytest.mark.parametrize(
    ("word", "service", "parameters", "flaws"),
    [
        ("network.latency", "edge", {"delay": "60s", "jitter": "60s"}, []),
        ("network.latency", "edge", {"delay": "60.1s", "jitter": "60.1s"}, ["delay", "jitter"]),
        ("network.loss", "edge", {"percent": "0.0001%"}, []),
        ("payment.outage", "payments", {"mode": "slow", "delay": "10min"}, []),
        ("payment.outage", "payments", {"mode": "slow", "delay": "10.1min"}, ["delay"]),
    ],
)
def test_at_its_limit_a_fault_has_no_flaw(
    word: str, service: str, parameters: dict[str, Any], flaws: list[str]
) -> None:
    fault = faults.fault_class(word).model_validate(parameters)
    assert [flaw.where for flaw in fault.problems(service, load_system())] == [("with", each) for each in flaws]
