"""A person buys something: the pages of a real shop in a real browser, at the width of a desk and of a phone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import url_contains
from selenium.webdriver.support.wait import WebDriverWait

from tests.end_to_end.command import chaos

PAID_WITHIN_S = 10.0
ARRIVES_WITHIN_S = 10.0
CALM_WITHIN_S = 20.0
DESK, PHONE = (1280, 900), (390, 844)


@pytest.fixture
def shop(namespaces: None, nothing_left: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a shop that is up for one test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(nothing_left / "state"))
    up = chaos("sandbox", "up", "--report", nothing_left / "runs")
    assert up.code == 0, up.err
    yield json.loads((nothing_left / "state" / "chaos" / "sandbox.json").read_text())["url"]
    chaos("sandbox", "down")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_person_buys_a_lamp(browser: Chrome, shop: str, size: tuple[int, int]) -> None:
    browser.set_window_size(*size)
    browser.get(shop)
    assert len(browser.find_elements(By.CSS_SELECTOR, "a.card")) >= 10
    _fits(browser)

    search = browser.find_element(By.NAME, "q")
    search.send_keys("lamp")
    search.submit()
    _arrive(browser, "q=lamp")
    names = [name.text for name in browser.find_elements(By.CSS_SELECTOR, "a.card .name")]
    assert names
    assert all("lamp" in name.lower() for name in names)

    browser.find_element(By.CSS_SELECTOR, "a.card").click()
    _arrive(browser, "/products/")
    browser.find_element(By.NAME, "add").click()
    _arrive(browser, "/cart")
    assert names[0] in browser.page_source
    _fits(browser)

    browser.find_element(By.CSS_SELECTOR, "a.button[href='/checkout']").click()
    _arrive(browser, "/checkout")
    browser.find_element(By.NAME, "customer").send_keys("Ada <b>Lovelace</b>")
    _fits(browser)
    browser.find_element(By.CSS_SELECTOR, "form[action='/checkout'] button").click()
    _arrive(browser, "/orders/")
    assert "Ada <b>Lovelace</b>" in browser.find_element(By.TAG_NAME, "h1").text

    deadline = time.monotonic() + PAID_WITHIN_S
    while "Shipment booked" not in browser.page_source and time.monotonic() < deadline:
        time.sleep(0.2)
        browser.refresh()
    done = [step.text for step in browser.find_elements(By.CSS_SELECTOR, "ol.steps li.done strong")]
    assert done == ["Order placed", "Paid", "Shipment booked"]
    _fits(browser)
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]


def test_the_status_page_and_its_banner(browser: Chrome, shop: str) -> None:
    browser.get(f"{shop}status")
    assert "Payment" in browser.find_element(By.TAG_NAME, "main").text

    def all_is_well(page: Chrome) -> bool:
        page.get(shop)
        return not page.find_elements(By.CSS_SELECTOR, ".banner")

    # A shop that has only just come up may say for a moment that not every part answers yet.
    WebDriverWait(browser, CALM_WITHIN_S).until(all_is_well, "there is nothing to announce, yet there is a banner")


def _arrive(browser: Chrome, part: str) -> None:
    """A click only begins a journey: waits for the page it leads to, whole."""
    wait = WebDriverWait(browser, ARRIVES_WITHIN_S)
    wait.until(url_contains(part), f"never arrived at {part}")
    wait.until(lambda page: page.execute_script("return document.readyState") == "complete", "never finished loading")


def _fits(browser: Chrome) -> None:
    """Nothing has to be scrolled sideways."""
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
