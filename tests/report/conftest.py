"""Whatever terminal the tests are run in, those of reports see a capable one, unless they ask for another."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def capable_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the caller's decides what rich draws."""
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
