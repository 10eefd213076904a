"""`proxy.slice`: the proxy hands data on in small pieces."""

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
from chaos.units import Duration, Size, size_text

SIZE_MAX = 16_384  # half of what the proxy reads at once
DELAY_S_MAX = 10.0
_PIECES = 8  # that our own conversation should come in
_AMOUNT_MAX = 65_536


class ProxySlice(ToxicFault):
    """A link that delivers drop by drop: who takes a part for the whole is found out."""

    word: ClassVar[str] = "proxy.slice"
    title: ClassVar[str] = "hands data on in small pieces"
    kind: ClassVar[str] = "slicer"

    size: Size = Field(examples=["64B"], description="How large pieces are on average, as in 64B.")
    variation: Size = Field(default=0, description="How far their size strays to either side; less than the size.")
    delay: Duration = Field(default=0.0, description="How long the proxy waits after each piece.")

    def problems(self, service: str, system: System) -> Iterable[Flaw]:
        yield from super().problems(service, system)
        if not 1 <= self.size <= SIZE_MAX:
            what = f"{size_text(self.size)} cannot be; allowed: 1B to {size_text(SIZE_MAX)}"
            yield Flaw(("with", "size"), what)
        elif self.variation >= self.size:
            what = f"pieces of {size_text(self.size)} cannot vary by {size_text(self.variation)}"
            yield Flaw(("with", "variation"), f"{what}; allowed: less than their size")
        yield from not_between("delay", self.delay, 0, DELAY_S_MAX)

    def effect(self) -> str:
        wait = f", {self.delay * 1e3:g} ms apart" if self.delay else ""
        return f"hands {self.side()} on in pieces of {size_text(self.size)}{wait}"

    def attributes(self) -> Mapping[str, int]:
        return {"average_size": self.size, "size_variation": self.variation, "delay": round(self.delay * 1e6)}

    def amount(self) -> int:
        return min(self.size * _PIECES, _AMOUNT_MAX)

    def takes_s(self) -> float:
        return self.delay * _PIECES * 2

    def unfit(self, before: Talk) -> str:
        moved = before.received if self.stream == "downstream" else before.sent
        return "" if moved >= 2 * self.size else f"our conversation moves {size_text(moved)} alone"

    def met(self, before: Talk, during: Talk) -> bool:
        if self.delay:
            moved = during.received if self.stream == "downstream" else during.sent
            least = SEEN_SHARE * self.delay * max(1, moved // (2 * self.size))
            grew = (during.reply_s or 0) - (before.reply_s or 0)
            return during.ended in ("whole", "silent") and grew >= min(least, PATIENCE_S_MAX - 1)
        # The kernel may put pieces together again on their way to us.
        return during.ended == "whole" and during.pieces >= 2 * before.pieces

    def told(self, before: Talk, during: Talk) -> str:
        took = f"took {(during.reply_s or 0) * 1e3:.0f} ms and came in {during.pieces} pieces"
        return f"{took}, and {(before.reply_s or 0) * 1e3:.0f} ms in {before.pieces} without the fault"
