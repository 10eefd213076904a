"""Faults of a proxy are taken off by whoever comes: another process, after a death, and where the Toxiproxy hangs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chaos.errors import UsageError
from chaos.faults.base import Lease
from chaos.faults.proxy_latency import ProxyLatency
from tests.faults.proxied import MANIFEST, On, Proxied

pytestmark = pytest.mark.docker

_SAYS_SO_WITHIN_S = 20
_DYING = """
import json, sys, time
from chaos import faults
from chaos.faults.base import Lease
from chaos.system import System
from chaos.targets.base import Terrain
from chaos.targets.compose import ComposeTarget
from chaos.targets.docker.containers import Project
from chaos.targets.docker.engine import connect
from pathlib import Path
project, run, logs, manifest, word, parameters, lease = (json.loads(each) for each in sys.argv[1:])
target = ComposeTarget(
    Terrain(System.model_validate(manifest), {}), Project(connect(), project), run=run, allowed=False, logs=Path(logs)
)
fault, lease = faults.fault_class(word).model_validate(parameters), Lease(*lease)
seen = fault.before(target, lease)
fault.inject(target, lease, seen)
print(json.dumps(dict(seen)), flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize(("word", "parameters"), [("proxy.timeout", {"from": ["caller"]}), ("proxy.down", {})])
def test_after_sigkill_another_process_takes_it_off(proxied: Proxied, word: str, parameters: dict[str, Any]) -> None:
    lease = Lease(f"1-{word}-web", "web", 30.0, 1)
    told = [proxied.name, proxied.run, str(Path("/tmp")), MANIFEST, word, parameters, list(vars(lease).values())]
    with subprocess.Popen(
        [sys.executable, "-c", _DYING, *map(json.dumps, told)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as dying:
        assert dying.stdout is not None
        seen = json.loads(dying.stdout.readline())
        dying.send_signal(signal.SIGKILL)
    on = On(proxied, word, **parameters)
    on.target, on.seen = proxied.fresh(), seen
    assert on.active(), "it went with the process that put it on"
    assert proxied.call()[0] != "whole"
    on.heal()
    on.heal()
    assert not on.active()
    assert proxied.call()[0] == "whole"


def test_heal_without_inject_and_without_a_toxiproxy(proxied: Proxied) -> None:
    on = On(proxied, "proxy.latency", latency="100ms")
    on.heal()
    assert not on.active()
    proxied.here.kill("toxiproxy")
    try:
        on.heal()
        assert not on.active()
    finally:
        proxied.here.start("toxiproxy")
        proxied.here.open_proxies()


def test_a_toxiproxy_that_hangs_is_started_anew(proxied: Proxied) -> None:
    """Its API does not answer, as when taking a toxic off has dead-locked it."""
    with On(proxied, "proxy.latency", latency="100ms") as on:
        proxied.here.pause("toxiproxy")
        on.heal()
        assert not on.active()
    assert proxied.call()[0] == "whole"


def test_nothing_is_done_to_a_toxiproxy_that_was_not_offered(proxied: Proxied) -> None:
    manifest = {**MANIFEST, "proxy": {"service": "stranger", "clients": ["caller"]}}
    proxied.up("stranger", proxied.toxiproxy, ["-host=0.0.0.0"], offered=False)
    lease = Lease("1-proxy.latency-web", "web", 30.0, 1)
    with pytest.raises(UsageError, match="is not offered for faults, so nothing was done to it"):
        ProxyLatency.model_validate({"latency": "1s"}).prepare(proxied.fresh(manifest), lease)


def test_what_one_target_has_on_another_does_not_see(proxied: Proxied) -> None:
    """The package keeps its server's address on a class: two Toxiproxies at a time must not get mixed up."""
    proxied.up("other-toxiproxy", proxied.toxiproxy, ["-host=0.0.0.0"])
    other = proxied.fresh({**MANIFEST, "proxy": {**MANIFEST["proxy"], "service": "other-toxiproxy"}})
    other.open_proxies()
    there = other.proxy("web")
    with On(proxied, "proxy.down"):
        assert there.state().enabled
        there.enable(False)
    assert proxied.state().enabled
    assert not there.state().enabled
