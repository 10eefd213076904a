"""`resource.cpu` on a real container: throttled by the kernel, and afterwards its limits are what they were."""

from __future__ import annotations

import time
from typing import Any

import pytest

from chaos.errors import InjectFailed
from tests.faults.limited import Limited, On

pytestmark = pytest.mark.docker

_THROTTLED_WITHIN_S = 10.0  # on a busy machine it does not get what it may use


@pytest.mark.parametrize(
    "limits", [{}, {"nano_cpus": 10**9}, {"cpu_quota": 150_000, "cpu_period": 200_000}], ids=["none", "cpus", "quota"]
)
def test_throttled_and_exactly_as_before(limited: Limited, limits: dict[str, Any]) -> None:
    limited.hungry(**limits)
    before = limited.kernel()
    on = On(limited, "resource.cpu", percent="10%")
    on.inject()
    assert limited.kernel() != before
    deadline = time.monotonic() + _THROTTLED_WITHIN_S
    while not on.evidence().effective and time.monotonic() < deadline:
        time.sleep(0.2)
    evidence = on.evidence()
    assert evidence.effective, evidence
    assert evidence.measured["waited_s"] > 0
    on.heal()
    assert limited.kernel() == before


def test_one_that_has_less_already_cannot_be_starved(limited: Limited) -> None:
    limited.hungry(nano_cpus=5 * 10**7)
    with pytest.raises(InjectFailed, match="has no more than 5% of one CPU as it is"):
        On(limited, "resource.cpu", percent="5%").inject()


def test_one_that_wants_no_cpu_is_no_evidence(limited: Limited) -> None:
    limited.hungry(sated=True)
    on = On(limited, "resource.cpu", percent="20%")
    on.inject()
    time.sleep(0.5)
    assert not on.evidence().effective
    on.heal()


def test_one_that_was_removed_has_nothing_to_heal(limited: Limited) -> None:
    target = limited.hungry()
    on = On(limited, "resource.cpu", percent="20%")
    on.seen = {**on.fault.before(target, on.lease)}
    on.fault.inject(target, on.lease, on.seen)
    limited.client.api.remove_container(limited.identity, force=True)
    on.fault.heal(target, on.lease, on.seen)
    assert not on.fault.is_active(target, on.lease, on.seen)
