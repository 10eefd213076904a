"""The JSON Schema: accepts what `check` accepts, refuses wrong shapes, and describes every field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import yaml

from chaos import catalogue, faults
from chaos.schema import schema
from chaos.shipped import load_system, shop_folder

EXPERIMENTS = sorted((shop_folder() / "experiments").rglob("*.yaml"))
VALIDATOR = jsonschema.Draft202012Validator(schema())


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("file", EXPERIMENTS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_it_accepts_the_stock_experiments(file: Any) -> None:
    VALIDATOR.validate(yaml.safe_load(file.read_text()))


@pytest.mark.parametrize("word", faults.words())
def test_it_accepts_the_examples_of_the_catalogue(word: str) -> None:
    VALIDATOR.validate(yaml.safe_load(catalogue.example(word, load_system())))


@pytest.mark.parametrize(
    "change",
    [
        {"colour": "red"},
        {"title": 3},
        {"seed": -1},
        {"load": {"orders": "20"}},
        {"load": {"http": [{"name": "read", "url": "web/"}]}},
        {"load": {"http": [{"name": "read", "url": "web/", "rate": "20"}]}},
        {"load": {"http": [{"name": "read", "url": "web/", "rate": "20/s", "method": "get"}]}},
        {"load": {"http": [{"name": "read", "url": "web/", "rate": "20/s", "ok": [99]}]}},
        {"load": {"http": [{"name": "orders", "url": "web/", "rate": "20/s"}]}},
        {"steady_state": {}},
        {"steady_state": {"orders.p98": "< 1s"}},
        {"while_faulty": {"p99": "< 1s"}},
        {"steady_state": {"orders.p99": "1s"}},
        {"probes": {"lag": {"sql": "select 1"}}},
        {"invariants": ["orders.lost"]},
        {"method": [{"fault": "process.kil", "target": "edge", "for": "1s"}]},
        {"method": [{"fault": "process.kill", "target": "edge", "for": "1s", "with": {"x": 1}}]},
        {"method": [{"fault": "network.loss", "target": "edge", "for": "1s"}]},
        {"method": [{"fault": "network.loss", "target": "edge", "for": "1s", "with": {"percent": 3}}]},
        {"method": [{"fault": "payment.outage", "target": "payments", "for": "1s", "with": {"mode": "off"}}]},
        {"method": [{"fault": "process.kill", "target": {"any of": "storefronts"}, "for": "1s"}]},
    ],
    ids=str,
)
def test_it_refuses_wrong_shapes(change: dict[str, Any]) -> None:
    good = yaml.safe_load(catalogue.example("process.kill", load_system()))
    VALIDATOR.validate(good)
    assert not VALIDATOR.is_valid({**good, **change})


def test_it_accepts_requests_of_ones_own() -> None:
    good = yaml.safe_load(catalogue.example("process.kill", load_system()))
    read = {"name": "read", "url": "web/notes", "rate": "20/s"}
    write = {
        **read,
        "name": "write",
        "method": "POST",
        "json": {"n": ["{n}", None]},
        "ok": [201],
        "headers": {"A": "b"},
    }
    VALIDATOR.validate({**good, "load": {"http": [read, write, {**read, "name": "form", "body": "a=b"}]}})


def fields(node: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property of every model in a schema."""
    for name, model in [("", node), *node.get("$defs", {}).items()]:
        for field, shape in model.get("properties", {}).items():
            yield f"{name}.{field}", shape


def test_every_field_has_a_description() -> None:
    found = dict(fields(schema()))
    assert ".title" in found
    assert "network.latency.delay" in found
    assert [name for name, shape in found.items() if not shape.get("description")] == []


def test_defaults_are_written_with_their_units() -> None:
    found = dict(fields(schema()))
    assert found["Load.timeout"]["default"] == "5s"
    assert found["payment.outage.percent"]["default"] == "100%"
    assert [name for name, shape in found.items() if isinstance(shape.get("default"), float)] == []
