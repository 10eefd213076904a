"""A user's own requests against a real server: what is sent, what replies mean, and what is written down."""

from __future__ import annotations

import json
import socket
import time
import uuid
from collections import Counter
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chaos.errors import FaultError
from chaos.load.addresses import Addresses
from chaos.load.history import Operation, read
from chaos.load.schedule import schedule
from chaos.load.spec import LoadSpec, Stream
from chaos.model import HttpLoad, Load
from chaos.targets.base import Target
from tests.load.conftest import SHAPE, SmallShop, Start

READ = {"name": "read", "rate": "40/s"}
WRITE = {
    "name": "write",
    "rate": "20/s",
    "method": "POST",
    "json": {"text": "note {n}", "number": "{n}", "id": "{key}"},
}


def stream(url: str, path: str, **entry: Any) -> Stream:
    """An entry of `load.http` whose service listens at `url`."""
    return Stream.of(HttpLoad.model_validate({"url": f"web{path}", **entry}), url, path)


def own(folder: Path, *streams: Stream, **changes: Any) -> LoadSpec:
    """A load of these alone: no shop, no orders, no pages."""
    standard = {"timeout_s": 5.0, "seed": 1, "history": folder / "history.jsonl", "t0": time.monotonic()}
    return LoadSpec.model_validate({**standard, **changes, "http": list(streams)})


def run(start: Start, spec: LoadSpec, seconds: float = 0.6) -> list[Operation]:
    load = start(spec)
    time.sleep(seconds)
    result = load.stop(5.0)
    history = sorted(read(spec.history), key=lambda one: one.op)
    assert result.sent == len(history) and result.complete
    return history


def test_streams_are_sent_at_their_rates_and_written_down(small_shop: SmallShop, tmp_path: Path, start: Start) -> None:
    spec = own(
        tmp_path, stream(small_shop.url, "/own/200/{n}?k={key}", **READ), stream(small_shop.url, "/own/201", **WRITE)
    )
    load = start(spec)
    time.sleep(2.0)
    result = load.stop(5.0)
    history = sorted(read(spec.history), key=lambda one: one.op)
    summaries = load.poll()
    kinds = Counter(one.kind for one in history)
    assert 70 <= kinds["read"] <= 100  # 2 s, and a little for starting and stopping
    assert kinds["write"] == pytest.approx(kinds["read"] / 2, abs=3)
    assert {one.result for one in history} == {"ok"}
    assert result.sent == len(history) == len(small_shop.asked)
    assert set(summaries[0].streams) == {"read", "write"}
    for kind in ("read", "write"):
        assert sum(summary.streams[kind].ok for summary in summaries) == kinds[kind]

    # what was written down is what came in; the bodies are not written down
    asked = Counter((one.method, one.path) for one in small_shop.asked)
    assert asked == Counter(("GET" if one.kind == "read" else "POST", one.path) for one in history)
    assert "note" not in spec.history.read_text()
    assert {(one.key, one.lines, one.order_id) for one in history} == {(None, (), None)}

    # and every number and key is filled in
    reads = [one for one in history if one.kind == "read"]
    assert [str(one.path).partition("?")[0] for one in reads] == [f"/own/200/{one.op}" for one in reads]
    writes = [json.loads(one.body) for one in small_shop.asked if one.method == "POST"]
    numbers = {one.op for one in history if one.kind == "write"}
    assert {one["number"] for one in writes} == numbers
    assert {one["text"] for one in writes} == {f"note {op}" for op in numbers}
    keys = {one["id"] for one in writes} | {
        one.path.partition("?k=")[2] for one in small_shop.asked if "?k=" in one.path
    }
    assert len(keys) == len(history) and all(uuid.UUID(key) for key in keys)


def test_the_same_seed_sends_the_same(small_shop: SmallShop, tmp_path: Path, start: Start) -> None:
    spec = own(tmp_path, stream(small_shop.url, "/own/200/{key}", **READ), seed=7)
    history = run(start, spec)
    planned = list(islice(schedule(spec), len(history)))
    assert [(one.kind, one.path) for one in history] == [(due.kind, due.path) for due in planned]
    other = spec.model_copy(update={"seed": 8})
    assert planned != list(islice(schedule(other), len(history)))


