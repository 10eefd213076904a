"""A circuit breaker: after failures in a row nobody waits for a broken peer again until a trial shows it mended.

Closed (all pass) → open (none pass, for a time that doubles up to a bound) → half-open (one trial passes) → closed or
open again. Times come from a monotonic clock handed in, so that tests need not wait. It counts failures in a row, not
shares.
"""

import logging
import time
from collections.abc import Callable
from enum import StrEnum

from sandbox import protections

log = logging.getLogger(__name__)


class State(StrEnum):
    """The three states, by the field's words."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """Guards calls to one peer. Ask `allows()` before a call, and report `success()` or `failure()` after it."""

    def __init__(
        self,
        peer: str,
        *,
        failures_max: int = 3,
        open_s: float = 0.5,
        open_max_s: float = 4.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state = State.CLOSED
        self._peer = peer
        self._failures_max = failures_max
        self._open_first_s = open_s
        self._open_max_s = open_max_s
        self._open_s = open_s
        self._clock = clock
        self._failures = 0
        self._trial_at = 0.0

    def ready(self) -> bool:
        """Whether `allows()` would say yes, without taking the trial."""
        return self.state is State.CLOSED or self._clock() >= self._trial_at

    def allows(self) -> bool:
        """Whether a call may go out now. When open time is over, one caller is let through as the trial."""
        if self.state is State.CLOSED:
            return True
        if not self.ready():
            return False
        self.state = State.HALF_OPEN
        # A trial that never reports back (its caller was killed) must not keep the circuit open for ever.
        self._trial_at = self._clock() + self._open_max_s
        return True

    def success(self) -> None:
        """The peer answered."""
        if self.state is not State.CLOSED:
            log.warning("circuit to %s closed", self._peer)
        self.state = State.CLOSED
        self._failures = 0
        self._open_s = self._open_first_s

    def failure(self) -> None:
        """The peer did not answer, or said that it could not serve."""
        if not protections.on("circuit_breaker"):
            return
        self._failures += 1
        if self.state is State.OPEN or (self.state is State.CLOSED and self._failures < self._failures_max):
            return
        if self.state is State.HALF_OPEN:
            self._open_s = min(self._open_s * 2, self._open_max_s)
        else:
            log.warning("circuit to %s open after %d failures in a row", self._peer, self._failures)
        self.state = State.OPEN
        self._trial_at = self._clock() + self._open_s
