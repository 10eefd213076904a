"""Rules over the load: requests of a user's own, on the shop and on a system without orders."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.shipped import load_system
from chaos.system import Ready, Service, System
from chaos.targets.base import Terrain
from chaos.validate import check
from tests.test_validate import GOOD as SHOP_GOOD
from tests.test_validate import place, wrong

GOOD = """\
title: notes are kept
sandbox: {compose: compose.yml, project: notes}
load:
  http:
    - {name: read, url: web/notes, rate: 20/s}
    - {name: write, url: "web:8000/notes/{n}", method: POST, json: {note: "{n}", k: "{key}"}, rate: 10/s, ok: [201]}
  timeout: 5s
phases: {baseline: 10s, recovery: 30s}
probes:
  up: {state: web}
  page: {http: "web:8000/healthz"}
steady_state:
  read.success_rate: ">= 99%"
  write.p99: "< 800ms"
method:
  - {fault: process.kill, target: web, at: 0s, for: 20s}
abort_if:
  write.success_rate: "< 50% for 5s"
"""


@pytest.fixture
def terrain() -> Terrain:
    """A system of a user's own: no orders, no records, no database that is known."""
    services = {
        "web": Service(command=["true"], ports={"8000": 8000}, ready=Ready()),
        "admin": Service(command=["true"], ports={"80": 80, "443": 443}, ready=Ready()),
    }
    return Terrain(System(name="notes", services=services), missing={})


def test_a_good_file(tmp_path: Path, terrain: Terrain) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(GOOD)
    load = check(file, terrain).experiment.load
    assert load.rates == {"read": 20.0, "write": 10.0}
    assert (load.http[0].method, load.http[0].ok, load.http[1].ok) == ("GET", None, [201])
    assert load.http[1].json_ == {"note": "{n}", "k": "{key}"}


@pytest.mark.parametrize(
    ("old", "new", "at", "problem"),
    [
        ("name: read", "name: orders", "orders", "'orders' cannot name requests; allowed: a letter, then"),
        ("name: read", "name: re.ad", "re.ad", "'re.ad' cannot name requests"),
        ("name: read", "name: 1st", "1st", "'1st' cannot name requests"),
        ("name: read", "name: up", "up, url", "a probe is called 'up' already"),
        ("name: write", "name: read", "read, url: \"web:8000", "the requests of line 5 are called 'read' already"),
        ("web/notes,", "wbe/notes,", "wbe", "there is no service 'wbe'; did you mean 'web'"),
        ("web/notes,", "web,", "web, rate", "a path is missing; write web/PATH"),
        ("web/notes,", "admin/notes,", "admin", "admin has several ports; write admin:PORT/PATH with one of 80, 443"),
        ("web/notes,", '"web:80/notes",', '"web:80/', "web has no port '80'; did you mean '8000'"),
        ("notes/{n}", "notes/{id}", '"web:8000/notes/{id}', "nothing is known of {id}; allowed in a path: {n}, {key}"),
        ("web:8000/healthz", "web:8/healthz", '"web:8/h', "web has no port '8'"),
        ("rate: 20/s", "rate: 0/s", "0/s}\n    -", "requests that are never sent prove nothing"),
        ("rate: 20/s", "rate: 0.1/s", "0.1/s", "too few to say in a baseline of 10s whether they succeed at all; "),
        ("rate: 20/s", "rate: 3000/s", "- {name: read", "3010/s in all are too many for one machine; allowed: at most"),
        ("rate: 20/s", "rate: 20", "20}", "20 is not a rate"),
        ("method: POST", "method: FETCH", "FETCH", "'FETCH' is not one of them; did you mean 'PATCH'"),
        ("ok: [201]", "ok: [99]", "99]", "99 is out of range; allowed: >= 200"),
        ("ok: [201]", "ok: []", "[]", "this is empty; at least one entry is needed"),
        ("ok: [201]", "ok: ['201']", "'201'", "'201' is not a whole number"),
        ("ok: [201]", "body: x", "body", "json is given already; leave one of them out"),
        ("ok: [201]", "headers: {'a b': c}", "'a b'", "'a b' cannot name a header"),
        ("ok: [201]", 'headers: {a: "b\\nc"}', '"b\\nc"', "the value of a header is one line of text"),
        ("ok: [201]", "headers: {Content-Length: '3'}", "Content-L", "Content-Length follows from the body"),
        ("ok: [201]", "headers: {a: 3}", "3}", "3 is not text; put it in quotes"),
        ("ok: [201]", "retries: 3", "retries", "unknown key 'retries'"),
        ("timeout: 5s", "orders: 5/s", "orders", "notes has no orders; use load.http"),
        ("timeout: 5s", "browse: 5/s", "browse", "notes has no pages that are known; use load.http"),
        ("timeout: 5s", "timeout: 9999h", "9999h", "no customer waits that long"),
        ("  read.success", "  orders.success", "orders.s", "there is nothing called 'orders' to measure; allowed: "),
        ("  read.success", "  raed.success", "raed", "there is nothing called 'raed' to measure; did you mean 'read'"),
        ("  read.success_rate", "  read.value", "read.value", "read has no value"),
        ("  write.success_rate", "  up.success_rate", "up.succ", "abort_if looks at the load alone, and up is a probe"),
        (">= 99%", ">= 99.9%", '">= 99.9%"', "read.success_rate >= 99.9% needs 1000 samples, and the baseline"),
        ("abort_if:", "invariants: [orders.none_lost]\nabort_if:", "orders.none", "notes says nothing of its records"),
        ("abort_if:", "weak: [retries]\nabort_if:", "retries", "there is no protection 'retries'"),
    ],
)  # fmt: skip
def test_one_broken_rule_each(tmp_path: Path, terrain: Terrain, old: str, new: str, at: str, problem: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new)
    problems = wrong(tmp_path, text, terrain)
    assert any(each.startswith(f"{place(text, at)}: {problem}") for each in problems), problems


