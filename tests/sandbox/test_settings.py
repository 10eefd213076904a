"""Addresses of the shop's services: all that is given, the defaults, or some links laid over the defaults."""

import json
from collections.abc import Iterator

import pytest

from sandbox import settings
from sandbox.settings import Address


@pytest.fixture(autouse=True)
def storefront(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process as storefront-1, with what is remembered of its addresses forgotten before and after."""
    monkeypatch.setenv("SHOP_SERVICE", "storefront-1")
    monkeypatch.delenv("SHOP_ADDRESSES", raising=False)
    monkeypatch.delenv("SHOP_BIND", raising=False)
    settings._addresses.cache_clear()
    yield
    settings._addresses.cache_clear()


@pytest.mark.parametrize("given", [None, ""])
def test_without_addresses_hosts_are_the_names(monkeypatch: pytest.MonkeyPatch, given: str | None) -> None:
    if given is not None:
        monkeypatch.setenv("SHOP_ADDRESSES", given)
    assert settings.address("db-primary", "sql") == Address("db-primary", 5432)
    assert settings.address("payments", "control") == Address("payments", 8090)
    assert settings.services("db-replica-") == ["db-replica-1", "db-replica-2"]
    assert settings.own_address("http") == Address("storefront-1", 8080)


def test_some_links_are_laid_over_the_defaults_port_by_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_ADDRESSES", json.dumps({"payments": {"http": "toxiproxy:25005"}}))
    assert settings.address("payments", "http") == Address("toxiproxy", 25005)
    assert settings.address("payments", "control") == Address("payments", 8090)
    assert settings.address("db-primary", "sql") == Address("db-primary", 5432)
    assert settings.services("storefront-") == ["storefront-1", "storefront-2"]
    assert settings.own_address("http") == Address("storefront-1", 8080)


def test_a_map_with_the_own_address_is_all_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"db-replica-2": {"sql": "127.0.0.1:20002"}, "storefront-1": {"http": "127.0.0.1:20001"}}
    monkeypatch.setenv("SHOP_ADDRESSES", json.dumps(given))
    assert settings.services("db-replica-") == ["db-replica-2"]
    assert settings.own_address("http") == Address("127.0.0.1", 20001)
    with pytest.raises(KeyError):
        settings.address("payments", "http")


def test_the_port_is_kept_where_another_host_is_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_BIND", "0.0.0.0")
    assert settings.own_address("http") == Address("0.0.0.0", 8080)
