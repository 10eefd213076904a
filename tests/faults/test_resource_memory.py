"""`resource.memory` on a real container: short of memory or killed over it, and afterwards as it was."""

from __future__ import annotations

import time
from typing import Any

import pytest

from chaos.errors import InjectFailed
from tests.faults.limited import HELD, Limited, On

pytestmark = pytest.mark.docker

_DIES_WITHIN_S = 5.0


def settled(on: On) -> None:
    """Waits until the container holds what it will hold."""
    deadline = time.monotonic() + _DIES_WITHIN_S
    while on.fresh().limits("hungry").usage().memory_bytes < HELD:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"mem_limit": "256m"},
        {"mem_limit": "256m", "memswap_limit": "256m"},
        {"mem_limit": "256m", "memswap_limit": -1},
    ],
    ids=["none", "memory", "no swap", "any swap"],
)
def test_killed_over_it_and_exactly_as_before(limited: Limited, limits: dict[str, Any]) -> None:
    limited.hungry(**limits)
    before = limited.kernel()
    on = On(limited, "resource.memory", limit="70MB")
    settled(on)
    on.inject()
    assert limited.kernel() != before
    limited.client.api.kill(limited.identity, "SIGUSR1")
    deadline = time.monotonic() + _DIES_WITHIN_S
    while on.fresh().processes("hungry"):
        assert time.monotonic() < deadline, "it was not killed"
        time.sleep(0.05)
    assert on.active()
    evidence = on.evidence()
    assert evidence.effective, evidence
    assert evidence.measured["oom_killed"]
    on.heal()
    assert on.fresh().processes("hungry")
    assert limited.kernel() == before


def test_with_enough_left_there_is_no_evidence_and_no_restart(limited: Limited) -> None:
    limited.hungry(mem_limit="256m")
    before = limited.kernel()
    on = On(limited, "resource.memory", limit="200MB")
    settled(on)
    on.inject()
    first = on.fresh().processes("hungry")[0].pid
    assert not on.evidence().effective
    on.heal()
    assert on.fresh().processes("hungry")[0].pid == first
    assert limited.kernel() == before


def test_one_that_has_less_already_cannot_be_made_short(limited: Limited) -> None:
    limited.hungry(mem_limit="64m")
    with pytest.raises(InjectFailed, match=r"may use no more than 67.1 MB as it is"):
        On(limited, "resource.memory", limit="100MB").inject()
