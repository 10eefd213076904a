"""`proxy.latency` through a real Toxiproxy: replies are late for the caller, and for no longer than the fault."""

from __future__ import annotations

import pytest

from chaos.faults.base import Lease
from chaos.faults.proxy_latency import ProxyLatency
from chaos.targets.base import Link
from tests.faults.proxied import On, Proxied

pytestmark = pytest.mark.docker


class Forgetful(ProxyLatency):
    """Believes that it has put its toxic on."""

    def switch_on(self, link: Link, lease: Lease) -> None:
        """Does not."""


def test_replies_are_held_back(proxied: Proxied) -> None:
    quick = proxied.call()[1]
    with On(proxied, "proxy.latency", latency="300ms", jitter="20ms") as on:
        said, seconds, _ = proxied.call()
        assert said == "whole"
        assert 0.25 < seconds - quick < 1.0
        evidence = on.evidence()
    assert evidence.effective, evidence
    assert evidence.measured["packets_of_callers"] > 0
    assert proxied.call()[1] < 0.25


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_either_direction(proxied: Proxied, stream: str) -> None:
    with On(proxied, "proxy.latency", latency="200ms", stream=stream) as on:
        assert proxied.state().toxics[0].stream == stream
        assert proxied.call()[1] > 0.2
        assert on.evidence().effective


def test_without_callers_there_is_no_evidence(proxied: Proxied) -> None:
    with On(proxied, "proxy.latency", latency="200ms") as on:
        evidence = on.evidence()
    assert not evidence.effective
    assert evidence.summary == "nobody called web through the proxy while the fault was on"


def test_one_that_was_taken_off_by_somebody_else_is_not_on(proxied: Proxied) -> None:
    with On(proxied, "proxy.latency", latency="200ms") as on:
        proxied.here.proxy("web").remove(on.lease.id)
        assert not on.active()


def test_one_that_did_not_go_on_is_no_evidence(proxied: Proxied) -> None:
    """The callers came, but our own connection was as quick as before."""
    on = On(proxied, "proxy.latency", latency="200ms")
    on.fault = Forgetful.model_validate({"latency": "200ms"})
    on.fault.prepare(on.target, on.lease)
    on.seen = on.fault.before(on.target, on.lease)
    on.fault.inject(on.target, on.lease, on.seen)
    assert not on.active()
    proxied.call()
    evidence = on.evidence()
    assert not evidence.effective
    assert "met the fault: it took" in evidence.summary


def test_a_share_of_connections_meets_it(proxied: Proxied) -> None:
    with On(proxied, "proxy.latency", latency="200ms", toxicity="30%") as on:
        late = sum(proxied.call()[1] > 0.2 for _ in range(6))
        assert late < 6  # by chance all of them: one in 1,400
        evidence = on.evidence()
    assert evidence.effective, evidence  # by chance none of thirteen: one in a hundred
    assert evidence.measured["connections_tried"] <= 13
