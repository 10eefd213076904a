"""Rules over the method: faults that would undo each other, and faults that could not be done or would do nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.errors import InvalidExperiment
from chaos.shipped import load_system
from chaos.targets.base import Terrain
from chaos.validate import check
from tests.test_validate import GOOD, METHOD, place, wrong


@pytest.fixture
def terrain() -> Terrain:
    return Terrain(load_system(), missing={})


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        ("process.kill, target: edge, at: 0s, for: 5s", "process.kill, target: edge, at: 4s, for: 5s", True),
        ("process.kill, target: edge, at: 0s, for: 5s", "process.kill, target: edge, at: 5s, for: 5s", False),
        ("process.kill, target: edge, at: 0s, for: 5s", "process.kill, target: worker, at: 0s, for: 5s", False),
        ("process.kill, target: edge, at: 0s, for: 5s", "process.pause, target: edge, at: 4s, for: 5s", True),
        ("process.kill, target: {one of: storefronts}, for: 5s", "process.pause, target: storefront-2, for: 5s", True),
        ("process.kill, target: {all of: storefronts}, for: 5s", "process.pause, target: edge, for: 5s", False),
        (
            "payment.outage, target: payments, with: {mode: hang}, for: 5s",
            "payment.reply_lost, target: payments, with: {percent: 10%}, for: 5s",
            True,
        ),
        (
            "process.pause, target: payments, for: 5s",
            "payment.outage, target: payments, with: {mode: hang}, for: 4s",
            True,
        ),
        ("payment.reply_lost, target: shipping, for: 5s", "process.kill, target: shipping, at: 4s, for: 5s", True),
        ("process.restart, target: payments, for: 5s", "payment.reply_lost, target: payments, at: 5s, for: 5s", False),
        ("process.kill, target: payments, for: 5s", "payment.reply_lost, target: shipping, for: 5s", False),
        (
            "network.latency, target: edge, with: {delay: 5ms}, for: 5s",
            "network.loss, target: edge, with: {percent: 10%}, for: 5s",
            False,
        ),
        (
            "network.latency, target: edge, with: {delay: 5ms}, for: 5s",
            "process.kill, target: edge, for: 5s",
            False,
        ),
    ],
)
def test_faults_that_would_undo_each_other(
    tmp_path: Path, terrain: Terrain, first: str, second: str, clash: bool
) -> None:
    text = GOOD.replace(METHOD, f"  - {{fault: {first}}}\n  - {{fault: {second}}}\n").replace("99.5", "95")
    file = tmp_path / "x.yaml"
    file.write_text(text)
    if clash:
        with pytest.raises(InvalidExperiment, match=r":12:13: .* of line 11 can both be on .* undo or mask each other"):
            check(file, terrain)
    else:
        check(file, terrain)


@pytest.mark.parametrize(
    ("parameters", "clash"),
    [
        ("", True),
        (", with: {to: [worker]}", False),
        (", with: {ports: [8080]}", False),
        (", with: {ports: [8080, CONTROL]}", True),
    ],
)
@pytest.mark.parametrize("network_first", [True, False])
def test_a_third_party_must_be_within_reach_when_it_is_told_to_behave(
    tmp_path: Path, terrain: Terrain, parameters: str, clash: bool, network_first: bool
) -> None:
    control = str(terrain.system.services["payments"].ports["control"])
    acts = [
        f"  - {{fault: network.partition, target: payments{parameters.replace('CONTROL', control)}, for: 10s}}\n",
        "  - {fault: payment.outage, target: payments, with: {mode: error}, for: 10s}\n",
    ]
    file = tmp_path / "x.yaml"
    file.write_text(GOOD.replace(METHOD, "".join(acts if network_first else acts[::-1])))
    if clash:
        with pytest.raises(InvalidExperiment, match=r":12:13: .* then payments cannot be told to behave again; name"):
            check(file, terrain)
    else:
        check(file, terrain)


@pytest.mark.parametrize(
    ("act", "at", "problem"),
    [
        ("network.latency, target: edge, with: {delay: 0s}, for: 20s", "0s}, for", "0s cannot be added; allowed: more"),
        ("network.latency, target: edge, with: {delay: 61s}, for: 20s", "61s", "61s cannot be added; allowed: more"),
        (
            "network.latency, target: edge, with: {delay: 5ms, jitter: 2min}, for: 20s",
            "2min",
            "120s is too much jitter; allowed: at most 60s",
        ),
        ("network.loss, target: edge, with: {percent: 0%}, for: 20s", "0%}, for", "0% drops nothing; allowed: 0.0001%"),
        (
            "network.partition, target: edge, for: 30ms",
            "30ms",
            "network.partition cannot be this short; allowed: at le",
        ),
        ("network.partition, target: edge, for: 25h", "25h", "network.partition cannot be this long; allowed: at most"),
        (
            "network.partition, target: storefront-1, with: {to: [cache, storefronts]}, for: 20s",
            "storefronts]",
            "storefront-1 cannot be its own peer, and is one of storefronts",
        ),
        (
            "network.partition, target: {one of: storefronts}, with: {to: [storefront-2]}, for: 20s",
            "storefront-2]",
            "storefront-2 cannot be its own peer",
        ),
        (
            "payment.outage, target: payments, with: {mode: slow, delay: 20min}, for: 20s",
            "20min",
            "1200s cannot be kept; allowed: more than 0s, at most 600s",
        ),
        (
            "payment.outage, target: payments, with: {mode: slow, delay: 0s}, for: 20s",
            "0s}, for",
            "0s cannot be kept; allowed: more than 0s",
        ),
        (
            "payment.outage, target: payments, with: {mode: error, percent: 0%}, for: 20s",
            "0%}, for",
            "0% is not one request; allowed: more than 0%",
        ),
        ("payment.reply_lost, target: payments, with: {percent: 0%}, for: 20s", "0%}, for", "0% is not one request"),
        ("payment.reply_lost, target: payments, for: 1h", "1h", "payment.reply_lost cannot be this long; allowed: at"),
    ],
)
def test_what_could_not_be_done_or_would_do_nothing(
    tmp_path: Path, terrain: Terrain, act: str, at: str, problem: str
) -> None:
    text = GOOD.replace(METHOD, f"  - {{fault: {act}}}\n").replace("99.5", "50")
    found = [each for each in wrong(tmp_path, text, terrain) if " samples, and the " not in each]
    assert len(found) == 1
    assert found[0].startswith(f"{place(text, at)}: {problem}"), found
