"""The load against a real server: its rate, how it takes each bad manner, and what it writes down."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import time
from collections import Counter
from pathlib import Path

import pytest

from chaos.load.appender import Appender
from chaos.load.generator import Generator
from chaos.load.history import Operation, read
from chaos.load.schedule import schedule
from chaos.load.spec import LoadSpec
from chaos.load.summary import LoadResult
from tests.load.conftest import SmallShop, Spec, Start

LAG_S_MAX = 0.25  # of one operation on a busy machine; a generator that waits for replies would be later by far


def _results(operations: list[Operation]) -> Counter[tuple[str, str | None]]:
    return Counter((one.result, one.error) for one in operations)


def _latency_s(operation: Operation) -> float:
    assert operation.end is not None
    return operation.end - operation.due


def _run(start: Start, spec: LoadSpec, seconds: float, drain_s: float = 5.0) -> tuple[LoadResult, list[Operation]]:
    load = start(spec)
    time.sleep(seconds)
    result = load.stop(drain_s)
    return result, list(read(spec.history))


def test_rates_are_honoured_and_the_history_is_complete(small_shop: SmallShop, spec: Spec, start: Start) -> None:
    load = start(spec(small_shop.url, orders_per_s=60.0, browse_per_s=30.0))
    time.sleep(2.0)
    result = load.stop(5.0)
    summaries = load.poll()
    history = list(read(spec("").history))
    orders = [one for one in history if one.kind == "orders"]
    pages = [one for one in history if one.kind == "browse"]
    assert 105 <= len(orders) <= 150  # 2 s, and a little for starting and stopping
    assert len(pages) == pytest.approx(len(orders) / 2, abs=3)
    assert _results(history) == {("ok", None): len(history)}
    assert (result.sent, result.overloaded) == (len(history), 0)
    assert result.complete
    assert sorted(one.op for one in history) == list(range(len(history)))
    for one in history:
        assert one.sent is not None and one.end is not None
        assert one.due <= one.sent < one.end
    assert result.lag_p99_s < LAG_S_MAX

    # what the shop saw is what the history says
    assert {one.key for one in orders} == {order["key"] for order in small_shop.orders}
    assert len(small_shop.orders) == len(orders)
    asked = {order["key"]: order["lines"] for order in small_shop.orders}
    for one in orders:
        assert [line._asdict() for line in one.lines] == asked[one.key]
        assert one.status == 201 and one.order_id == f"order-{one.amount_cents}"
    assert Counter(one.path for one in pages) == Counter(small_shop.pages)

    # and what the summaries say
    for kind, operations in (("orders", orders), ("browse", pages)):
        assert sum(summary.streams[kind].ok for summary in summaries) == len(operations)
    steps = [later.t - earlier.t for earlier, later in itertools.pairwise(summaries[:-1])]
    assert sum(steps) / len(steps) == pytest.approx(0.25, abs=0.05)


def test_a_slow_shop_does_not_slow_the_schedule(small_shop: SmallShop, spec: Spec, start: Start) -> None:
    small_shop.manners = "slow"
    result, history = _run(start, spec(small_shop.url), 1.0)
    assert len(history) >= 100  # 120/s for 1 s; had each waited for the last, there would be 3
    assert result.lag_p99_s < LAG_S_MAX
    assert all(one.result == "ok" and _latency_s(one) >= SmallShop.SLOW_S for one in history)


def test_what_hangs_is_unknown_after_the_time_out(small_shop: SmallShop, spec: Spec, start: Start) -> None:
    small_shop.manners = "hang"
    _, history = _run(start, spec(small_shop.url, timeout_s=0.5), 0.8)
    assert len(history) >= 75
    assert _results(history) == {("unknown", "timeout"): len(history)}
    assert all(0.5 <= _latency_s(one) < 1.5 for one in history)


def test_what_is_outstanding_after_draining_is_unknown(small_shop: SmallShop, spec: Spec, start: Start) -> None:
    small_shop.manners = "hang"
    began = time.monotonic()
    _, history = _run(start, spec(small_shop.url), 0.5, drain_s=0.3)
    assert time.monotonic() - began < 5.0  # the time-out of the requests, which was not waited for
    assert _results(history) == {("unknown", "stopped"): len(history)}
    assert history


@pytest.mark.parametrize(
    ("manners", "result", "error"),
    [
        ("reset", "unknown", "connection reset"),
        ("close", "unknown", "connection closed"),
        ("error", "failed", "503"),
    ],
)
def test_bad_replies(small_shop: SmallShop, spec: Spec, start: Start, manners: str, result: str, error: str) -> None:
    small_shop.manners = manners
    _, history = _run(start, spec(small_shop.url), 0.5)
    assert len(history) >= 40
    assert _results(history) == {(result, error): len(history)}
    assert len(small_shop.came) == len(history)  # nothing was tried twice


def test_a_yes_that_names_no_order_is_unknown(small_shop: SmallShop, spec: Spec, start: Start) -> None:
    small_shop.manners = "garbage"
    _, history = _run(start, spec(small_shop.url, browse_per_s=0.0), 0.5)
    assert _results(history) == {("unknown", "unreadable reply"): len(history)}


def test_kept_alive_connections_that_break_are_not_hidden(small_shop: SmallShop, spec: Spec, start: Start) -> None:
    """A GET on a connection that served before is what an HTTP library would repeat by itself."""
    load = start(spec(small_shop.url, orders_per_s=0.0, browse_per_s=80.0))
    time.sleep(0.4)
    small_shop.manners = "close"
    time.sleep(0.4)
    small_shop.manners = "ok"
    time.sleep(0.4)
    load.stop(5.0)
    history = list(read(spec("").history))
    broken = [one for one in history if one.error == "connection closed"]
    assert len(broken) >= 15
    assert len(small_shop.came) == len(history)
    assert all(one.result == "ok" for one in history if one not in broken)


def test_refused_connections_failed(spec: Spec, start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result, history = _run(start, spec(f"http://127.0.0.1:{port}"), 0.5)
    assert len(history) >= 15
    assert _results(history) == {("failed", "connection refused"): len(history)}
    assert result.complete


def test_latency_counts_from_the_due_time(small_shop: SmallShop, spec: Spec, start: Start) -> None:
    """A generator that was stopped for a second sends what came due meanwhile at once, and says how late that was."""
    load = start(spec(small_shop.url))
    time.sleep(0.3)
    os.kill(load.pid, signal.SIGSTOP)
    time.sleep(1.0)
    os.kill(load.pid, signal.SIGCONT)
    time.sleep(0.3)
    result = load.stop(5.0)
    history = list(read(spec("").history))
    assert len(history) >= 170  # of 192: none was left out
    late = [one for one in history if one.sent is not None and one.sent - one.due > 0.5]
    assert 40 <= len(late) <= 90  # those of the first half of the pause, at 120/s
    assert all(_latency_s(one) > 0.5 for one in late)
    assert 0.8 < result.lag_p99_s < 2.0


def test_the_same_seed_sends_the_same(small_shop: SmallShop, spec: Spec, start: Start) -> None:
    planned = spec(small_shop.url, seed=7)
    _, history = _run(start, planned, 0.5)
    for one, due in zip(sorted(history, key=lambda one: one.op), schedule(planned), strict=False):
        assert (one.kind, one.key or "", one.lines, one.path or "") == (due.kind, due.key, due.lines, due.path)


def test_beyond_its_limit_the_generator_says_that_it_is_overloaded(
    small_shop: SmallShop, spec: Spec, tmp_path: Path
) -> None:
    small_shop.manners = "hang"
    planned = spec(small_shop.url)

    async def overload() -> LoadResult:
        with planned.history.open("xb", buffering=0) as file:
            history = Appender(file.fileno(), lambda error: None)
            generator = Generator(planned, history, in_flight_max=3)
            sending = asyncio.create_task(generator.send())
            await asyncio.sleep(0.6)
            sending.cancel()
            await generator.drain(0.0)
            await generator.close()
            history.close()
            return generator.result()

    result = asyncio.run(overload())
    found = _results(list(read(planned.history)))
    assert found["unknown", "stopped"] == 3
    assert found["failed", "generator overloaded"] == result.overloaded >= 40
    assert result.sent == 3
    assert not result.complete
