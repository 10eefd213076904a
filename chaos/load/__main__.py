"""The load's process, `python -m chaos.load`: told what to do over stdin, tells what happens over stdout.

In, one JSON object a line: the spec, `{"do": "begin"}`, `{"do": "move", "urls": {"read": …}}` where a stream has got
another address, `{"do": "stop", "drain_s": 5.0}`. A stdin that closes means that the conductor died: sending stops at
once, as on SIGTERM. Out: `{"ready": true}`, a summary every 250 ms, `{"result": …}` at the end, or `{"error": …,
"remedy": …}` and exit code 1. Leaves out what is sent and when.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import resource
import signal
import sys
from typing import Any

from chaos.errors import ChaosError, SandboxError
from chaos.load.appender import Appender
from chaos.load.generator import IN_FLIGHT_MAX, Generator
from chaos.load.spec import LoadSpec
from chaos.load.summary import EVERY_S

_NICENESS = -10
_DESCRIPTORS_SPARE = 100  # for everything but connections
_MESSAGE_BYTES_MAX = 16 * 2**20  # a spec may list many goods


class _Orders:
    """What the conductor said so far."""

    def __init__(self) -> None:
        self.begin = asyncio.Event()
        self.stop: asyncio.Future[float] = asyncio.get_running_loop().create_future()  # how long to drain, in seconds

    def stop_now(self, error: Exception | None = None) -> None:
        """Ends the load without draining, and with an error if one is given; the first reason counts."""
        if self.stop.done():
            return
        if error is None:
            self.stop.set_result(0.0)
        else:
            self.stop.set_exception(error)

    async def listen(self, stdin: asyncio.StreamReader, generator: Generator) -> None:
        """Takes orders until stdin closes."""
        while message := await stdin.readline():
            told = json.loads(message)
            if told["do"] == "begin":
                self.begin.set()
            elif told["do"] == "move":
                generator.move(told["urls"])
            elif told["do"] == "stop" and not self.stop.done():
                self.stop.set_result(told["drain_s"])
        self.stop_now()


async def _serve(out: int) -> None:
    loop = asyncio.get_running_loop()
    orders = _Orders()
    loop.add_signal_handler(signal.SIGTERM, orders.stop_now)
    stdin = asyncio.StreamReader(limit=_MESSAGE_BYTES_MAX)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin.buffer)
    conductor = Appender(out, lambda _error: loop.call_soon_threadsafe(orders.stop_now))
    try:
        spec = LoadSpec.model_validate_json(await stdin.readline())
        await _run(spec, orders, stdin, conductor)
    except ChaosError as error:
        conductor.put({"error": error.what, "remedy": error.remedy})
        raise
    finally:
        with contextlib.suppress(BrokenPipeError):  # nobody is left to be told
            conductor.close()


async def _run(spec: LoadSpec, orders: _Orders, stdin: asyncio.StreamReader, conductor: Appender) -> None:
    loop = asyncio.get_running_loop()
    try:
        file = os.open(spec.history, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise _no_history(spec, error) from error
    history = Appender(file, lambda error: loop.call_soon_threadsafe(orders.stop_now, _no_history(spec, error)))
    generator = Generator(spec, history, in_flight_max=_in_flight_max())
    listening = asyncio.create_task(orders.listen(stdin, generator))
    sending = asyncio.create_task(_send(generator, orders))
    reporting = asyncio.create_task(_report(generator, orders, conductor))
    _favour_precision()
    conductor.put({"ready": True})
    try:
        first: list[asyncio.Future[Any]] = [sending, listening, orders.stop]
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        for task in (sending, listening):
            if task.done():
                task.result()  # raises what broke it
        drain_s = orders.stop.result()
        sending.cancel()
        await generator.drain(drain_s)
    finally:
        reporting.cancel()
        await generator.close()
        try:
            history.close()
            os.fsync(file)
            os.close(file)
        except OSError as error:
            raise _no_history(spec, error) from error
    conductor.put(generator.summary().record())
    conductor.put({"result": generator.result().record()})


async def _send(generator: Generator, orders: _Orders) -> None:
    await orders.begin.wait()
    await generator.send()


async def _report(generator: Generator, orders: _Orders, conductor: Appender) -> None:
    await orders.begin.wait()
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        due += EVERY_S
        await asyncio.sleep(max(0.0, due - loop.time()))
        conductor.put(generator.summary().record())


def _no_history(spec: LoadSpec, error: OSError) -> SandboxError:
    return SandboxError(
        f"the load cannot write its history {spec.history}: {error.strerror}",
        remedy="Make room there, or choose another folder for the run; an incomplete history proves nothing.",
    )


def _in_flight_max() -> int:
    """As many operations as there can be connections; the soft limit on descriptors is raised to the hard one."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(IN_FLIGHT_MAX, hard - _DESCRIPTORS_SPARE)


def _favour_precision() -> None:
    """Takes away what delays a request: the garbage collector's long passes, and other processes' turns first."""
    gc.collect()
    gc.freeze()  # the imported modules, four fifths of all objects, are never looked at again
    gc.set_threshold(20_000, 20, 100)
    with contextlib.suppress(OSError):  # refused in a user namespace, even to root: so in the sandbox
        os.nice(_NICENESS)


def main() -> int:
    """Runs until told to stop; returns the exit code."""
    # Whatever prints by accident goes to stderr, so that stdout carries messages alone.
    out = os.dup(1)
    os.dup2(2, 1)
    try:
        asyncio.run(_serve(out))
    except ChaosError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
