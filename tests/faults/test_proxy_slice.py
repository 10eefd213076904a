"""`proxy.slice` through a real Toxiproxy: a page comes in pieces."""

from __future__ import annotations

import pytest

from tests.faults.proxied import PAGE_BYTES, On, Proxied

pytestmark = pytest.mark.docker


def test_in_pieces_with_pauses(proxied: Proxied) -> None:
    with On(proxied, "proxy.slice", size="200B", variation="20B", delay="50ms") as on:
        said, seconds, got = proxied.call()
        assert [said, got] == ["whole", PAGE_BYTES]
        assert 0.3 < seconds < 2.0  # some ten pieces
        evidence = on.evidence()
    assert evidence.effective, evidence
    assert evidence.measured["pieces_meanwhile"] > evidence.measured["pieces_before"]


def test_in_pieces_without(proxied: Proxied) -> None:
    with On(proxied, "proxy.slice", size="100B") as on:
        assert proxied.call()[2] == PAGE_BYTES
        evidence = on.evidence()
    assert evidence.effective, evidence
