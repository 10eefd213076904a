"""A shop that stands by itself, with faults of a real `chaos run` on, to which it is a user's own project.

So it stays when that run is killed, and can be compared with how it looked before.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import requests

from tests.docker.composed_shop import FILE, ComposedShop
from tests.docker.injuries import Look, look
from tests.docker.running import Running, write

HEALED_WITHIN_S = 5.0
LONG = "60s"
PAGES = "edge:8080/healthz"
PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "network.latency": {"delay": "200ms"},
    "network.loss": {"percent": "50%"},
    "payment.outage": {"mode": "error"},
    "proxy.latency": {"latency": "200ms"},
    "proxy.bandwidth": {"rate": "10kB/s"},
    "proxy.slow_close": {"delay": "2s"},
    "proxy.limit": {"bytes": "100B"},
    "proxy.slice": {"size": "64B"},
    "resource.cpu": {"percent": "10%"},
    "resource.memory": {"limit": "100MB"},
}
TARGETS = {"process": "worker", "network": "cache", "proxy": "payments", "resource": "worker", "payment": "payments"}


def act(word: str, target: str) -> dict[str, Any]:
    """One entry of the method."""
    parameters = PARAMETERS.get(word, {})
    return {"fault": word, "target": target, **({"with": parameters} if parameters else {}), "for": LONG}


def open_proxies(shop: ComposedShop) -> None:
    """Two proxies of the shop's manifest; nobody calls through them, but they can be told to misbehave."""
    proxies = [
        {"name": name, "listen": f"0.0.0.0:{port}", "upstream": f"{name}:8080", "enabled": True}
        for name, port in (("payments", 25005), ("shipping", 25006))
    ]
    requests.post(f"{shop.url('toxiproxy', 8474)}/populate", json=proxies, timeout=5).raise_for_status()


class Injured:
    """The shop with faults of a `chaos run` on, and how it looked before."""

    def __init__(self, base: Path, shop: ComposedShop, acts: Sequence[Mapping[str, Any]]) -> None:
        self._shop = shop
        self.before = self.look()
        sandbox = f"{{compose: {FILE}, project: {shop.project}, toxiproxy: toxiproxy}}"
        self.run = Running(base, write(base / "experiment.yaml", acts, sandbox=sandbox, pages=PAGES))
        try:
            self.run.wait_for("injected", len(acts))
        except BaseException:
            self.run.close()
            raise

    def look(self) -> Look:
        """The shop as it is now."""
        return look(self._shop.engine, self._shop.project)

    def wait_until_healed(self) -> float:
        """How many seconds it took until all was as before; fails with what was not."""
        began = time.monotonic()
        while differences := self.before.differences(self.look()):
            assert time.monotonic() - began < HEALED_WITHIN_S, differences
        return time.monotonic() - began
