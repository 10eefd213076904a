"""What the edge lets in: a rate for each client, a number of requests under way, and a share of retries.

Browsing has a smaller number than the whole, so that an overload turns browsing away before checkout. Limits are
generous: they are there for a flood, not for a busy day.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

CLIENT_RATE = 1000.0
"""Requests a second that one client address may send, lasting."""
CLIENT_BURST = 2000.0
CLIENTS_REMEMBERED = 10_000

BROWSING_MAX = 32
ALL_MAX = 96
"""More than this under way means that answers take far too long already; a prompt refusal is kinder than a time-out."""

RETRY_SHARE = 0.2
RETRIES_SAVED_MAX = 60.0


class TooBusyError(Exception):
    """As many requests of this sort are under way as are allowed."""


class ClientRates:
    """A token bucket for each client address."""

    def __init__(
        self,
        *,
        rate: float = CLIENT_RATE,
        burst: float = CLIENT_BURST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, client: str) -> bool:
        """Whether the client may send one more request now."""
        now = self._clock()
        tokens, then = self._buckets.pop(client, (self._burst, now))
        tokens = min(self._burst, tokens + (now - then) * self._rate)
        allowed = tokens >= 1
        self._buckets[client] = (tokens - allowed, now)  # put last: the first is then the one longest unseen
        if len(self._buckets) > CLIENTS_REMEMBERED:
            del self._buckets[next(iter(self._buckets))]
        return allowed


class UnderWay:
    """Counts requests under way, browsing and all."""

    def __init__(self, *, browsing_max: int = BROWSING_MAX, all_max: int = ALL_MAX) -> None:
        self._browsing_max = browsing_max
        self._all_max = all_max
        self._browsing = 0
        self._all = 0

    @contextmanager
    def one(self, *, browsing: bool) -> Iterator[None]:
        """Holds a place for one request; TooBusyError when there is none."""
        if self._all >= self._all_max or (browsing and self._browsing >= self._browsing_max):
            raise TooBusyError
        self._all += 1
        self._browsing += browsing
        try:
            yield
        finally:
            self._all -= 1
            self._browsing -= browsing


class RetryBudget:
    """Retries after time-outs, as a share of all requests.

    A time-out may mean that the storefronts are overloaded, and then every retry makes it worse. Some are saved up, so
    that a storefront that hangs is made up for while it is being found out.
    """

    def __init__(self) -> None:
        self._saved = RETRIES_SAVED_MAX

    def earn(self) -> None:
        """One request came in."""
        self._saved = min(RETRIES_SAVED_MAX, self._saved + RETRY_SHARE)

    def spend(self) -> bool:
        """Whether one more retry is within the budget."""
        if self._saved < 1:
            return False
        self._saved -= 1
        return True
