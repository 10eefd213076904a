"""Sends each operation when it is due, whatever became of those before it, and writes down how it ended.

One asyncio task per operation in flight, each with a connection of its own while it lasts, so that nothing ever waits
in a queue on this side; nothing is tried twice. Leaves out the talk with the conductor: that is `__main__`.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import aiohttp
from hdrh.histogram import HdrHistogram
from yarl import URL

from chaos.load import outcome
from chaos.load.appender import Appender
from chaos.load.history import OVERLOADED, STOPPED
from chaos.load.outcome import Outcome
from chaos.load.schedule import Due, schedule
from chaos.load.spec import LoadSpec, Stream, fill
from chaos.load.summary import LoadResult, Summary, Tally
from chaos.metrics import ORDERS

IN_FLIGHT_MAX = 5_000
_BELOW_400 = range(400)
_AS_WRITTEN = "!#$%&'()*+,-./:;=?@[]_~"  # in a path; only what no URL can hold is quoted, such as letters with accents
_LAG_US_MAX = 3_600_000_000
# Idle connections are dropped before common servers drop them (uvicorn after 5 s), or else a request could meet a
# connection that is just being closed, and count as unknown without any fault.
_KEEP_ALIVE_S = 4.0


class _Broken(Exception):
    """A request that broke, in a type that aiohttp does not know and so cannot take for a reason to send it again."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


