"""The cache in front of product reads: Valkey, short-lived entries, and a budget so short that losing it costs only
speed.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import valkey.asyncio as valkey
from valkey.exceptions import ValkeyError

from sandbox import protections, settings
from sandbox.breaker import Breaker

BUDGET_S = 0.05
LIFE_S = 2


class ProductCache:
    """JSON values by name."""

    def __init__(self) -> None:
        address = settings.address("cache", "valkey")
        budget_s = protections.budget_s(BUDGET_S)
        self._client = valkey.Valkey(
            host=address.host, port=address.port, socket_timeout=budget_s, socket_connect_timeout=budget_s
        )
        self._breaker = Breaker("cache")

    async def get_or(self, name: str, load: Callable[[], Awaitable[Any]]) -> Any:
        """The cached value, or what `load` returns, which is then kept for `LIFE_S` seconds."""
        found = await self._ask(self._client.get(name)) if self._breaker.allows() else None
        if found is not None:
            return json.loads(found)
        value = await load()
        if self._breaker.ready():
            await self._ask(self._client.set(name, json.dumps(value), ex=LIFE_S))
        return value

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def _ask(self, command: Awaitable[Any]) -> Any:
        try:
            answer = await command
        except (ValkeyError, OSError):
            self._breaker.failure()
            return None
        self._breaker.success()
        return answer
