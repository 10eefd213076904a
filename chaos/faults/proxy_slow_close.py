"""`proxy.slow_close`: connections through the proxy stay open for `delay` after they should have closed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from pydantic import Field

from chaos.faults.base import Flaw
from chaos.faults.proxy import PATIENCE_S_MAX, SEEN_SHARE
from chaos.faults.proxy_probe import Talk
from chaos.faults.proxy_toxic import ToxicFault
from chaos.faults.proxy_words import not_between
from chaos.system import System
from chaos.units import Duration

DELAY_S_MIN, DELAY_S_MAX = 0.01, 3600.0


class ProxySlowClose(ToxicFault):
    """Connections that linger: who opens one per request soon has many."""

    word: ClassVar[str] = "proxy.slow_close"
    title: ClassVar[str] = "keeps connections through the proxy open after their end"
    kind: ClassVar[str] = "slow_close"

    delay: Duration = Field(description="How long they stay open, as in 2s.")

    def problems(self, service: str, system: System) -> Iterable[Flaw]:
        yield from super().problems(service, system)
        yield from not_between("delay", self.delay, DELAY_S_MIN, DELAY_S_MAX)

    def effect(self) -> str:
        return f"keeps the way of {self.side()} open for {self.delay * 1e3:g} ms after its end"

    def attributes(self) -> Mapping[str, int]:
        return {"delay": round(self.delay * 1e3)}

    def takes_s(self) -> float:
        return self.delay

    def unfit(self, before: Talk) -> str:
        return "" if before.close_s is not None else f"{PATIENCE_S_MAX:g} s were not enough for a close without it"

    def met(self, before: Talk, during: Talk) -> bool:
        if during.ended != "whole" or before.close_s is None:
            return False
        # One that did not close at all while we waited lingers longer than that.
        lingered = PATIENCE_S_MAX if during.close_s is None else during.close_s - before.close_s
        return lingered >= SEEN_SHARE * min(self.delay, PATIENCE_S_MAX)

    def told(self, before: Talk, during: Talk) -> str:
        lingered = "had not closed when we stopped waiting"
        if during.close_s is not None:
            lingered = f"closed {during.close_s * 1e3:.0f} ms after its end"
        return f"{lingered}, and {(before.close_s or 0) * 1e3:.0f} ms without the fault"
