"""What customers are told about the shop's state: on `/status`, and as a banner on every page.

It is read from the systems themselves twice a second, in the background, so that no page waits for it: work that has
been in the outbox for long means that a third party is behind, whatever the reason; replicas that do not answer mean
old data. Without `truthful_status` it says that all is well, always.
"""

import asyncio
from dataclasses import dataclass, field

from sandbox import protections
from sandbox.postgres import Database, DatabaseUnavailableError
from sandbox.storefront.reads import Reads

EVERY_S = 0.5
ASK_S = 0.4
BEHIND_S = 3.0
"""Work older than this is late: it takes well under a second when all is well."""
MISSES_BELIEVED = 2
"""One may be chance."""


@dataclass(frozen=True)
class Status:
    """The state of each part, and a sentence for customers on each that is not well."""

    parts: dict[str, str]
    messages: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        """`ok`, `degraded`, or `down` when no orders can be taken."""
        if self.parts["ordering"] == "down":
            return "down"
        return "degraded" if self.messages else "ok"


ALL_WELL = Status({"ordering": "ok", "payments": "ok", "shipping": "ok", "catalogue": "ok"})


class StatusWatch:
    """Keeps `current` up to date."""

    def __init__(self, primary: Database, reads: Reads) -> None:
        self.current = ALL_WELL
        self._primary = primary
        self._reads = reads
        self._primary_misses = 0
        self._replica_misses = 0

    async def run(self) -> None:
        """Looks until cancelled."""
        while protections.on("truthful_status"):
            self.current = await self._look()
            await asyncio.sleep(EVERY_S)

    async def _look(self) -> Status:
        parts = dict(ALL_WELL.parts)
        messages = []
        try:
            rows = await self._primary.query(
                "select kind, extract(epoch from now() - min(created_at))::float8 from outbox group by kind",
                budget_s=protections.budget_s(ASK_S),
            )
            self._primary_misses = 0
        except DatabaseUnavailableError:
            rows = []
            self._primary_misses += 1
        if self._primary_misses >= MISSES_BELIEVED:
            parts["ordering"] = "down"
            messages.append("We cannot take orders at the moment. Nothing is charged; please come back shortly.")
        late = {kind for kind, oldest_s in rows if oldest_s > BEHIND_S}
        if "charge" in late:
            parts["payments"] = "delayed"
            messages.append("Payments are delayed. You can order as usual; you will be charged once, a little later.")
        if "ship" in late:
            parts["shipping"] = "delayed"
            messages.append("Bookings with our carrier are delayed. Paid orders will be sent as soon as possible.")
        self._replica_misses = 0 if await self._reads.all_replicas_stream() else self._replica_misses + 1
        if self._replica_misses >= MISSES_BELIEVED:
            parts["catalogue"] = "delayed"
            messages.append("Some product details and stock figures may be a little out of date.")
        return Status(parts, messages)
