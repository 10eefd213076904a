"""Rules over the method: faults that would undo each other, and faults that could not be done or would do nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.errors import InvalidExperiment
from chaos.shipped import load_system
from chaos.system import Proxy
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
        (
            "proxy.latency, target: cache, with: {latency: 1s}, for: 5s",
            "proxy.limit, target: cache, with: {bytes: 1kB}, for: 5s",
            False,
        ),
        ("proxy.latency, target: cache, with: {latency: 1s}, for: 5s", "proxy.down, target: cache, for: 5s", True),
        ("proxy.down, target: payments, for: 5s", "proxy.down, target: cache, for: 5s", False),
        (
            "resource.memory, target: edge, with: {limit: 64MB}, for: 5s",
            "process.pause, target: edge, for: 5s",
            True,
        ),
        (
            "resource.memory, target: edge, with: {limit: 64MB}, for: 5s",
            "resource.cpu, target: edge, with: {percent: 5%}, for: 5s",
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
        (
            "proxy.latency, target: edge, with: {latency: 1s}, for: 20s",
            "edge",
            "no proxy leads to edge; allowed: db-primary, db-replica-1, db-replica-2, cache, payments, shipping",
        ),
        (
            "proxy.latency, target: cache, with: {latency: 1ms}, for: 20s",
            "1ms",
            "1ms cannot be; allowed: 5ms to 60s",
        ),
        (
            "proxy.latency, target: cache, with: {latency: 1s, jitter: 2s}, for: 20s",
            "2s}",
            "2s cannot be; allowed: 0s to 1s",
        ),
        (
            "proxy.latency, target: cache, with: {latency: 1s, toxicity: 1%}, for: 20s",
            "1%",
            "1% of connections would hardly be seen; allowed: 5% to 100%",
        ),
        (
            "proxy.down, target: cache, with: {from: [storefronts, edge]}, for: 20s",
            "edge]",
            "edge cannot be told to call through the proxy",
        ),
        (
            "proxy.down, target: cache, with: {from: [storefrnts]}, for: 20s",
            "storefrnts",
            "there is no service or set 'storefrnts'; did you mean",
        ),
        (
            "proxy.bandwidth, target: cache, with: {rate: 10B/s}, for: 20s",
            "10B/s",
            "10B/s cannot be kept; allowed: 1kB/s to 100MB/s",
        ),
        (
            "proxy.limit, target: cache, with: {bytes: 1MB}, for: 20s",
            "1MB",
            "1MB cannot be told from no limit; allowed: at most 100kB",
        ),
        (
            "proxy.slice, target: cache, with: {size: 10B, variation: 10B}, for: 20s",
            "10B}",
            "pieces of 10B cannot vary by 10B; allowed: less than their size",
        ),
        (
            "resource.cpu, target: edge, with: {percent: 0.1%}, for: 20s",
            "0.1%",
            "0.1% of a CPU cannot be given; allowed: 1% to 100%",
        ),
        (
            "resource.memory, target: edge, with: {limit: 1MB}, for: 20s",
            "1MB",
            "1MB cannot be set; allowed: at least",
        ),
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


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        ("", "", False),
        ("from: [storefronts]", "from: [storefront-2, storefront-1]", False),
        ("", "from: [storefronts, worker]", False),
        ("from: [storefronts]", "", True),
        ("from: [storefronts]", "from: [worker]", True),
    ],
)
def test_all_faults_of_one_proxy_have_the_same_callers(
    tmp_path: Path, terrain: Terrain, first: str, second: str, clash: bool
) -> None:
    """There is one proxy per service called, and who calls through it is settled when the shop starts."""
    acts = [
        f"  - {{fault: proxy.down, target: cache, with: {{{first}}}, at: 0s, for: 5s}}\n",
        f"  - {{fault: proxy.timeout, target: cache, with: {{{second}}}, at: 6s, for: 5s}}\n",
        "  - {fault: proxy.down, target: payments, with: {from: [worker]}, for: 5s}\n",
    ]
    file = tmp_path / "x.yaml"
    file.write_text(GOOD.replace(METHOD, "".join(acts)).replace("99.5", "95"))
    if clash:
        with pytest.raises(InvalidExperiment, match=r":12:\d+: the proxy.down of line 11 sends .* name the same"):
            check(file, terrain)
    else:
        check(file, terrain)


def test_a_proxy_that_is_shared_takes_no_callers_and_one_that_is_not_there_no_fault(tmp_path: Path) -> None:
    system = load_system()
    file = tmp_path / "x.yaml"
    file.write_text(
        GOOD.replace(METHOD, "  - {fault: proxy.down, target: cache, with: {from: [worker]}, for: 5s}\n").replace(
            "99.5", "95"
        )
    )
    shared = system.model_copy(update={"proxy": Proxy(service="toxiproxy")})
    with pytest.raises(InvalidExperiment, match="the proxy is shared by all who call through it; leave `from` out"):
        check(file, Terrain(shared, missing={}))
    with pytest.raises(InvalidExperiment, match="no Toxiproxy stands in this system; name its service"):
        check(file, Terrain(system.model_copy(update={"proxy": None}), missing={}))
