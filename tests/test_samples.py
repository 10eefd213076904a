"""How many samples a tolerance needs."""

from __future__ import annotations

import pytest

from chaos.metrics import Metric, metric
from chaos.samples import needed
from chaos.units import tolerance


@pytest.mark.parametrize(
    ("name", "bound", "samples"),
    [
        ("orders.success_rate", ">= 50%", 20),
        ("orders.success_rate", ">= 95%", 20),
        ("orders.success_rate", ">= 99%", 100),
        ("orders.success_rate", ">= 99.5%", 200),
        ("orders.success_rate", "> 99.9%", 1000),
        ("orders.success_rate", ">= 100%", 100),
        ("orders.success_rate", "== 100%", 100),
        ("orders.success_rate", "< 1%", 100),
        ("orders.success_rate", "<= 0%", 100),
        ("orders.p50", "< 1s", 20),
        ("orders.p90", "< 1s", 20),
        ("orders.p95", "< 1s", 20),
        ("orders.p99", "< 1s", 100),
        ("orders.p99.9", "< 1s", 1000),
        ("orders.max", "< 1s", 20),
        ("orders.mean", "< 1s", 20),
        ("orders.rate", "> 1/s", 20),
        ("lag.value", "< 3", 3),
    ],
)
def test_needed(name: str, bound: str, samples: int) -> None:
    assert needed(name, tolerance(bound)) == samples


def test_a_name_has_two_halves() -> None:
    assert metric("lag.p99.9") == Metric("lag", "p99.9")
    assert metric("lag.p99.9").quantile == pytest.approx(0.999)
    assert metric("orders.max").quantile is None


@pytest.mark.parametrize("name", ["orders", "orders.", "orders.p98", ""])
def test_unknown_measures(name: str) -> None:
    with pytest.raises(ValueError, match="allowed measures"):
        metric(name)