@pytest.mark.parametrize("load", ["{}", "{http: []}", "{timeout: 3s}"])
def test_without_requests_nothing_is_put_to_the_test(tmp_path: Path, terrain: Terrain, load: str) -> None:
    start, end = GOOD.index("load:"), GOOD.index("phases:")
    problems = wrong(tmp_path, f"{GOOD[:start]}load: {load}\n{GOOD[end:]}", terrain)
    assert any("without requests nothing is put to the test; write http: [" in each for each in problems), problems


def test_all_of_it_is_told_together(tmp_path: Path, terrain: Terrain) -> None:
    text = GOOD.replace("rate: 20/s", "rate: 20, mehtod: GET").replace("name: write", "name: browse")
    text = text.replace("web:8000/notes", "wbe:8000/notes").replace("timeout: 5s", "orders: 0/s")
    found = [each.partition(";")[0] for each in wrong(tmp_path, text, terrain)]
    assert found == [
        "5:42: 20 is not a rate",
        "5:46: unknown key 'mehtod'",
        "6:14: 'browse' cannot name requests",
        "6:27: there is no service 'wbe'",
        "7:3: notes has no orders",
        "14:3: there is nothing called 'write' to measure",
        "18:3: there is nothing called 'write' to measure",
    ]


def test_the_shop_takes_requests_beside_its_orders(tmp_path: Path) -> None:
    shop = Terrain(load_system(), missing={})
    http = "http: [{name: stock, url: storefront-1/api/products, rate: 20/s}]"
    text = SHOP_GOOD.replace("{orders: 20/s}", f"{{orders: 20/s, {http}}}")
    text = text.replace("steady_state:", 'steady_state:\n  stock.p99: "< 1s"')
    file = tmp_path / "x.yaml"
    file.write_text(text)
    assert check(file, shop).experiment.load.rates == {"orders": 20.0, "stock": 20.0}
    without = text.replace("orders: 20/s, ", "")
    assert any("without orders nothing is put to the test" in each for each in wrong(tmp_path, without, shop))
