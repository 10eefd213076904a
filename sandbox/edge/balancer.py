"""Which storefront is asked next: in turn among those in rotation, the others only when there is no better.

Two things take a storefront out. Active checks ask each one twice a second and believe three misses in a row; two good
answers bring it back. Passive ejection watches real requests for time-outs, which cost the buyer time whatever is
retried; a refused connection costs a millisecond and is left to the active checks.
"""

import asyncio
import logging
import time
from collections.abc import Callable

import aiohttp

from sandbox import protections, settings

log = logging.getLogger(__name__)

CHECK_EVERY_S = 0.5
CHECK_BUDGET_S = 0.3
MISSES_OUT = 3
GOOD_IN = 2
TIMEOUTS_OUT = 3
EJECTED_S = 2.0


class Storefront:
    """One storefront as the edge sees it."""

    def __init__(self, name: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self.address = settings.address(name, "http")
        self._clock = clock
        self._misses = 0
        self._good = 0
        self._checked_out = False
        self._timeouts = 0
        self._ejected_until = 0.0

    def in_rotation(self) -> bool:
        """Whether requests should go there."""
        return not self._checked_out and self._clock() >= self._ejected_until

    def checked(self, *, good: bool) -> None:
        """Takes note of a health check."""
        self._misses, self._good = (0, self._good + 1) if good else (self._misses + 1, 0)
        if not self._checked_out and self._misses >= MISSES_OUT:
            self._checked_out = True
            log.warning("%s out of rotation: %d health checks missed", self.name, self._misses)
        elif self._checked_out and self._good >= GOOD_IN:
            self._checked_out = False
            log.warning("%s back in rotation", self.name)

    def answered(self) -> None:
        """Takes note that a request was answered."""
        self._timeouts = 0

    def timed_out(self) -> None:
        """Takes note that a request was not answered in time."""
        self._timeouts += 1
        if self._timeouts >= TIMEOUTS_OUT and protections.on("health_checks"):
            self._timeouts = 0
            self._ejected_until = self._clock() + EJECTED_S
            log.warning("%s ejected for %g s: %d time-outs in a row", self.name, EJECTED_S, TIMEOUTS_OUT)


class Balancer:
    """All storefronts, in turn."""

    def __init__(self, storefronts: list[Storefront]) -> None:
        assert storefronts
        self._storefronts = storefronts
        self._turn = 0

    def order(self) -> list[Storefront]:
        """The storefronts in the order in which this request should try them."""
        self._turn = (self._turn + 1) % len(self._storefronts)
        turned = self._storefronts[self._turn :] + self._storefronts[: self._turn]
        return sorted(turned, key=lambda storefront: not storefront.in_rotation())

    async def check_for_ever(self, session: aiohttp.ClientSession) -> None:
        """Runs the active health checks until cancelled."""
        while True:
            started = time.monotonic()
            await asyncio.gather(*(_check(session, storefront) for storefront in self._storefronts))
            await asyncio.sleep(max(0.0, CHECK_EVERY_S - (time.monotonic() - started)))


async def _check(session: aiohttp.ClientSession, storefront: Storefront) -> None:
    timeout = aiohttp.ClientTimeout(total=protections.budget_s(CHECK_BUDGET_S))
    try:
        async with session.get(storefront.address.url + "/healthz", timeout=timeout) as reply:
            storefront.checked(good=reply.status == 200)
    except (aiohttp.ClientError, TimeoutError):
        storefront.checked(good=False)
