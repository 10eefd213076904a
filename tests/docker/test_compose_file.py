"""compose.sandbox.yml agrees with the manifest, and the shop it starts is safe, serves, and leaves nothing behind."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import requests
import yaml

from tests.docker.composed_shop import FILE, PROGRAMS, ComposedShop, installed
from tests.docker.left import left_under, project_label

FOLDER = FILE.parent
MANIFEST: dict[str, Any] = yaml.safe_load((FOLDER / "sandbox" / "shop.yaml").read_text(encoding="utf-8"))
WRITTEN: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
PROXY = MANIFEST["proxy"]["service"]
SETTLED_WITHIN_S = 10.0


def wait_until(what: str, holds: Any) -> None:
    deadline = time.monotonic() + SETTLED_WITHIN_S
    while not holds():
        assert time.monotonic() < deadline, f"not within {SETTLED_WITHIN_S} s: {what}"
        time.sleep(0.1)


def inner_ports(service: dict[str, Any]) -> set[int]:
    return {int(port.rpartition(":")[2]) for port in service["ports"]}


def test_it_has_the_services_of_the_manifest_and_the_proxy() -> None:
    assert set(WRITTEN["services"]) == {*MANIFEST["services"], PROXY}


@pytest.mark.parametrize("name", MANIFEST["services"])
def test_a_service_is_started_and_reached_as_in_the_manifest(name: str) -> None:
    service, wanted = WRITTEN["services"][name], MANIFEST["services"][name]
    assert service["command"] == wanted["command"]
    assert service["environment"]["SHOP_SERVICE"] == name
    assert service.get("stop_signal", "SIGTERM") == wanted.get("stop_signal", "SIGTERM")
    assert inner_ports(service) == set(wanted["ports"].values())
    assert service.get("depends_on", []) == wanted["after"]


def test_every_client_of_the_proxy_can_be_told_to_call_through_it() -> None:
    for name in MANIFEST["proxy"]["clients"]:
        variable = f"SHOP_ADDRESSES_{name.upper().replace('-', '_')}"
        assert WRITTEN["services"][name]["environment"]["SHOP_ADDRESSES"] == f"${{{variable}:-}}"


def test_the_proxy_has_its_api_and_every_listener_of_the_manifest() -> None:
    listeners = {listener["listen"] for listener in MANIFEST["proxy"]["listeners"].values()}
    assert inner_ports(WRITTEN["services"][PROXY]) == {8474, *listeners}


def test_only_one_service_builds_each_image() -> None:
    builds = [service["image"] for service in WRITTEN["services"].values() if "build" in service]
    assert len(builds) == len(set(builds))
    assert {service["image"] for service in WRITTEN["services"].values()} - set(builds) == {
        "ghcr.io/shopify/toxiproxy:2.12.0"
    }


@pytest.mark.docker
@pytest.mark.parametrize("program", PROGRAMS, ids="-".join)
def test_compose_accepts_it(engine: Any, program: list[str]) -> None:
    if not installed(program):
        pytest.skip(f"NOT TESTED HERE: `{' '.join(program)}` is not installed")
    done = subprocess.run(
        [*program, "-f", str(FILE), "config", "--services"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert set(done.stdout.split()) == set(WRITTEN["services"])


@pytest.fixture(scope="module")
def shop(engine: Any) -> Iterator[ComposedShop]:
    """The shop, up; at the end nothing of it may be left."""
    shop = ComposedShop(engine)
    try:
        shop.up()
        yield shop
    finally:
        shop.down()
    assert left_under(engine, project_label(shop.project)) == []


@pytest.mark.docker
def test_containers_can_do_no_harm(shop: ComposedShop) -> None:
    for name, container in shop.containers().items():
        host, config = container.attrs["HostConfig"], container.attrs["Config"]
        bindings = [binding for each in host["PortBindings"].values() for binding in each]
        assert bindings, name
        assert {binding["HostIp"] for binding in bindings} == {"127.0.0.1"}, name
        assert config["User"].split(":")[0] not in ("", "0", "root"), name
        assert not host["Privileged"], name
        assert (host["CapAdd"], host["CapDrop"]) == (None, ["ALL"]), name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert host["RestartPolicy"]["Name"] in ("", "no"), name  # a killed service must stay dead
        assert all(host[limit] > 0 for limit in ("Memory", "NanoCpus", "PidsLimit")), name
        assert {mount["Type"] for mount in container.attrs["Mounts"]} <= {"volume"}, name
        assert host["PidMode"] == "", name
        assert host["NetworkMode"] == f"{shop.project}_default", name
        assert config["Labels"]["chaos.allowed"] == "true", name
        assert config["Labels"]["chaos.run"] == shop.project, name
        assert shop.address(name).startswith(f"{shop.net}."), name


def order(shop: ComposedShop, key: str) -> requests.Response:
    body = {"customer": "a test", "lines": [{"sku": "SKU-0007", "quantity": 2}]}
    return requests.post(f"{shop.url('edge')}/orders", json=body, headers={"Idempotency-Key": key}, timeout=5)


def ask(shop: ComposedShop, service: str, query: str) -> Any:
    conninfo = f"host=127.0.0.1 port={shop.published(service, 5432)} dbname=shop user=shop connect_timeout=2"
    with psycopg.connect(conninfo) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row and row[0]


def ledger(shop: ComposedShop, service: str) -> list[str]:
    return requests.get(f"{shop.url(service, 8090)}/ledger", timeout=5).text.splitlines()


@pytest.mark.docker
def test_the_shop_serves_takes_an_order_and_settles_it(shop: ComposedShop) -> None:
    page = requests.get(shop.url("edge"), timeout=5)
    assert page.status_code == 200
    assert "Hearth" in page.text
    placed = order(shop, "settled")
    assert placed.status_code == 201
    query = f"select shipment_id from orders where order_id = '{placed.json()['order_id']}'"
    for database in ("db-primary", "db-replica-1", "db-replica-2"):
        wait_until(f"the order is shipped on {database}", lambda name=database: ask(shop, name, query))
    assert len(ledger(shop, "payments")) == len(ledger(shop, "shipping")) == 1


@pytest.mark.docker
@pytest.mark.parametrize("replica", MANIFEST["sets"]["replicas"])
def test_replicas_stream(shop: ComposedShop, replica: str) -> None:
    assert ask(shop, replica, MANIFEST["services"][replica]["ready"]["sql"]) is True


@pytest.mark.docker
def test_a_killed_service_stays_dead_and_comes_back_with_its_address_and_its_data(shop: ComposedShop) -> None:
    assert order(shop, "kept").status_code in (200, 201)
    wait_until("everything is settled", lambda: ask(shop, "db-primary", "select not exists (select from outbox)"))
    orders, charges = ask(shop, "db-primary", "select count(*) from orders"), ledger(shop, "payments")
    for service in ("payments", "db-replica-1", "db-primary", "storefront-1"):
        address = shop.address(service)
        shop.containers()[service].kill()
        assert shop.containers()[service].status == "exited"
        shop.containers()[service].start()
        assert shop.address(service) == address
    shop.wait_healthy()
    assert ledger(shop, "payments") == charges
    for database in ("db-primary", "db-replica-1"):
        assert ask(shop, database, "select count(*) from orders") == orders
    wait_until("orders are taken again", lambda: order(shop, "after").status_code in (200, 201))


@pytest.mark.docker
def test_every_listener_leads_to_its_service_once_it_is_asked_for(shop: ComposedShop) -> None:
    api = shop.url(PROXY, 8474)
    assert requests.get(f"{api}/version", timeout=5).json() == {"version": "2.12.0"}
    wanted = {}
    for name, listener in MANIFEST["proxy"]["listeners"].items():
        upstream = f"{name}:{MANIFEST['services'][name]['ports'][listener['port']]}"
        wanted[name] = {"name": name, "listen": f"0.0.0.0:{listener['listen']}", "upstream": upstream, "enabled": True}
    assert requests.get(f"{api}/proxies", timeout=5).json() == {}
    assert requests.post(f"{api}/populate", json=list(wanted.values()), timeout=5).status_code == 201
    try:
        through = f"http://127.0.0.1:{shop.published(PROXY, MANIFEST['proxy']['listeners']['payments']['listen'])}"
        assert requests.get(f"{through}/healthz", timeout=5).status_code == 200
        wait_until("it counts bytes", lambda: 'proxy="payments"' in requests.get(f"{api}/metrics", timeout=5).text)
    finally:
        for name in wanted:
            requests.delete(f"{api}/proxies/{name}", timeout=5)
