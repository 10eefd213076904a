"""`proxy.timeout` through a real Toxiproxy: no answer, with a connection that is closed in the end or not."""

from __future__ import annotations

import pytest

from tests.faults.proxied import On, Proxied

pytestmark = pytest.mark.docker


def test_no_answer(proxied: Proxied) -> None:
    with On(proxied, "proxy.timeout") as on:
        assert proxied.call()[0] == "timeout"
        evidence = on.evidence()
    assert evidence.effective, evidence
    assert proxied.call()[0] == "whole"


def test_closed_after_a_while(proxied: Proxied) -> None:
    with On(proxied, "proxy.timeout", after="300ms") as on:
        said, seconds, _ = proxied.call()
        assert said == "closed"
        assert 0.25 < seconds < 1.5
        assert on.evidence().effective