def test_what_a_request_can_be(small_shop: SmallShop, tmp_path: Path, start: Start) -> None:
    kinds: dict[str, dict[str, Any]] = {
        "form": {
            "method": "PUT",
            "body": "n={n}&k=v",
            "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        },
        "bare": {"method": "DELETE", "headers": {"X-Key": "{key}", "X-Number": "{n}"}},
        "zero": {"method": "PATCH", "json": 0},
        "head": {"method": "HEAD"},
    }
    spec = own(
        tmp_path, *(stream(small_shop.url, f"/own/200/{name}", name=name, rate="10/s", **kinds[name]) for name in kinds)
    )
    history = run(start, spec)
    assert {one.result for one in history} == {"ok"}
    came = {one.path.rpartition("/")[2]: one for one in small_shop.asked}
    assert {name: one.method for name, one in came.items()} == {
        "form": "PUT", "bare": "DELETE", "zero": "PATCH", "head": "HEAD",
    }  # fmt: skip
    ops = {one.kind: str(one.op) for one in history}  # the last of each
    assert came["form"].body == f"n={ops['form']}&k=v"
    assert came["form"].headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert came["bare"].headers["X-Number"] == ops["bare"] and uuid.UUID(came["bare"].headers["X-Key"])
    assert (came["bare"].body, came["zero"].body) == ("", "0")


@pytest.mark.parametrize(
    ("status", "ok", "result"),
    [
        (200, None, "ok"),
        (302, None, "ok"),
        (399, None, "ok"),
        (400, None, "failed"),
        (404, None, "failed"),
        (503, None, "failed"),
        (404, [404], "ok"),
        (200, [201, 202], "failed"),
        (202, [201, 202], "ok"),
    ],
)
def test_which_statuses_are_success(
    small_shop: SmallShop, tmp_path: Path, start: Start, status: int, ok: list[int] | None, result: str
) -> None:
    history = run(start, own(tmp_path, stream(small_shop.url, f"/own/{status}", ok=ok, **READ)), 0.3)
    expected = (result, status, None if result == "ok" else str(status))
    assert {(one.result, one.status, one.error) for one in history} == {expected}
    assert len(small_shop.asked) == len(history)  # no redirection was followed, and nothing tried twice


@pytest.mark.parametrize(
    ("manners", "error"), [("hang", "timeout"), ("reset", "connection reset"), ("close", "connection closed")]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_whole_reply_is_unknown(
    small_shop: SmallShop, tmp_path: Path, start: Start, manners: str, error: str, method: str
) -> None:
    small_shop.manners = manners
    one_stream = stream(small_shop.url, "/own/200", **READ, method=method)
    history = run(start, own(tmp_path, one_stream, timeout_s=0.4))
    assert {(one.result, one.error) for one in history} == {("unknown", error)}
    assert len(small_shop.asked) == len(history)


def test_nobody_listens(tmp_path: Path, start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    history = run(start, own(tmp_path, stream(f"http://127.0.0.1:{port}", "/", **READ)))
    assert {(one.result, one.error) for one in history} == {("failed", "connection refused")}


def test_one_slow_stream_delays_no_other(small_shop: SmallShop, tmp_path: Path, start: Start) -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    with silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        streams = (stream(small_shop.url, "/own/200", **READ), stream(url, "/", name="stuck", rate="40/s"))
        history = run(start, own(tmp_path, *streams, timeout_s=0.5), 1.0)
    assert {(one.kind, one.result) for one in history} == {("read", "ok"), ("stuck", "unknown")}
    kinds = Counter(one.kind for one in history)
    assert kinds["read"] == pytest.approx(kinds["stuck"], abs=2)


def test_a_path_is_quoted_where_it_must_be(small_shop: SmallShop, tmp_path: Path, start: Start) -> None:
    run(start, own(tmp_path, stream(small_shop.url, "/own/200/ä?q=50%25+é&e=%2F", **READ)), 0.3)
    assert {one.path for one in small_shop.asked} == {"/own/200/%C3%A4?q=50%25+%C3%A9&e=%2F"}


def test_orders_pages_and_requests_side_by_side(small_shop: SmallShop, tmp_path: Path, start: Start) -> None:
    one_stream = stream(small_shop.url, "/own/200", **READ)
    history = run(
        start, own(tmp_path, one_stream, url=small_shop.url, orders_per_s=40.0, browse_per_s=40.0, shape=SHAPE)
    )
    kinds = Counter(one.kind for one in history)
    assert max(kinds.values()) - min(kinds.values()) <= 2 and set(kinds) == {"orders", "browse", "read"}
    assert {one.key for one in history if one.kind == "orders"} == {order["key"] for order in small_shop.orders}


class Moving:
    """A service whose address changes, as that of a container does when it is started again; None: it has none."""

    def __init__(self, url: str | None) -> None:
        services = {"web": SimpleNamespace(ports={"8000": 8000})}
        self.terrain = SimpleNamespace(system=SimpleNamespace(services=services, sets={}, load=None))
        self.now = url

    def url(self, service: str, port: str) -> str:
        assert (service, port) == ("web", "8000")
        if self.now is None:
            raise FaultError("web does not run")
        return self.now


def test_a_stream_follows_its_service(small_shop: SmallShop, tmp_path: Path, start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        before = f"http://127.0.0.1:{taken.getsockname()[1]}"
    target = Moving(before)
    asked = Load.model_validate({"http": [{"url": "web/own/200/{n}", **READ}, {"url": "web/own/201", **WRITE}]})
    addresses = Addresses(asked, cast(Target, target))
    spec = own(tmp_path, *addresses.streams())
    assert {one.url for one in spec.http} == {before}
    load = start(spec)
    time.sleep(0.4)
    assert addresses.moved() == {}
    target.now = None
    assert addresses.moved() == {}  # it is started again: nobody knows where it will be
    target.now = small_shop.url
    moved = addresses.moved()
    assert moved == {"read": small_shop.url, "write": small_shop.url}
    assert addresses.moved() == {}
    load.move(moved)
    time.sleep(0.6)
    load.stop(5.0)
    history = sorted(read(spec.history), key=lambda one: one.op)
    results = [one.result for one in history]
    first = results.index("ok")
    assert first >= 5 and set(results[:first]) == {"failed"}
    assert len(results) - first >= 15 and set(results[first:]) == {"ok"}
    assert {one.kind for one in history[first:]} == {"read", "write"}


def test_a_service_without_an_address_is_told_at_once() -> None:
    asked = Load.model_validate({"http": [{"url": "web/", **READ}]})
    with pytest.raises(FaultError, match="web does not run"):
        Addresses(asked, cast(Target, Moving(None)))
