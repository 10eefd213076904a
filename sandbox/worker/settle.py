"""One settling loop: claim what is due, do it side by side, put off what failed.

While the circuit is open nothing is claimed, so rows keep their place and are all due at once when the third party is
back. A failed row is retried with backoff and jitter, and always with the same key: whether the third party did the
work before its reply was lost is its to know.
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable

from sandbox import backoff, protections
from sandbox.breaker import Breaker, State
from sandbox.gateway import GatewayError
from sandbox.postgres import DatabaseUnavailableError
from sandbox.worker.outbox import Outbox, Work

log = logging.getLogger(__name__)

BATCH = 32
IDLE_S = 0.05
CALL_S = 1.0
LEASE_EXTRA_S = 4.0
"""How much longer than a call a lease lasts, so that a row is not claimed again while its outcome is being written."""

BACKOFF_FIRST_S = 0.2
BACKOFF_LONGEST_S = 2.0
SWEEP_S = 10.0
"""Without retries, a failed row waits for the next sweep."""

Call = Callable[[Work, str], Awaitable[str]]
"""Does the work with a third party under the given key; returns its receipt."""


class Settler:
    """Works through one kind of outbox row for ever."""

    def __init__(self, outbox: Outbox, call: Call, breaker: Breaker) -> None:
        self._outbox = outbox
        self._call = call
        self.breaker = breaker

    async def run(self) -> None:
        """Settles until cancelled; a database that is away is waited for."""
        lease_s = protections.budget_s(CALL_S) + LEASE_EXTRA_S
        while True:
            # After failures one row goes first: a batch would find out no more, only more expensively.
            limit = BATCH if self.breaker.state is State.CLOSED else 1
            works: list[Work] = []
            if self.breaker.ready():
                try:
                    works = await self._outbox.claim(limit, lease_s=lease_s)
                except DatabaseUnavailableError as error:
                    log.warning("outbox: %s", error)
                    await asyncio.sleep(BACKOFF_FIRST_S)
            if works and self.breaker.allows():
                await asyncio.gather(*(self._settle(work) for work in works))
            else:
                await asyncio.sleep(IDLE_S)

    async def _settle(self, work: Work) -> None:
        # The order's own id is the key, the same in every try and after a restart.
        key = work.order_id if protections.on("idempotency") else str(uuid.uuid4())
        try:
            try:
                receipt = await self._call(work, key)
            except GatewayError:
                self.breaker.failure()
                await self._outbox.put_off(work, _delay_s(work.tries))
            else:
                self.breaker.success()
                await self._outbox.done(work, receipt)
        except DatabaseUnavailableError as error:
            # The lease runs out and the row comes due again; the key makes the repeat harmless.
            log.warning("order %s: %s", work.order_id, error)


def _delay_s(tries: int) -> float:
    if not protections.on("retries"):
        return SWEEP_S
    return backoff.delay_s(tries, first_s=BACKOFF_FIRST_S, longest_s=BACKOFF_LONGEST_S)
