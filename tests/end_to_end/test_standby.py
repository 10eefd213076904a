"""`chaos sandbox up`, `status` and `down`: the shop alone, opened like a browser would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from tests.conftest import processes_of
from tests.end_to_end.command import chaos, wait_for

pytestmark = pytest.mark.usefixtures("namespaces")


@pytest.fixture
def state(nothing_left: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder of the test's own, and no shop left in it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(nothing_left / "state"))
    yield nothing_left
    chaos("sandbox", "down")


def test_up_status_down(state: Path) -> None:
    up = chaos("sandbox", "up", "--report", state / "runs")
    assert up.code == 0, up.out + up.err
    url = json.loads((state / "state" / "chaos" / "sandbox.json").read_text())["url"]
    assert url in up.out
    page = requests.get(url, timeout=10)
    assert page.status_code == 200
    assert "<html" in page.text
    found = requests.get(urljoin(url, "/status"), timeout=10)
    assert found.status_code == 200
    assert url in chaos("sandbox", "status").out
    again = chaos("sandbox", "up", "--report", state / "runs")
    assert again.code == 2
    assert "already" in again.err
    assert chaos("sandbox", "down").code == 0
    assert "not up" in chaos("sandbox", "status").out
    assert chaos("sandbox", "down").code == 0, "twice is harmless"
    wait_for("all its processes to be gone", lambda: not processes_of(state / "runs"), within_s=5)


def test_a_weakness_that_does_not_exist(state: Path) -> None:
    done = chaos("sandbox", "up", "--weak", "retrys", "--report", state / "runs")
    assert done.code == 2
    assert "allowed" in done.err
