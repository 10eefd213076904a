"""`proxy.latency`: what passes the proxy is held back by `latency`, give or take `jitter`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from pydantic import Field

from chaos.faults.base import Flaw
from chaos.faults.proxy import PATIENCE_S_MAX, SEEN_SHARE
from chaos.faults.proxy_probe import Talk
from chaos.faults.proxy_toxic import ToxicFault
from chaos.faults.proxy_words import not_between, waited
from chaos.system import System
from chaos.units import Duration

LATENCY_S_MIN, LATENCY_S_MAX = 0.005, 60.0  # in whole milliseconds; less could not be told from chance


class ProxyLatency(ToxicFault):
    """A slow partner: each chunk of data waits. A request and its reply are a chunk or two, a large page is many."""

    word: ClassVar[str] = "proxy.latency"
    title: ClassVar[str] = "holds back what passes the proxy"
    kind: ClassVar[str] = "latency"

    latency: Duration = Field(description="How long data waits, as in 100ms.")
    jitter: Duration = Field(default=0.0, description="How far that strays to either side, evenly spread.")

    def problems(self, service: str, system: System) -> Iterable[Flaw]:
        yield from super().problems(service, system)
        yield from not_between("latency", self.latency, LATENCY_S_MIN, LATENCY_S_MAX)
        yield from not_between("jitter", self.jitter, 0, self.latency)

    def effect(self) -> str:
        jitter = f" ± {self.jitter * 1e3:g} ms" if self.jitter else ""
        return f"holds {self.side()} back by {self.latency * 1e3:g} ms{jitter}"

    def attributes(self) -> Mapping[str, int]:
        return {"latency": round(self.latency * 1e3), "jitter": round(self.jitter * 1e3)}

    def takes_s(self) -> float:
        return self.latency + self.jitter

    def met(self, before: Talk, during: Talk) -> bool:
        least = min(SEEN_SHARE * (self.latency - self.jitter), PATIENCE_S_MAX - 1)
        grew = (during.reply_s or 0) - (before.reply_s or 0)
        return during.ended in ("whole", "silent") and grew >= max(least, LATENCY_S_MIN / 2)

    def told(self, before: Talk, during: Talk) -> str:
        return waited(before, during)
