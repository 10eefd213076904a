"""`proxy.slow_close` through a real Toxiproxy: answers come at once, and connections end late."""

from __future__ import annotations

import pytest

from tests.faults.proxied import On, Proxied

pytestmark = pytest.mark.docker


def test_connections_linger(proxied: Proxied) -> None:
    with On(proxied, "proxy.slow_close", delay="500ms") as on:
        assert proxied.call()[0] == "whole"
        evidence = on.evidence()
    assert evidence.effective, evidence
    assert 0.4 < evidence.measured["close_s_meanwhile"] < 1.5
    assert evidence.measured["close_s_before"] < 0.4
    assert evidence.measured["reply_s_meanwhile"] < 0.4
