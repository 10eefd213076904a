"""`payment.reply_lost` against the real payments service and its ledger."""

from __future__ import annotations

import json
import sys

from tests.faults.conftest import World
from tests.faults.peer import charge

LOST: tuple[str, dict[str, str], str] = ("payment.reply_lost", {}, "payments")
_READ = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())"


def test_the_money_is_taken_and_nobody_told(world: World) -> None:
    world.ask("inject", *LOST, 20)
    assert world.ask("is_active", *LOST)
    assert charge(world, "lost-1")[0] in ("RemoteDisconnected", "ConnectionResetError")
    assert world.ask("evidence", *LOST)["effective"]
    world.ask("heal", *LOST)
    assert not world.ask("is_active", *LOST)
    assert _charges(world, "lost-1") == 1
    assert charge(world, "lost-1")[0] == 200, "the same key again is the same charge"
    assert _charges(world, "lost-1") == 1


def test_without_requests_there_is_no_evidence(world: World) -> None:
    world.ask("inject", *LOST, 20)
    evidence = world.ask("evidence", *LOST)
    assert not evidence["effective"]
    assert "not one request" in evidence["summary"]
    world.ask("heal", *LOST)
    world.ask("heal", *LOST)


def _charges(world: World, order: str) -> int:
    url = f"http://{world.ask('address', 'payments', 'control')}/ledger"
    code, out = world.ask("run", "payments", [sys.executable, "-c", _READ, url])
    assert code == 0
    return sum(json.loads(line)["order_id"] == order for line in out.splitlines() if line)
