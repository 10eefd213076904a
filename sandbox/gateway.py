"""HTTP client of the two third parties: charge an order, book its shipment, ask what was charged.

Each call has a time budget. A failure says whether the third party may have done the work all the same: after a
time-out or a broken connection nobody knows, and only a call with the same key finds out safely.
"""

from typing import Any

import aiohttp

from sandbox import protections, settings

CONNECT_S = 0.5


class GatewayError(Exception):
    """A third party did not do what it was asked. `maybe_done` says whether it may have, all the same."""

    def __init__(self, why: str, *, maybe_done: bool) -> None:
        super().__init__(why)
        self.maybe_done = maybe_done


class Gateway:
    """One third party, `payments` or `shipping`; every call may take `budget_s` seconds."""

    def __init__(self, service: str, *, budget_s: float) -> None:
        self._service = service
        self._url = settings.address(service, "http").url
        timeout = aiohttp.ClientTimeout(
            total=protections.budget_s(budget_s), sock_connect=protections.budget_s(CONNECT_S)
        )
        self._session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0))

    async def charge(self, order_id: str, amount_cents: int, *, key: str) -> str:
        """Charges an order; returns the charge's id, that of the first charge if the key was used before."""
        asked = {"order_id": order_id, "amount_cents": amount_cents}
        return str((await self._call("POST", "/charges", key=key, json=asked))["charge_id"])

    async def charge_of(self, order_id: str) -> str | None:
        """The id of a charge made for the order, if there is one."""
        charges = await self._call("GET", f"/charges/{order_id}")
        return str(charges[0]["charge_id"]) if charges else None

    async def book(self, order_id: str, *, key: str) -> str:
        """Books an order's shipment; returns the shipment's id."""
        return str((await self._call("POST", "/shipments", key=key, json={"order_id": order_id}))["shipment_id"])

    async def close(self) -> None:
        """Closes the connections."""
        await self._session.close()

    async def _call(self, method: str, path: str, *, key: str = "", json: Any = None) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        try:
            async with self._session.request(method, self._url + path, headers=headers, json=json) as reply:
                if reply.status not in (200, 201):
                    raise GatewayError(f"{self._service} answered {reply.status}", maybe_done=reply.status >= 500)
                return await reply.json()
        except aiohttp.ClientConnectorError as error:
            raise GatewayError(f"{self._service}: {error}", maybe_done=False) from None
        except (TimeoutError, aiohttp.ClientError) as error:
            raise GatewayError(f"{self._service}: {str(error) or type(error).__name__}", maybe_done=True) from None
