"""`network.latency`: packets are held back, so that a round trip takes longer by `delay`, give or take `jitter`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from pydantic import Field

from chaos.faults.base import Evidence, Flaw
from chaos.faults.packets import PacketFault
from chaos.system import System
from chaos.targets.base import Capability
from chaos.units import Duration, duration_text

DELAY_S_MAX = 60.0  # the agent's limit, for the jitter too
_SHARE_OF_DELAY_TO_SEE = 0.8  # the median packet must have been held at least this much of what was asked


class NetworkLatency(PacketFault):
    """A slow link. `delay` is what a round trip grows by: with `direction: both` each way has half of it."""

    word: ClassVar[str] = "network.latency"
    title: ClassVar[str] = "delays packets"
    action: ClassVar[str] = "latency"
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.NETWORK, Capability.DELAY})

    delay: Duration = Field(description="What is added to every round trip, as in 50ms.")
    jitter: Duration = Field(default=0.0, description="How far the delay strays to either side, evenly spread.")

    def problems(self, service: str, system: System) -> Iterable[Flaw]:
        yield from super().problems(service, system)
        if not 0 < self.delay <= DELAY_S_MAX:
            what = f"{duration_text(self.delay)} cannot be added; allowed: more than 0s, at most"
            yield Flaw(("with", "delay"), f"{what} {duration_text(DELAY_S_MAX)}")
        if self.jitter > DELAY_S_MAX:
            what = f"{duration_text(self.jitter)} is too much jitter; allowed: at most {duration_text(DELAY_S_MAX)}"
            yield Flaw(("with", "jitter"), what)

    def effect(self) -> str:
        jitter = f" ± {self.jitter * 1e3:g} ms" if self.jitter else ""
        return f"adds {self.delay * 1e3:g} ms{jitter} a round trip to"

    def parameters(self) -> Mapping[str, Any]:
        return {"delay_ms": self.delay * 1e3, "jitter_ms": self.jitter * 1e3}

    def met(self, service: str, counted: Mapping[str, Any]) -> Evidence:
        packets, held = counted["delayed"]["packets"], counted["delayed"]["held_ms"]
        measured = {"packets_delayed": packets, "held_ms": held, "queue_dropped": counted["queue_dropped"]}
        if not packets:
            return Evidence(False, f"not one packet of {service} was there to be delayed", measured)
        asked_ms = self.delay * 1e3 / (2 if self.direction == "both" else 1)
        text = f"{packets} packets held, half of them {held['p50']:.1f} ms or longer (asked: {asked_ms:g} ms each way)"
        return Evidence(held["p50"] >= asked_ms * _SHARE_OF_DELAY_TO_SEE, text, measured)
