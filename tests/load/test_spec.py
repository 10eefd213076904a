"""How requests are shaped: the shop's own manifest fits, and templates are filled."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from chaos.load.spec import Shape, fill
from tests.load.conftest import SHAPE

MANIFEST = Path(__file__).parents[2] / "sandbox" / "shop.yaml"


def test_the_shop_describes_its_requests_as_the_load_reads_them() -> None:
    shape = Shape.model_validate(yaml.safe_load(MANIFEST.read_text())["load"])
    assert shape.orders.request.headers["Idempotency-Key"] == "{key}"
    assert len(shape.orders.goods()) >= 100
    assert shape.browse.mix


def test_goods_are_a_list_or_a_pattern() -> None:
    assert SHAPE.orders.goods() == [f"SKU-{n:04d}" for n in range(1, 21)]
    listed = SHAPE.orders.model_copy(update={"skus": ["mug", "lamp"]})
    assert listed.goods() == ["mug", "lamp"]


def test_a_shape_with_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="retries"):
        Shape.model_validate({**SHAPE.model_dump(by_alias=True), "retries": 3})


def test_filling_keeps_types_and_leaves_everything_else_alone() -> None:
    template = {"lines": "{lines}", "note": "key {key} of {nobody}", "list": ["{key}", 1, None, True]}
    filled = fill(template, {"key": "k-1", "lines": [{"sku": "{key}", "quantity": 2}]})
    assert filled == {
        "lines": [{"sku": "{key}", "quantity": 2}],
        "note": "key k-1 of {nobody}",
        "list": ["k-1", 1, None, True],
    }
