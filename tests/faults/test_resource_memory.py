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


def test_hardly_more_than_it_holds(limited: Limited) -> None:
    limited.hungry()
    before = limited.kernel()
    on = On(limited, "resource.memory", leave="4MB")
    settled(on)
    held = on.fresh().limits("hungry").usage().memory_held_bytes
    on.inject()
    assert HELD < held <= on.fresh().limits("hungry").memory_bytes() < held + 6_000_000
    on.heal()
    assert limited.kernel() == before


def test_started_again_with_less_than_it_needs(limited: Limited) -> None:
    limited.hungry(mem_limit="256m")
    before = limited.kernel()
    on = On(limited, "resource.memory", limit="20MB", restart=True)
    settled(on)
    on.inject()
    deadline = time.monotonic() + _DIES_WITHIN_S
    while on.fresh().processes("hungry"):
        assert time.monotonic() < deadline, "it was not killed"
        time.sleep(0.05)
    evidence = on.evidence()
    assert evidence.effective, evidence
    on.heal()
    settled(on)
    assert limited.kernel() == before


def test_less_than_it_holds_is_refused_or_kills(limited: Limited) -> None:
    """As the kernel has it: cgroup v1 refuses, v2 kills."""
    limited.hungry()
    before = limited.kernel()
    on = On(limited, "resource.memory", limit="20MB")
    settled(on)
    if "memory.max" in before:
        on.inject()
    else:
        with pytest.raises(InjectFailed, match="allow a little more, or `restart: true`"):
            on.inject()
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
