"""`proxy.limit` through a real Toxiproxy: pages break off."""

from __future__ import annotations

import pytest

from tests.faults.proxied import PAGE_BYTES, On, Proxied

pytestmark = pytest.mark.docker


def test_a_page_breaks_off(proxied: Proxied) -> None:
    with On(proxied, "proxy.limit", bytes="500B") as on:
        assert proxied.call()[0] == "IncompleteRead"
        evidence = on.evidence()
    assert evidence.effective, evidence
    assert evidence.measured["received_meanwhile"] <= 500
    assert proxied.call()[2] == PAGE_BYTES


def test_what_stays_below_is_no_evidence(proxied: Proxied) -> None:
    with On(proxied, "proxy.limit", bytes="100kB", stream="upstream") as on:
        assert proxied.call()[0] == "whole"
        evidence = on.evidence()
    assert evidence.effective or "alone" in evidence.summary
