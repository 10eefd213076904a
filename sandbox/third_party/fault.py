"""The fault a third party was told to have: which requests it hits, how many it hit, and when it ends by itself.

The end is kept on a monotonic clock by the third party, so that a fault ends even if whoever set it is gone. What was
seen and hit stays readable after the end, until the next fault is set.
"""

import asyncio
import random
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Mode(StrEnum):
    """What happens to a request that is hit."""

    REFUSE = "refuse"  # at 100 percent the port is closed; below, the connection is reset
    HANG = "hang"  # no answer while the fault lasts
    ERROR = "error"  # 503
    SLOW = "slow"  # the answer comes after delay_ms
    REPLY_LOST = "reply_lost"  # the work is done, then the connection is reset


@dataclass
class Fault:
    """One fault from its setting to its end."""

    mode: Mode
    percent: float
    delay_ms: float
    expires_s: float
    seed: int
    seen: int = 0
    affected: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def hits(self) -> bool:
        """Draws whether the next request is hit, and counts it."""
        self.seen += 1
        hit = self._random.random() * 100.0 < self.percent
        self.affected += hit
        return hit


def parse(given: Any) -> Fault:
    """The fault described by a control call's JSON; ValueError that says what is allowed."""
    if not isinstance(given, dict):
        raise ValueError("the body must be a JSON object")
    limits = {"percent": (0.0, 100.0), "delay_ms": (0.0, 600_000.0), "expires_s": (0.0, 3600.0)}
    unknown = set(given) - {"mode", "seed", *limits}
    if unknown:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}; allowed: mode, seed, {', '.join(limits)}")
    if given.get("mode") not in list(Mode):
        raise ValueError(f"mode must be one of: {', '.join(Mode)}")
    numbers: dict[str, float] = {}
    for name, (least, most) in limits.items():
        if name in given:
            value = given[name]
            if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
                raise ValueError(f"{name} must be a number from {least:g} to {most:g}")
            numbers[name] = value
    seed = given.get("seed", 0)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ValueError("seed must be a whole number")
    return Fault(
        Mode(given["mode"]),
        percent=numbers.get("percent", 100.0),
        delay_ms=numbers.get("delay_ms", 3000.0),
        expires_s=numbers.get("expires_s", 60.0),
        seed=seed,
    )
