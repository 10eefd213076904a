"""The port the shop calls: it misbehaves as the current fault says, and can be closed altogether.

*refuse* at 100 percent closes the listening socket and resets what is open; `refusal` says how later connections are
refused then, and counted.
"""

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox import settings
from sandbox.serve import BACKLOG, SHUTDOWN_S
from sandbox.third_party.fault import Fault, Mode
from sandbox.third_party.refusal import Refusal, refusal, reset

log = logging.getLogger(__name__)


class PublicPort:
    """Serves `app` at `address`, under at most one fault at a time."""

    def __init__(self, app: web.Application, address: settings.Address) -> None:
        app.middlewares.append(self._misbehave)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
        self._address = address
        self._site: web.TCPSite | None = None
        self._fault: Fault | None = None
        self._since = 0.0
        self._expiry: asyncio.TimerHandle | None = None
        self._refusal: Refusal | None = None
        self._changing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, stack: AsyncExitStack) -> None:
        """Serves until the stack closes; OSError where the address cannot be had."""
        await self._runner.setup()
        stack.push_async_callback(self._runner.cleanup)
        stack.callback(self._end_waiting)  # requests that hang would otherwise delay the end
        await self._listen()

    async def set_fault(self, fault: Fault) -> None:
        """Puts `fault` in place of any earlier one; it ends by itself after its `expires_s`."""
        await self.clear_fault()
        async with self._changing:
            loop = asyncio.get_running_loop()
            self._fault, self._since = fault, loop.time()
            self._expiry = loop.call_later(fault.expires_s, self._expire, fault)
            if self._closes(fault):
                await self._refuse()
        log.warning("fault %s on %g percent of requests for at most %g s", fault.mode, fault.percent, fault.expires_s)

    async def clear_fault(self) -> None:
        """Ends the fault if there is one; twice is harmless."""
        async with self._changing:
            fault = self._fault
            if fault is None or fault.ended.is_set():
                return
            if self._expiry is not None:
                self._expiry.cancel()
            if self._refusal is not None:
                await self._refusal.end()
                fault.seen = fault.affected = self._refusal.count()
                self._refusal = None
            if self._closes(fault):
                await self._listen()
            fault.ended.set()
        log.warning("fault %s ended, %d requests hit", fault.mode, fault.affected)

    def state(self) -> dict[str, Any]:
        """The fault as JSON: its mode (None when there is none), requests seen and hit, seconds since it was set."""
        fault = self._fault
        if fault is None:
            return {"mode": None, "seen": 0, "affected": 0, "since_s": None}
        lasting = not fault.ended.is_set()
        if lasting and self._refusal is not None:
            fault.seen = fault.affected = self._refusal.count()
        since_s = round(asyncio.get_running_loop().time() - self._since, 3)
        return {
            "mode": fault.mode if lasting else None,
            "seen": fault.seen,
            "affected": fault.affected,
            "since_s": since_s,
        }

    @staticmethod
    def _closes(fault: Fault) -> bool:
        return fault.mode is Mode.REFUSE and fault.percent >= 100

    def _expire(self, fault: Fault) -> None:
        if fault is self._fault:
            task = asyncio.get_running_loop().create_task(self.clear_fault())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _end_waiting(self) -> None:
        if self._fault is not None:
            self._fault.ended.set()

    async def _listen(self) -> None:
        self._site = web.TCPSite(
            self._runner, self._address.host, self._address.port, backlog=BACKLOG, reuse_address=True
        )
        await self._site.start()

    async def _refuse(self) -> None:
        assert self._site is not None
        await self._site.stop()
        assert self._runner.server is not None
        for connection in self._runner.server.connections:
            reset(connection.transport)
        await asyncio.sleep(0.01)  # the loop closes aborted sockets in its next rounds; those resets are not refusals
        refusing = refusal(self._address)
        await refusing.begin()
        self._refusal = refusing

    @web.middleware
    async def _misbehave(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        fault = self._fault
        if fault is None or fault.ended.is_set() or request.path == "/healthz" or not fault.hits():
            return await handler(request)
        match fault.mode:
            case Mode.ERROR:
                return web.json_response({"error": "temporarily unavailable"}, status=503)
            case Mode.SLOW:
                await asyncio.sleep(fault.delay_ms / 1000)
                return await handler(request)
            case Mode.REPLY_LOST:
                await handler(request)
            case Mode.HANG:
                await fault.ended.wait()
            case Mode.REFUSE:
                pass
        reset(request.transport)
        return web.Response(status=503)  # goes nowhere: the connection is gone
