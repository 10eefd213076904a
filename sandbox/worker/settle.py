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
IDLE_S = 0.1
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
        away = False
        while True:
            try:
                settled = await self._settle_some()
            except DatabaseUnavailableError as error:
                # What was done but not noted comes due again when its lease ends; the key makes the repeat harmless.
                if not away:
                    log.warning("waiting for the outbox: %s", error)
                away, settled = True, 0
            else:
                away = False
            if not settled:
                await asyncio.sleep(IDLE_S)

    async def _settle_some(self) -> int:
        """Settles one batch, if the circuit lets it; how many rows it tried."""
        if not self.breaker.ready():
            return 0
        # After failures one row goes first: a batch would find out no more, only more expensively.
        limit = BATCH if self.breaker.state is State.CLOSED else 1
        works = await self._outbox.claim(limit, lease_s=protections.budget_s(CALL_S) + LEASE_EXTRA_S)
        if not works or not self.breaker.allows():
            return 0
        answers = await asyncio.gather(*(self._try(work) for work in works))
        receipts = {work.order_id: answer for work, answer in zip(works, answers, strict=True) if answer is not None}
        failed = {work.row: _delay_s(work.tries) for work, answer in zip(works, answers, strict=True) if answer is None}
        if receipts:
            await self._outbox.done(receipts)
        if failed:
            await self._outbox.put_off(failed)
        return len(works)

    async def _try(self, work: Work) -> str | None:
        """The third party's receipt, or None if it did not say that the work is done."""
        # The order's own id is the key, the same in every try and after a restart.
        key = work.order_id if protections.on("idempotency") else str(uuid.uuid4())
        try:
            receipt = await self._call(work, key)
        except GatewayError:
            self.breaker.failure()
            return None
        self.breaker.success()
        return receipt


def _delay_s(tries: int) -> float:
    if not protections.on("retries"):
        return SWEEP_S
    return backoff.delay_s(tries, first_s=BACKOFF_FIRST_S, longest_s=BACKOFF_LONGEST_S)
