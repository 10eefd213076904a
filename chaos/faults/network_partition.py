"""`network.partition`: no packet passes between a service and its peers, and nobody is told."""

from __future__ import annotations

from typing import ClassVar

from chaos.faults.base import Evidence, Lease, Seen
from chaos.faults.packets import PacketFault
from chaos.targets.base import Target


class NetworkPartition(PacketFault):
    """A cut cable: packets vanish; connections hang until somebody's patience ends."""

    word: ClassVar[str] = "network.partition"
    title: ClassVar[str] = "drops every packet"
    action: ClassVar[str] = "partition"

    def effect(self) -> str:
        return "drops all"

    def evidence(self, target: Target, lease: Lease, seen: Seen) -> Evidence:
        counted = self.counters(target, lease)
        if counted is None:
            return Evidence(False, f"the agent of {lease.service} that held the rules is gone, and the fault with it")
        dropped = counted["dropped"]["packets"]
        if not dropped:
            return Evidence(False, f"not one packet of {lease.service} was there to be dropped", {"packets_dropped": 0})
        return Evidence(True, f"{dropped} packets dropped", {"packets_dropped": dropped})
