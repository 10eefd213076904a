"""`proxy.bandwidth` through a real Toxiproxy: a page takes as long as its bytes do."""

from __future__ import annotations

import pytest

from tests.faults.proxied import PAGE_BYTES, On, Proxied

pytestmark = pytest.mark.docker


def test_a_page_takes_its_time(proxied: Proxied) -> None:
    with On(proxied, "proxy.bandwidth", rate="4kB/s") as on:
        said, seconds, got = proxied.call()
        assert [said, got] == ["whole", PAGE_BYTES]
        assert 0.4 < seconds < 2.0
        evidence = on.evidence()
    assert evidence.effective, evidence
    assert proxied.call()[1] < 0.4


def test_a_limit_above_what_is_carried_anyway_is_no_evidence(proxied: Proxied) -> None:
    with On(proxied, "proxy.bandwidth", rate="100MB/s") as on:
        proxied.call()
        evidence = on.evidence()
    assert not evidence.effective
    assert "even without the limit" in evidence.summary
