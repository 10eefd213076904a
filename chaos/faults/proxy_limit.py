"""`proxy.limit`: the proxy closes each connection after `bytes` have passed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from pydantic import Field

from chaos.faults.base import Flaw
from chaos.faults.proxy_probe import Talk
from chaos.faults.proxy_toxic import ToxicFault
from chaos.faults.proxy_words import ended_so
from chaos.system import System
from chaos.units import Size, size_text

BYTES_MAX = 100_000  # more than our own conversations move is not seen
_ROOM = 200  # beyond the limit, so that it is surely met


class ProxyLimit(ToxicFault):
    """Replies that break off in the middle. Counted for each connection, from when it opens or the fault begins."""

    word: ClassVar[str] = "proxy.limit"
    title: ClassVar[str] = "closes each connection through the proxy after so many bytes"
    kind: ClassVar[str] = "limit_data"

    bytes: Size = Field(examples=["1kB"], description="How much passes before the connection is closed, as in 1kB.")

    def problems(self, service: str, system: System) -> Iterable[Flaw]:
        yield from super().problems(service, system)
        if self.bytes > BYTES_MAX:
            what = f"{size_text(self.bytes)} cannot be told from no limit; allowed: at most {size_text(BYTES_MAX)}"
            yield Flaw(("with", "bytes"), what)

    def effect(self) -> str:
        return f"closes each connection after {size_text(self.bytes)} of {self.side()}"

    def attributes(self) -> Mapping[str, int]:
        return {"bytes": self.bytes}

    def amount(self) -> int:
        return self.bytes + _ROOM if self.bytes else 0

    def unfit(self, before: Talk) -> str:
        moved = before.received if self.stream == "downstream" else before.sent
        return "" if moved > self.bytes else f"our conversation moves {size_text(moved)} alone"

    def met(self, before: Talk, during: Talk) -> bool:
        if self.stream == "upstream":
            return during.ended in ("closed", "reset") and during.received < before.received
        # Where something else delays the close, it is the length that tells.
        return (during.ended in ("closed", "reset") and during.received <= self.bytes) or (
            during.ended == "silent" and 0 < during.received == self.bytes
        )

    def told(self, before: Talk, during: Talk) -> str:
        return f"{ended_so(during)}; {size_text(before.received)} without the fault"
