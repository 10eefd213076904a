"""Tries a request on the storefronts: a time-out for each try, another storefront for the next, a budget for all.

Every request the storefronts take is safe to repeat: reading is, the cart lives in the request's own cookie, and an
order carries an idempotency key. Only what was not answered is tried again; an answered error is an answer, and
repeating it would add load where there is too much. Bodies are held in memory, so they are small by rule; streaming is
left out.
"""

import asyncio

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from sandbox import backoff, protections
from sandbox.edge import refusals
from sandbox.edge.balancer import Balancer, Storefront
from sandbox.edge.limits import RetryBudget

TRY_S = 0.8
CONNECT_S = 0.25
ALL_TRIES_S = 2.0
TRIES_MAX = 3
BACKOFF_FIRST_S = 0.02
BACKOFF_LONGEST_S = 0.1
BODY_BYTES_MAX = 64 * 1024

_PASS_ON = ("Accept", "Content-Type", "Cookie", "Idempotency-Key", "If-None-Match", "User-Agent")
_PASS_BACK = ("Content-Type", "Set-Cookie", "Location", "Cache-Control", "ETag", "Retry-After")


class Forwarder:
    """Passes requests on, and the answers back."""

    def __init__(self, balancer: Balancer, session: aiohttp.ClientSession) -> None:
        self._balancer = balancer
        self._session = session
        self._retries = RetryBudget()

    async def forward(self, request: web.Request) -> web.Response:
        """The first answer a storefront gives, or a refusal in plain words when there is none in time."""
        body = await request.read()
        self._retries.earn()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + protections.budget_s(ALL_TRIES_S)
        storefronts = self._balancer.order()
        tries = TRIES_MAX if protections.on("retries") else 1
        maybe_done = False
        for number in range(tries):
            left_s = deadline - loop.time()
            if left_s <= 0:
                break
            storefront = storefronts[number % len(storefronts)]
            try:
                return await self._ask(storefront, request, body, min(protections.budget_s(TRY_S), left_s))
            except aiohttp.ClientConnectorError:
                pass  # nothing was sent
            except aiohttp.ConnectionTimeoutError:
                storefront.timed_out()
            except TimeoutError:
                storefront.timed_out()
                maybe_done = True
                if not self._retries.spend():
                    break
            except aiohttp.ClientError:
                maybe_done = True
            if number + 1 < tries:
                await asyncio.sleep(backoff.delay_s(number + 1, first_s=BACKOFF_FIRST_S, longest_s=BACKOFF_LONGEST_S))
        return refusals.no_answer(request, maybe_done=maybe_done)

    async def _ask(self, storefront: Storefront, request: web.Request, body: bytes, budget_s: float) -> web.Response:
        headers = CIMultiDict((name, request.headers[name]) for name in _PASS_ON if name in request.headers)
        headers["X-Forwarded-For"] = request.remote or ""
        timeout = aiohttp.ClientTimeout(total=budget_s, sock_connect=protections.budget_s(CONNECT_S))
        async with self._session.request(
            request.method,
            _target(storefront, request),
            headers=headers,
            data=body or None,
            timeout=timeout,
            allow_redirects=False,
        ) as reply:
            content = await reply.read()
            back = CIMultiDict((name, value) for name, value in reply.headers.items() if name in _PASS_BACK)
            storefront.answered()
            return web.Response(status=reply.status, body=content, headers=back)


def _target(storefront: Storefront, request: web.Request) -> URL:
    """The same path at the storefront. Built from parts, so that no odd request line can name another host."""
    address = storefront.address
    asked = request.rel_url
    return URL.build(
        scheme="http",
        host=address.host,
        port=address.port,
        path=asked.raw_path,
        query_string=asked.raw_query_string,
        encoded=True,
    )
