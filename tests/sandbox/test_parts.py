"""Parts by themselves, with a clock handed in: circuit breaker, backoff, limits, cart, and the manifest's claims."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sandbox import backoff, protections
from sandbox.breaker import Breaker, State
from sandbox.database import catalogue
from sandbox.edge.limits import RETRIES_SAVED_MAX, ClientRates, RetryBudget, TooBusyError, UnderWay
from sandbox.storefront import cart

MANIFEST = yaml.safe_load((Path(protections.__file__).parent / "shop.yaml").read_text(encoding="utf-8"))


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_breaker_opens_tries_and_closes() -> None:
    clock = Clock()
    breaker = Breaker("peer", failures_max=2, open_s=1.0, open_max_s=3.0, clock=clock)
    breaker.failure()
    assert breaker.allows()
    breaker.failure()
    assert not breaker.allows()
    clock.now += 1.0
    assert breaker.allows(), "one trial"
    assert not breaker.allows(), "and only one"
    breaker.failure()
    clock.now += 1.5
    assert not breaker.allows(), "twice as long after a failed trial"
    clock.now += 0.5
    assert breaker.allows()
    breaker.success()
    assert breaker.state is State.CLOSED


def test_breaker_survives_a_trial_that_never_reports() -> None:
    clock = Clock()
    breaker = Breaker("peer", failures_max=1, open_s=1.0, open_max_s=3.0, clock=clock)
    breaker.failure()
    clock.now += 1.0
    assert breaker.allows()
    clock.now += 3.0
    assert breaker.allows()


@pytest.mark.parametrize("tries", [1, 2, 5, 2000])
def test_backoff_doubles_within_its_bound(tries: int) -> None:
    bound_s = min(2.0, 0.1 * 2 ** min(tries - 1, 30))
    for _ in range(50):
        assert bound_s / 2 <= backoff.delay_s(tries, first_s=0.1, longest_s=2.0) <= bound_s


def test_client_rates() -> None:
    clock = Clock()
    rates = ClientRates(rate=8, burst=2, clock=clock)
    assert [rates.take("a") for _ in range(3)] == [True, True, False]
    assert rates.take("b"), "another client is not concerned"
    clock.now += 0.125
    assert [rates.take("a") for _ in range(2)] == [True, False]


def test_browsing_is_shed_before_checkout() -> None:
    under_way = UnderWay(browsing_max=1, all_max=2)
    with under_way.one(browsing=True):
        with pytest.raises(TooBusyError), under_way.one(browsing=True):
            pass
        with under_way.one(browsing=False), pytest.raises(TooBusyError), under_way.one(browsing=False):
            pass
    with under_way.one(browsing=True):
        pass


def test_retries_are_a_share_of_requests() -> None:
    budget = RetryBudget()
    assert sum(budget.spend() for _ in range(1000)) == RETRIES_SAVED_MAX
    for _ in range(12):
        budget.earn()
    assert [budget.spend() for _ in range(3)] == [True, True, False]


def test_cart_round_trip_and_bounds() -> None:
    held = cart.change(cart.change({}, "SKU-0001", 2), "SKU-0002", 500)
    assert cart.read({cart.COOKIE: cart.write(held)}) == {"SKU-0001": 2, "SKU-0002": 99}
    assert cart.change(held, "SKU-0001", 0) == {"SKU-0002": 99}
    assert cart.read({cart.COOKIE: "../../etc.1_SKU-0001.x_SKU-0003.0"}) == {}


def test_the_manifest_names_every_protection() -> None:
    assert set(MANIFEST["protections"]) == protections.NAMES


def test_the_manifest_loads_only_products_that_do_not_sell_out() -> None:
    skus = MANIFEST["load"]["orders"]["skus"]
    loaded = {skus["pattern"].format(n=n) for n in range(skus["first"], skus["last"] + 1)}
    ample = {product.sku for product in catalogue.products() if product.stock == catalogue.AMPLE}
    assert loaded <= ample
    assert len(catalogue.products()) == 200


def test_the_manifest_reads_the_same_without_quotes_lost() -> None:
    # YAML 1.1 takes a bare `on` for a boolean; everything must be plain data that JSON can carry.
    assert json.loads(json.dumps(MANIFEST)) == MANIFEST


def test_an_unknown_protection_is_refused() -> None:
    result = subprocess.run(
        [sys.executable, "-c", "import sandbox.protections"],
        env={"SHOP_WEAK": "retries,tiemouts", "PYTHONPATH": str(Path(protections.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "tiemouts" in result.stderr
