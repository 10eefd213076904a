"""What the faults share that are toxics of a Toxiproxy: their direction, their share of connections, their undoing."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from chaos.faults.base import Flaw, Lease
from chaos.faults.proxy import ProxyFault
from chaos.system import System
from chaos.targets.base import Link, LinkState, Toxic
from chaos.units import Percent, percent_text

TOXICITY_MIN = 5.0  # percent; of less, so many connections would have to be tried that the trying delays the healing
_MISSED_BY_CHANCE = 0.01  # how likely none of the connections that we try meets a fault that is on


class ToxicFault(ProxyFault):
    """A toxic, on one direction of a share of the connections: drawn for each when it opens or the fault begins."""

    undo: ClassVar[str] = "the toxic is taken off"
    by_hand: ClassVar[str] = "docker compose restart toxiproxy: that takes every toxic off"
    kind: ClassVar[str]  # as Toxiproxy calls it

    stream: Literal["upstream", "downstream"] = Field(
        default="downstream", description="upstream: what callers send; downstream: what they get."
    )
    toxicity: Percent = Field(default=100.0, description="The share of connections that meet it, drawn for each.")

    @abstractmethod
    def attributes(self) -> Mapping[str, int]:
        """Its parameters in Toxiproxy's words and units."""

    def problems(self, service: str, system: System) -> Iterable[Flaw]:
        yield from super().problems(service, system)
        if self.toxicity < TOXICITY_MIN:
            least = percent_text(TOXICITY_MIN)
            what = f"{percent_text(self.toxicity)} of connections would hardly be seen; allowed: {least} to 100%"
            yield Flaw(("with", "toxicity"), what)

    def describe(self, service: str) -> str:
        share = f" on {percent_text(self.toxicity)} of connections" if self.toxicity < 100 else ""
        return f"{super().describe(service)}{share}"

    def side(self) -> str:
        return "replies" if self.stream == "downstream" else "requests"

    def tries(self) -> int:
        if self.toxicity >= 100:
            return 1
        return math.ceil(math.log(_MISSED_BY_CHANCE) / math.log(1 - self.toxicity / 100))

    def switch_on(self, link: Link, lease: Lease) -> None:
        link.add(Toxic(lease.id, self.kind, self.stream, self.toxicity / 100, self.attributes()))

    def switch_off(self, link: Link, lease: Lease) -> None:
        link.remove(lease.id)

    def is_on(self, state: LinkState, lease: Lease) -> bool:
        return any(toxic.name == lease.id for toxic in state.toxics)
