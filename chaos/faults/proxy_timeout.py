"""`proxy.timeout`: nothing passes the proxy, and after `after` the connection is closed."""

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

AFTER_S_MAX = 3600.0


class ProxyTimeout(ToxicFault):
    """A partner that accepts connections and never answers. Connections that met it are closed when it ends."""

    word: ClassVar[str] = "proxy.timeout"
    title: ClassVar[str] = "lets nothing pass the proxy, and leaves connections open"
    kind: ClassVar[str] = "timeout"

    after: Duration = Field(default=0.0, description="When connections are closed; 0s: they stay open until it ends.")

    def problems(self, service: str, system: System) -> Iterable[Flaw]:
        yield from super().problems(service, system)
        yield from not_between("after", self.after, 0, AFTER_S_MAX)

    def effect(self) -> str:
        closed = f", and closes the connection after {self.after * 1e3:g} ms" if self.after else ""
        return f"drops all {self.side()}{closed}"

    def attributes(self) -> Mapping[str, int]:
        return {"timeout": round(self.after * 1e3)}

    def takes_s(self) -> float:
        return self.after

    def met(self, before: Talk, during: Talk) -> bool:
        return during.ended in ("silent", "closed", "reset") and not during.received

    def told(self, before: Talk, during: Talk) -> str:
        return ended_so(during)
