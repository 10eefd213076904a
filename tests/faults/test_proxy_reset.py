"""`proxy.reset` through a real Toxiproxy: the caller sees its connection reset."""

from __future__ import annotations

import pytest

from tests.faults.proxied import On, Proxied

pytestmark = pytest.mark.docker


def test_the_caller_is_reset(proxied: Proxied) -> None:
    with On(proxied, "proxy.reset") as on:
        assert proxied.call()[0] == "reset"
        evidence = on.evidence()
    assert evidence.effective, evidence
    assert evidence.measured["ended_meanwhile"] == "reset"
    assert proxied.call()[0] == "whole"
