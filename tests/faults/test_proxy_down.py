"""`proxy.down` with a real Toxiproxy: the caller is refused, and can be undone by another process."""

from __future__ import annotations

import pytest

from tests.faults.proxied import On, Proxied

pytestmark = pytest.mark.docker


def test_the_caller_is_refused(proxied: Proxied) -> None:
    with On(proxied, "proxy.down") as on:
        assert proxied.call()[0] == "refused"
        evidence = on.evidence()
    assert evidence.effective, evidence
    assert evidence.measured["ended_meanwhile"] == "refused"
    assert proxied.call()[0] == "whole"
