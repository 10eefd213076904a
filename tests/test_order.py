"""The order of a run as it is read again by whoever heals it: what no run can have written is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chaos.shipped import load_system
from chaos.targets.base import Capability, Refusal
from chaos.targets.order import Compose, Order, Play

COMPOSE = Compose(Path("/shop/compose.yml"), "chaos-0a1b2c3d", ours=True, owned=True, environment={"SHOP_PORT": "80"})
ORDER = Order(
    "chaos-0a1b2c3d",
    Path("/runs/one"),
    Path("/runs/one/data"),
    False,
    load_system(),
    {Capability.PROXY: Refusal("no proxy", "bring one")},
    ("retries",),
    Play(7, ("chaos", "run"), keep=False, quiet=True),
    COMPOSE,
)


def test_what_was_written_is_read() -> None:
    assert Order.from_json(ORDER.to_json()) == ORDER
    embedded = replace(ORDER, compose=None, play=None)
    assert Order.from_json(embedded.to_json()) == embedded


@pytest.mark.parametrize(
    ("where", "what"),
    [
        (("run",), None),
        (("run",), ["chaos-0a1b2c3d"]),
        (("run",), "chaos-0a1b2c3d,chaos.role"),
        (("folder",), "/runs/\0"),
        (("missing",), 5),
        (("compose", "ours"), "x"),
        (("compose", "ours"), 5),
        (("compose", "engine"), 5),
        (("compose", "project"), "pricepage"),  # ours is taken down: never a project of somebody else's
    ],
)
def test_what_no_run_can_have_written_is_refused(where: tuple[str, ...], what: Any) -> None:
    fields = json.loads(ORDER.to_json())
    part = fields
    for name in where[:-1]:
        part = part[name]
    part[where[-1]] = what
    with pytest.raises(ValueError, match=r"\w"):
        Order.from_json(json.dumps(fields))
