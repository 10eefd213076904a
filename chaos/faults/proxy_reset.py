"""`proxy.reset`: the proxy resets connections as soon as anything passes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from pydantic import Field

from chaos.faults.base import Flaw
from chaos.faults.proxy_probe import Talk
from chaos.faults.proxy_toxic import ToxicFault
from chaos.faults.proxy_words import ended_so, not_between
from chaos.system import System
from chaos.units import Duration

AFTER_S_MAX = 60.0


class ProxyReset(ToxicFault):
    """A partner that breaks connections off: those opened meanwhile by a TCP reset, older ones by a plain end."""

    word: ClassVar[str] = "proxy.reset"
    title: ClassVar[str] = "resets connections through the proxy"
    kind: ClassVar[str] = "reset_peer"

    after: Duration = Field(default=0.0, description="How long after the first data; 0s: at once.")

    def problems(self, service: str, system: System) -> Iterable[Flaw]:
        yield from super().problems(service, system)
        yield from not_between("after", self.after, 0, AFTER_S_MAX)

    def effect(self) -> str:
        after = f" {self.after * 1e3:g} ms after" if self.after else " at"
        return f"resets connections{after} the first of the {self.side()}"

    def attributes(self) -> Mapping[str, int]:
        return {"timeout": round(self.after * 1e3)}

    def takes_s(self) -> float:
        return self.after

    def met(self, before: Talk, during: Talk) -> bool:
        # Data are dropped meanwhile, and a relay of the engine's turns a reset into a plain end.
        return during.ended in ("reset", "closed", "silent") and not during.received

    def told(self, before: Talk, during: Talk) -> str:
        return ended_so(during)
