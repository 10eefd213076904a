"""`network.partition`: no packet passes between a service and its peers, and nobody is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from chaos.faults.base import Evidence
from chaos.faults.packets import PacketFault


class NetworkPartition(PacketFault):
    """A cut cable: packets vanish; connections hang until somebody's patience ends."""

    word: ClassVar[str] = "network.partition"
    title: ClassVar[str] = "drops every packet"
    action: ClassVar[str] = "partition"

    def effect(self) -> str:
        return "drops all"

    def met(self, service: str, counted: Mapping[str, Any]) -> Evidence:
        dropped = counted["dropped"]["packets"]
        if not dropped:
            return Evidence(False, f"not one packet of {service} was there to be dropped", {"packets_dropped": 0})
        return Evidence(True, f"{dropped} packets dropped", {"packets_dropped": dropped})
