"""How late the load leaves, what an operation costs, and how fast a history is read.

    python benchmarks/load.py [SECONDS]

Sends 200 orders/s and 100 pages/s to a trivial server in a process of its own and prints a table. The target is a
due-time error below 5 ms at p99. The figures are those of the machine as it is: run it on an idle one and on a busy
one (beside a running shop).
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from chaos.load.client import start
from chaos.load.history import read
from chaos.load.spec import LoadSpec, Shape

ORDERS_PER_S = 200.0
BROWSE_PER_S = 100.0
LAG_P99_MS_MAX = 5.0
HISTORY_OPERATIONS = 1_000_000
_ORDER = b'{"order_id": "1", "amount_cents": 100}'
_REPLY = b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%s" % (len(_ORDER), _ORDER)
SHAPE = Shape.model_validate(
    {
        "orders": {
            "request": {"path": "/orders", "headers": {"Idempotency-Key": "{key}"}, "json": {"lines": "{lines}"}},
            "ok": [201],
            "reply": {"order_id": "order_id", "amount_cents": "amount_cents"},
            "skus": {"pattern": "SKU-{n:04d}", "first": 1, "last": 190},
        },
        "browse": {"mix": [{"path": "/"}, {"path": "/products/{sku}"}], "ok": [201]},
    }
)


class _Server(asyncio.Protocol):
    """Says yes to every request, at once; each is taken to come in one piece."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"GET") or b"}" in data:  # aiohttp may send a body after its headers
            self._transport.write(_REPLY)


def _serve(port: Connection) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(_Server, "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


def _load(url: str, folder: Path, seconds: float) -> None:
    spec = LoadSpec(
        url=url,
        orders_per_s=ORDERS_PER_S,
        browse_per_s=BROWSE_PER_S,
        timeout_s=5.0,
        seed=1,
        history=folder / "history.jsonl",
        t0=time.monotonic(),
        shape=SHAPE,
    )
    load = start(spec)
    load.begin()
    idle_s = _cpu_s(load.pid)
    time.sleep(seconds)
    busy_s = _cpu_s(load.pid) - idle_s
    result = load.stop(5.0)
    operations = list(read(spec.history))
    late = sorted(one.sent - one.due for one in operations if one.sent is not None)
    latency = sorted(one.end - one.due for one in operations if one.end is not None)
    ok = sum(one.result == "ok" for one in operations)
    _row("operations sent, ok", f"{result.sent}, {ok}")
    _row("due-time error p50", f"{_at(late, 0.50):.2f} ms")
    verdict = "reached" if _at(late, 0.99) < LAG_P99_MS_MAX else "missed"
    _row("due-time error p99", f"{_at(late, 0.99):.2f} ms", f"< {LAG_P99_MS_MAX:.0f} ms: {verdict}")
    _row("due-time error max", f"{late[-1] * 1e3:.2f} ms")
    _row("latency p50, p99", f"{_at(latency, 0.5):.2f} ms, {_at(latency, 0.99):.2f} ms")
    _row("CPU per operation", f"{busy_s / result.sent * 1e6:.0f} us", f"{busy_s / seconds:.1%} of a core")


def _history(folder: Path) -> None:
    path = folder / "million.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for op in range(HISTORY_OPERATIONS):
            file.write(
                f'{{"op":{op},"kind":"orders","due":{op / 200},"key":"6f9619ff-8b86-4011-b42d-00c04fc964ff",'
                f'"lines":[{{"sku":"SKU-0001","quantity":2}}]}}\n'
                f'{{"op":{op},"end":{op / 200 + 0.05},"sent":{op / 200},"result":"ok","status":201,'
                f'"order_id":"{op}","amount_cents":4998}}\n'
            )
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    count = sum(1 for _ in read(path))
    took_s = time.perf_counter() - began
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib) / 1024
    _row(
        "history read", f"{count:,} operations in {took_s:.1f} s", f"{count / took_s:,.0f}/s, {grown_mib:.1f} MiB more"
    )


def _cpu_s(pid: int) -> float:
    """User and system time of all of a process's threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _at(ordered_s: list[float], share: float) -> float:
    return ordered_s[int(len(ordered_s) * share)] * 1e3


def _row(what: str, value: str, note: str = "") -> None:
    sys.stdout.write(f"{what:<22} {value:<34} {note}\n")


def main() -> None:
    """Prints the table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=_serve, args=(theirs,), daemon=True)
    server.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            _load(f"http://127.0.0.1:{ours.recv()}", Path(folder), seconds)
            _history(Path(folder))
    finally:
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
