"""Small programs that tests run inside a service's network, to see what a fault does to real traffic."""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.faults.conftest import World

_CONNECT = """
import json, socket, sys, time
host, port = sys.argv[1].rsplit(":", 1)
began = time.monotonic()
try:
    socket.create_connection((host, int(port)), timeout=float(sys.argv[2])).close()
    result = "connected"
except ConnectionRefusedError:
    result = "refused"
except TimeoutError:
    result = "timeout"
print(json.dumps([result, time.monotonic() - began]))
"""
_REQUEST = """
import http.client, json, sys, time
host, port = sys.argv[1].rsplit(":", 1)
began = time.monotonic()
connection = http.client.HTTPConnection(host, int(port), timeout=float(sys.argv[4]))
try:
    connection.request("POST", "/charges", json.dumps({"order_id": sys.argv[2], "amount_cents": 100}),
                       {"Content-Type": "application/json", "Idempotency-Key": sys.argv[3]})
    result = connection.getresponse().status
except (ConnectionError, http.client.HTTPException) as error:
    result = type(error).__name__
except TimeoutError:
    result = "timeout"
print(json.dumps([result, time.monotonic() - began]))
"""


def connect(world: World, source: str, service: str, port: str, *, timeout_s: float = 2.0) -> tuple[str, float]:
    """Opens a TCP connection from one service's network to another: what came of it, and how many seconds it took."""
    address = world.ask("address", service, port)
    return _run(world, source, _CONNECT, address, str(timeout_s))


def charge(world: World, order: str, *, key: str | None = None, timeout_s: float = 2.0) -> tuple[Any, float]:
    """Asks payments, from shipping's network, to charge an order: the status or what broke, and the seconds."""
    address = world.ask("address", "payments", "http")
    return _run(world, "shipping", _REQUEST, address, order, key or order, str(timeout_s))


def _run(world: World, source: str, program: str, *arguments: str) -> tuple[Any, float]:
    code, out = world.ask("run", source, [sys.executable, "-c", program, *arguments])
    assert code == 0, out
    result, seconds = json.loads(out)
    return result, seconds
