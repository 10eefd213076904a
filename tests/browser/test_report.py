"""report.html in a real browser: opens offline, without any request, and fits a desk and a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from chaos.report import html
from chaos.verdict import Judgement
from tests.report.odd_samples import HOSTILE, NOT_HEALED
from tests.report.samples import FAILED, INCONCLUSIVE, PASSED

SAMPLES = {
    "passed": PASSED,
    "failed": FAILED,
    "inconclusive": INCONCLUSIVE,
    "not healed": NOT_HEALED,
    "hostile": HOSTILE,
}


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("judgement", SAMPLES.values(), ids=SAMPLES.keys())
def test_opens_offline_and_fits(browser: Chrome, tmp_path: Path, judgement: Judgement, width: int) -> None:
    page = tmp_path / "report.html"
    page.write_text(html.render(judgement))
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd(
        "Network.emulateNetworkConditions",
        {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0},
    )
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    )
    browser.get(page.as_uri())
    assert judgement.verdict.upper() in browser.find_element(By.CSS_SELECTOR, ".verdict").text.upper()
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.find_elements(By.CSS_SELECTOR, "svg")
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]
