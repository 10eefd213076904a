"""The pages people see: each renders with what it is for, and a person can buy something in a browser's way."""

import re
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

import pytest

from tests.sandbox.launcher import Shop

HTML = {"Accept": "text/html"}


@pytest.mark.parametrize(
    ("path", "shows"),
    [
        ("/", "Home goods that last"),
        ("/?q=lamp", "Results for “lamp”"),
        ("/?q=zzz", "Nothing found"),
        ("/?q=%25", "Nothing found"),
        ("/?page=9999", "Page 9 of 9"),
        ("/?q=%3Cscript%3E", "&lt;script&gt;"),
        ("/products/SKU-0001", "Add to cart"),
        ("/cart", "nothing in it yet"),
        ("/status", "All is well"),
    ],
)
def test_pages_render(shop: Shop, path: str, shows: str) -> None:
    status, page = shop.get("edge", path, headers=HTML)
    assert status == 200
    assert shows in page
    assert "<script>" not in page


@pytest.mark.parametrize("path", ["/nowhere", "/products/SKU-9999", "/orders/nonsense"])
def test_what_is_not_there_is_said_plainly(shop: Shop, path: str) -> None:
    status, page = shop.get("edge", path, headers=HTML)
    assert status == 404
    assert "To the shop" in page


def test_search_finds_what_the_catalogue_holds(shop: Shop) -> None:
    found = shop.get("edge", "/api/products?q=lamp")[1]
    assert len(found) == 20
    assert all("lamp" in product["kind"] for product in found)
    assert [product["name"] for product in shop.get("edge", "/api/products?q=fjord+MUG")[1]] == ["Fjord Mug"]
    assert len(shop.get("edge", "/api/products")[1]) == 200


def test_buying_in_a_browser(shop: Shop) -> None:
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    browser.addheaders = [("Accept", "text/html")]

    def send(path: str, **form: str) -> tuple[str, str]:
        data = urllib.parse.urlencode(form).encode() if form else None
        with browser.open(shop.url() + path, data=data, timeout=10) as reply:
            return reply.geturl(), reply.read().decode()

    send("/cart", sku="SKU-0021", quantity="2", add="1")
    _, page = send("/cart", sku="SKU-0021", quantity="1", add="1")
    assert 'value="3"' in page
    _, page = send("/checkout")
    found = re.search(r'name="key" value="([^"]+)"', page)
    assert found is not None
    where, page = send("/checkout", key=found[1], customer="Ada <b>")
    assert "/orders/" in where
    assert "Thank you, Ada &lt;b&gt;" in page
    _, page = send("/cart")
    assert "nothing in it yet" in page, "the cart is empty after the order"
    shop.wait_drained()
    _, page = send(urllib.parse.urlsplit(where).path)
    assert "<strong>Paid</strong>" in page
    assert "Shipment booked" in page


def test_a_page_too_many_cookies_cannot_break(shop: Shop) -> None:
    for cookie in ("cart=SKU-0001.0_x_SKU-0002.100", "cart=" + "_".join(["SKU-0001.1"] * 200), "cart=%00"):
        assert shop.get("edge", "/cart", headers=HTML | {"Cookie": cookie})[0] == 200


def test_the_edge_refuses_an_odd_request_line(shop: Shop) -> None:
    import socket

    with socket.create_connection(("127.0.0.1", shop.ports["edge", "http"]), timeout=5) as connection:
        connection.sendall(b"GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = connection.recv(100)
    assert answer.split()[1] in (b"200", b"400"), "answered by the shop itself, or not at all"
