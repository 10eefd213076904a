"""Which links go through the proxy: those that a proxy fault names, for the callers that it names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chaos.plan import plan
from chaos.routes import routes
from chaos.shipped import load_system
from chaos.targets.base import Terrain
from chaos.validate import check
from tests.test_validate import GOOD, METHOD

REPLICA = {"db-replica-1": {"sql": "toxiproxy:25002"}}
PAYMENTS = {"payments": {"http": "toxiproxy:25005"}}


@pytest.mark.parametrize(
    ("acts", "told"),
    [
        (["process.kill, target: edge, for: 5s"], {}),
        (
            ["proxy.down, target: payments, for: 5s"],
            {"STOREFRONT_1": PAYMENTS, "STOREFRONT_2": PAYMENTS, "WORKER": PAYMENTS},
        ),
        (
            ["proxy.latency, target: db-replica-1, with: {latency: 1s, from: [storefronts]}, for: 5s"],
            {"STOREFRONT_1": REPLICA, "STOREFRONT_2": REPLICA},
        ),
        (
            [
                "proxy.down, target: db-replica-1, with: {from: [storefront-1]}, for: 5s",
                "proxy.down, target: payments, with: {from: [storefront-1, worker]}, for: 5s",
            ],
            {"STOREFRONT_1": REPLICA | PAYMENTS, "WORKER": PAYMENTS},
        ),
    ],
)
def test_only_named_links_go_through(tmp_path: Path, acts: list[str], told: dict[str, Any]) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(GOOD.replace(METHOD, "".join(f"  - {{fault: {act}}}\n" for act in acts)).replace("99.5", "95"))
    system = load_system()
    found = routes(plan(check(file, Terrain(system, {})).experiment, system, 1), system)
    assert {name: json.loads(text) for name, text in found.items()} == {
        f"SHOP_ADDRESSES_{client}": addresses for client, addresses in told.items()
    }


def test_each_client_has_its_variable_in_the_compose_file() -> None:
    system = load_system()
    assert system.proxy is not None
    text = (Path(__file__).parent.parent / "compose.sandbox.yml").read_text()
    for client in system.proxy.clients:
        assert f"${{SHOP_ADDRESSES_{client.upper().replace('-', '_')}:-}}" in text
    for listener in system.proxy.listeners.values():
        assert f"127.0.0.1::{listener.listen}" in text
