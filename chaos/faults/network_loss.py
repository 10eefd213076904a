"""`network.loss`: a share of the packets, each drawn on its own, is dropped by the kernel without a word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.base import Evidence, Flaw
from chaos.faults.packets import PacketFault
from chaos.system import System
from chaos.units import Percent, percent_text

PERCENT_MIN = 0.0001  # the agent's limit: one packet of a million


class NetworkLoss(PacketFault):
    """A lossy link: each packet that is meant is dropped with this probability, in each direction it acts on."""

    word: ClassVar[str] = "network.loss"
    title: ClassVar[str] = "drops a share of the packets"
    action: ClassVar[str] = "loss"

    percent: Percent = Field(description="The share of packets dropped, as in 10%.")

    def problems(self, service: str, system: System) -> Iterable[Flaw]:
        yield from super().problems(service, system)
        if self.percent < PERCENT_MIN:
            what = f"{percent_text(self.percent)} drops nothing; allowed: {percent_text(PERCENT_MIN)} to 100%"
            yield Flaw(("with", "percent"), what)

    def effect(self) -> str:
        return f"drops {self.percent:g}% of the"

    def parameters(self) -> Mapping[str, Any]:
        return {"percent": self.percent}

    def met(self, service: str, counted: Mapping[str, Any]) -> Evidence:
        matched, dropped = counted["matched"]["packets"], counted["dropped"]["packets"]
        measured = {"packets_matched": matched, "packets_dropped": dropped}
        if not dropped:
            return Evidence(False, f"of {matched} packets of {service} not one was dropped", measured)
        return Evidence(True, f"{dropped} of {matched} packets dropped ({dropped / matched:.1%})", measured)
