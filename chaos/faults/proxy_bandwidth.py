"""`proxy.bandwidth`: each connection through the proxy carries no more than `rate`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from pydantic import Field

from chaos.faults.base import Flaw
from chaos.faults.proxy import SEEN_SHARE
from chaos.faults.proxy_probe import Talk
from chaos.faults.proxy_toxic import ToxicFault
from chaos.system import System
from chaos.units import Throughput, throughput_text

RATE_MIN, RATE_MAX = 1_000, 100_000_000  # in whole kB/s; beyond that the proxy itself is the limit
_SECONDS_WORTH = 0.5  # how long our own conversation should take at that rate
_AMOUNT_MIN, _AMOUNT_MAX = 64, 262_144


class ProxyBandwidth(ToxicFault):
    """A narrow link: what is small gets through nearly as before, what is large takes its time. Per connection."""

    word: ClassVar[str] = "proxy.bandwidth"
    title: ClassVar[str] = "narrows each connection through the proxy"
    kind: ClassVar[str] = "bandwidth"

    rate: Throughput = Field(description="How much passes per second on each connection, as in 100kB/s.")

    def problems(self, service: str, system: System) -> Iterable[Flaw]:
        yield from super().problems(service, system)
        if not RATE_MIN <= self.rate <= RATE_MAX:
            allowed = f"{throughput_text(RATE_MIN)} to {throughput_text(RATE_MAX)}"
            yield Flaw(("with", "rate"), f"{throughput_text(self.rate)} cannot be kept; allowed: {allowed}")

    def effect(self) -> str:
        return f"lets {throughput_text(self.rate)} of {self.side()} through on each connection"

    def attributes(self) -> Mapping[str, int]:
        return {"rate": round(self.rate / 1e3)}

    def amount(self) -> int:
        return round(min(max(self.rate * _SECONDS_WORTH, _AMOUNT_MIN), _AMOUNT_MAX))

    def takes_s(self) -> float:
        return 2 * self.amount() / self.rate

    def unfit(self, before: Talk) -> str:
        if self._per_s(before) > self.rate / SEEN_SHARE:
            return ""
        return f"it carried {throughput_text(round(self._per_s(before)))} even without the limit"

    def met(self, before: Talk, during: Talk) -> bool:
        return 0 < self._per_s(during) <= self.rate / SEEN_SHARE and self._per_s(during) < self._per_s(before) / 2

    def told(self, before: Talk, during: Talk) -> str:
        return (
            f"carried {throughput_text(round(self._per_s(during)))}, "
            f"and {throughput_text(round(self._per_s(before)))} without the fault"
        )

    def _per_s(self, went: Talk) -> float:
        moved = went.received if self.stream == "downstream" else went.sent
        return moved / went.reply_s if went.reply_s else 0.0