async def _never_again(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    # aiohttp repeats a GET by itself when a kept-alive connection breaks under it; a customer's failure would vanish.
    try:
        return await send(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _Broken(error) from error


class Generator:
    """The load of one run; create, `send`, `drain` and `close` it on one event loop."""

    def __init__(self, spec: LoadSpec, history: Appender, *, in_flight_max: int = IN_FLIGHT_MAX) -> None:
        self._spec = spec
        self._history = history
        self._in_flight_max = in_flight_max
        self._in_flight: set[asyncio.Task[None]] = set()
        self._broke: BaseException | None = None
        self._streams = {stream.name: stream for stream in spec.http}
        self._urls = {stream.name: stream.url for stream in spec.http}
        self._tallies = {kind: Tally() for kind in spec.rates}
        self._lag_us = HdrHistogram(1, _LAG_US_MAX, 3)
        self._sent = 0
        self._overloaded = 0
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_S),
            # aiohttp rounds time-outs from 5 s upwards to whole seconds of its clock unless told not to
            timeout=aiohttp.ClientTimeout(total=spec.timeout_s, ceil_threshold=math.inf),
            cookie_jar=aiohttp.DummyCookieJar(),  # each request is another customer's
            middlewares=[_never_again],
        )

    async def send(self) -> None:
        """Sends operations from now on until cancelled; raises what broke the generator itself, if anything does."""
        began = time.monotonic()
        for due in schedule(self._spec):
            # also when late, so that the event loop gets to serve the replies
            await asyncio.sleep(max(0.0, began + due.due_s - time.monotonic()))
            if self._broke is not None:
                raise self._broke
            self._launch(due, began + due.due_s)
        await asyncio.Event().wait()  # no traffic asked for: nothing comes due until the run ends

    def move(self, urls: Mapping[str, str]) -> None:
        """From now on the streams of these names are sent to these addresses."""
        self._urls.update(urls)

    async def drain(self, seconds: float) -> None:
        """Waits that long for what is in flight; what still is then ends as unknown, "stopped"."""
        await asyncio.sleep(0)  # a task that is cancelled before it ran could not write down its end
        if self._in_flight and seconds > 0:
            await asyncio.wait(self._in_flight, timeout=seconds)
        left = list(self._in_flight)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if self._broke is not None:
            raise self._broke

    async def close(self) -> None:
        """Closes every connection."""
        await self._session.close()

    def summary(self) -> Summary:
        """What happened since the last one."""
        t = round(time.monotonic() - self._spec.t0, 6)
        return Summary(t, {kind: tally.take() for kind, tally in self._tallies.items()})

    def result(self) -> LoadResult:
        """The whole load in figures; meant for when all of it has ended."""
        return LoadResult(
            sent=self._sent,
            overloaded=self._overloaded,
            lag_p99_s=self._lag_us.get_value_at_percentile(99) / 1e6,
        )

    def _launch(self, due: Due, due_at: float) -> None:
        asked: dict[str, Any] = {"op": due.op, "kind": due.kind, "due": self._t(due_at)}
        if due.kind == ORDERS:
            lines = [line._asdict() for line in due.lines]
            self._history.put({**asked, "key": due.key, "lines": lines})
        else:
            self._history.put({**asked, "path": due.path})
        if len(self._in_flight) >= self._in_flight_max:
            self._ended(due, due_at, None, Outcome("failed", error=OVERLOADED))
            return
        task = asyncio.create_task(self._perform(due, due_at))
        self._in_flight.add(task)
        task.add_done_callback(self._landed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broke = error

    async def _perform(self, due: Due, due_at: float) -> None:
        sent_at = time.monotonic()
        self._sent += 1
        self._lag_us.record_value(min(max(1, round((sent_at - due_at) * 1e6)), _LAG_US_MAX))
        try:
            ended = await self._do(due)
        except asyncio.CancelledError:  # only `drain` cancels
            ended = Outcome("unknown", error=STOPPED)
        self._ended(due, due_at, sent_at, ended)

    async def _do(self, due: Due) -> Outcome:
        if due.kind in self._streams:
            return await self._request(due, self._streams[due.kind])
        return await (self._order(due) if due.kind == ORDERS else self._browse(due))

    async def _order(self, due: Due) -> Outcome:
        assert self._spec.shape is not None  # or else no order comes due, nor any page
        shape = self._spec.shape.orders
        lines = [line._asdict() for line in due.lines]
        values = {"key": due.key, "lines": lines}
        headers, body = fill(shape.request.headers, values), fill(shape.request.json_, values)
        return await self._ask(
            shape.request.method,
            URL(self._spec.url + shape.request.path, encoded=True),
            lambda status, reply: outcome.of_reply(status, reply, ok=shape.ok, reply=shape.reply),
            headers=headers,
            json=body,
        )

    async def _browse(self, due: Due) -> Outcome:
        assert self._spec.shape is not None
        ok = self._spec.shape.browse.ok
        url = URL(self._spec.url + due.path, encoded=True)
        return await self._ask("GET", url, lambda status, reply: outcome.of_reply(status, reply, ok=ok, reply=None))

    async def _request(self, due: Due, stream: Stream) -> Outcome:
        values = {"n": due.op, "key": due.key}
        texts = {"n": str(due.op), "key": due.key}
        ok = _BELOW_400 if stream.ok is None else stream.ok
        return await self._ask(
            stream.method,
            URL(self._urls[stream.name] + quote(due.path, safe=_AS_WRITTEN), encoded=True),
            lambda status, reply: outcome.of_reply(status, reply, ok=ok, reply=None),
            headers=fill(stream.headers, texts),
            json=fill(stream.json_, values),
            data=fill(stream.body, texts),
        )

    async def _ask(self, method: str, url: URL, meaning: Callable[[int, bytes], Outcome], **request: Any) -> Outcome:
        try:
            async with self._session.request(method, url, allow_redirects=False, **request) as response:
                return meaning(response.status, await response.read())
        except _Broken as broken:
            return outcome.of_error(broken.error)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return outcome.of_error(error)

    def _ended(self, due: Due, due_at: float, sent_at: float | None, ended: Outcome) -> None:
        end_at = time.monotonic() if sent_at is not None else due_at
        self._overloaded += ended.error == OVERLOADED
        self._tallies[due.kind].ended(ended.result, end_at - due_at)
        told = {
            "sent": None if sent_at is None else self._t(sent_at),
            "result": ended.result,
            "status": ended.status,
            "error": ended.error,
            "order_id": ended.order_id,
            "amount_cents": ended.amount_cents,
        }
        record = {"op": due.op, "end": self._t(end_at)}
        self._history.put(record | {name: value for name, value in told.items() if value is not None})

    def _t(self, at: float) -> float:
        return round(at - self._spec.t0, 6)
