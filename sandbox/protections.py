"""The shop's protections, each of which can be switched off by name in `SHOP_WEAK`.

A switched-off protection is a real code path: the shop then behaves like one that was built without it. What each does,
and what happens without it, stands in `shop.yaml`.
"""

import os

NAMES = frozenset(
    {
        "idempotency",
        "timeouts",
        "retries",
        "circuit_breaker",
        "deferral",
        "replica_fallback",
        "health_checks",
        "truthful_status",
        "plain_errors",
    }
)

UNBOUNDED_S = 30.0
"""What every time budget becomes without `timeouts`: long enough to hurt, short enough for a run to end."""

_WEAK = frozenset(filter(None, os.environ.get("SHOP_WEAK", "").replace(" ", "").split(",")))
if _WEAK - NAMES:
    raise SystemExit(
        f"SHOP_WEAK: no such protection: {', '.join(sorted(_WEAK - NAMES))}; there are: {', '.join(sorted(NAMES))}"
    )


def on(name: str) -> bool:
    """Whether the protection is on, as it is unless `SHOP_WEAK` names it."""
    assert name in NAMES, name
    return name not in _WEAK


def budget_s(seconds: float) -> float:
    """The time a step may take, in seconds: as asked, or `UNBOUNDED_S` without `timeouts`."""
    return seconds if on("timeouts") else UNBOUNDED_S
