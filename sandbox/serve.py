"""Runs a service: opens what it needs, serves until SIGTERM or SIGINT, closes in reverse order within two seconds."""

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from aiohttp import web

from sandbox import settings

SHUTDOWN_S = 1.0
"""How long requests in flight may still take once the service was told to end."""

BACKLOG = 512


def run(start: Callable[[AsyncExitStack], Awaitable[None]]) -> None:
    """Runs the service that `start` sets up; whatever it puts on the stack is closed at the end."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format=f"{settings.service()} %(levelname)s %(message)s")
    asyncio.run(_until_told(start))


async def listen(app: web.Application, address: settings.Address, stack: AsyncExitStack) -> web.AppRunner:
    """Serves `app` at `address` until the stack closes; OSError where the address cannot be had."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, address.host, address.port, backlog=BACKLOG).start()
    return runner


async def spawn(work: Awaitable[None], stack: AsyncExitStack) -> None:
    """Runs `work` beside the service until the stack closes. Should it fail, the service ends and says why."""

    async def watched() -> None:
        try:
            await work
        except Exception:
            # A service that lost its background work looks alive and is not; better that it is seen to die.
            logging.getLogger(__name__).critical("background work failed", exc_info=True)
            signal.raise_signal(signal.SIGTERM)

    task = asyncio.create_task(watched())

    async def stop() -> None:
        task.cancel()
        await asyncio.wait({task})

    stack.push_async_callback(stop)


async def _until_told(start: Callable[[AsyncExitStack], Awaitable[None]]) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with AsyncExitStack() as stack:
        await start(stack)
        await told.wait()
