"""What goes wrong around a run on Docker: a clear error and the right exit code, nothing left, and never `passed`."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from docker.types import IPAMConfig, IPAMPool

from chaos.shipped import load_system, shop_folder
from chaos.targets.compose_sandbox import open_target, shop_environment
from chaos.targets.docker.engine import connect
from chaos.targets.order import Compose, Order
from tests.docker.injuries import look
from tests.docker.left import left_under, project_label
from tests.docker.pages_project import add_pages, experiment
from tests.docker.running import Running, write
from tests.docker.small_project import SmallProject
from tests.docker.test_remote_engine import Relay
from tests.end_to_end.command import EXPERIMENTS, argv, chaos, report, wait_for

pytestmark = pytest.mark.docker

STOCK = EXPERIMENTS / "replica-dies.yaml"
SAID_WITHIN_S = 15.0
NOBODY = 65534
LONG = "60s"


def containers(engine: Any) -> set[str]:
    """All containers that a run could have made: those with our labels."""
    return {row["Id"] for row in engine.api.containers(all=True, filters={"label": "chaos.run"})}


# ── nothing can be begun ─────────────────────────────────────────────────────────────────────────────────────────


def test_no_engine(nothing_left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    done = chaos("run", STOCK, "--sandbox", "compose", "--report", nothing_left / "runs", within_s=SAID_WITHIN_S)
    assert done.code == 5, done.out + done.err
    assert "no Docker engine answers at tcp://127.0.0.1:9" in done.err
    assert "sudo systemctl start docker" in done.err
    assert not list(nothing_left.iterdir()), "something was begun"


def test_a_socket_that_is_for_others(engine: Any) -> None:
    if os.geteuid():
        pytest.skip("NOT TESTED HERE: only root can become somebody without permission")
    nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]
    if subprocess.run([*nobody, *argv("--version")], capture_output=True, check=False).returncode:
        pytest.skip(f"NOT TESTED HERE: {sys.executable} is not for others")
    with tempfile.TemporaryDirectory() as home:  # not below pytest's folder, which is for its owner alone
        os.chown(home, NOBODY, NOBODY)
        done = subprocess.run(
            [*nobody, *argv("run", STOCK, "--sandbox", "compose", "--report", f"{home}/runs")],
            env={**os.environ, "HOME": home, "XDG_STATE_HOME": f"{home}/state"},
            capture_output=True,
            text=True,
            timeout=SAID_WITHIN_S,
            check=False,
        )
        assert done.returncode == 5, done.stdout + done.stderr
        assert "no permission to use the Docker engine" in done.stderr
        assert "usermod -aG docker" in done.stderr
        assert not list(Path(home).iterdir()), "something was begun"


def test_no_compose(engine: Any, nothing_left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (nothing_left / "bin").mkdir()
    setpriv = shutil.which("setpriv")
    assert setpriv is not None
    (nothing_left / "bin" / "setpriv").symlink_to(setpriv)
    monkeypatch.setenv("PATH", str(nothing_left / "bin"))
    done = chaos("run", STOCK, "--sandbox", "compose", "--report", nothing_left / "runs", within_s=SAID_WITHIN_S)
    assert done.code == 5, done.out + done.err
    assert "neither `docker compose` nor `docker-compose` is installed" in done.err
    assert "docker-compose-plugin" in done.err
    assert not (nothing_left / "runs").exists(), "something was begun"


# ── a project of the user's own ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def own(small: SmallProject) -> SmallProject:
    """Pages on `web`, and a `db` that nobody asks."""
    add_pages(small)
    return small


Begin = Callable[..., Running]


@pytest.fixture
def begin(own: SmallProject, nothing_left: Path) -> Iterator[Begin]:
    """Starts a run with one fault on `db`."""
    made: list[Running] = []

    def start(fault: str, *, lasts: str = LONG, **environment: str) -> Running:
        acts = [{"fault": fault, "target": "db", "for": lasts}]
        file = experiment(nothing_left, own, acts)
        made.append(Running(nothing_left, file, **environment))
        return made[-1]

    yield start
    for run in made:
        run.close()


def test_an_engine_that_goes_away_in_the_middle_of_a_fault(own: SmallProject, begin: Begin) -> None:
    here = connect().address
    if not here.startswith("unix://"):
        pytest.skip(f"NOT TESTED HERE: the engine at {here} is remote already")
    socket = here.removeprefix("unix://")
    relay = Relay(socket)
    before = look(own.client, own.name)
    run = begin("process.pause", DOCKER_HOST=relay.address)
    run.wait_for("injected")
    relay.cut()
    gone_at = time.monotonic()
    code, out = run.end()
    assert time.monotonic() - gone_at < SAID_WITHIN_S * 2, "the run waited for an engine that is gone"
    assert code == 4, out
    assert "NOT HEALED" in out and "chaos heal" in out, out
    assert before.differences(look(own.client, own.name)), "healed without an engine?"
    assert relay.address in run.heal(code=4), "what would not heal is said, with what to type"
    again = Relay(socket, port=int(relay.address.rpartition(":")[2]))
    try:
        assert "healed     process.pause on db" in run.heal(DOCKER_HOST=relay.address)
        assert before.differences(look(own.client, own.name)) == []
        assert run.heal(DOCKER_HOST=relay.address) == "nothing to heal\n"
    finally:
        again.cut()


@pytest.mark.parametrize(
    ("fault", "exit_code"),
    [("process.pause", 3), ("network.partition", 3), ("process.kill", 4)],  # what was killed cannot be started again
)
def test_a_target_that_is_removed_in_the_middle_of_a_fault(
    fault: str, exit_code: int, own: SmallProject, begin: Begin
) -> None:
    run = begin(fault, lasts="3s")
    run.wait_for("injected")
    [target] = own.client.containers.list(
        all=True, filters={"label": [project_label(own.name), "com.docker.compose.service=db"]}
    )
    target.remove(force=True)
    code, out = run.end()
    assert code == exit_code, out
    assert report(run.folder())["verdict"] == "inconclusive"
    assert "Traceback" not in out
    assert run.heal() == "nothing to heal\n"


def test_a_target_that_was_not_offered(small: SmallProject, nothing_left: Path) -> None:
    add_pages(small, allowed=False)
    before = look(small.client, small.name)
    acts = [{"fault": "process.kill", "target": "db", "for": LONG}]
    file = experiment(nothing_left, small, acts)
    done = chaos("run", file, "--report", nothing_left / "runs", within_s=SAID_WITHIN_S)
    assert done.code == 2, done.out + done.err
    assert f"db of project {small.name} is not offered for faults, so nothing was done to it" in done.err
    assert "--i-own-this" in done.err
    assert before.differences(look(small.client, small.name)) == []
    assert not (nothing_left / "runs").exists(), "something was begun"


# ── a shop of the run's own ──────────────────────────────────────────────────────────────────────────────────────


def subnets(engine: Any, project: str) -> list[str]:
    """The addresses of a project's networks."""
    networks = engine.api.networks(filters={"label": project_label(project)})
    return [pool["Subnet"] for network in networks for pool in network["IPAM"]["Config"]]


@pytest.fixture
def shop_runs(nothing_left: Path, nothing_left_on_engine: list[str]) -> Iterator[Callable[[int, str], list[Running]]]:
    """Starts runs at the same moment, each in a shop of its own, of which nothing may be left."""
    made: list[Running] = []

    def start(count: int, lasts: str) -> list[Running]:
        for number in range(count):
            base = nothing_left / str(number)
            base.mkdir()
            acts = [{"fault": "process.pause", "target": "db-replica-1", "for": lasts}]
            made.append(Running(base, write(base / "experiment.yaml", acts), "--sandbox", "compose"))
        for run in made:
            run.wait_for("run")
            target = run.target()
            nothing_left_on_engine.extend([project_label(target["compose"]["project"]), f"chaos.run={target['run']}"])
        return made

    yield start
    for run in made:
        run.close()


def test_ctrl_c_while_the_shop_comes_up(engine: Any, shop_runs: Callable[[int, str], list[Running]]) -> None:
    [run] = shop_runs(1, LONG)
    label = project_label(run.target()["compose"]["project"])
    wait_for("the first container", lambda: left_under(engine, label))
    run.command.send_signal(signal.SIGINT)
    code, out = run.end()
    assert code == 130, out
    assert left_under(engine, label) == []
    assert run.events("ready") == []


def test_ctrl_c_in_the_middle_of_a_fault(engine: Any, shop_runs: Callable[[int, str], list[Running]]) -> None:
    [run] = shop_runs(1, LONG)
    run.wait_for("injected")
    run.command.send_signal(signal.SIGINT)
    code, out = run.end()
    assert code == 130, out
    [healed] = run.events("healed")
    assert healed["gone"] and "by" not in healed, "the conductor lives, so it heals"
    assert left_under(engine, project_label(run.target()["compose"]["project"])) == []


def test_two_runs_side_by_side(engine: Any, shop_runs: Callable[[int, str], list[Running]]) -> None:
    runs = shop_runs(2, "5s")
    for run in runs:
        run.wait_for("injected")
    projects = [run.target()["compose"]["project"] for run in runs]
    assert len({*subnets(engine, projects[0]), *subnets(engine, projects[1])}) == 2
    for run in runs:
        _, out = run.end()
        found = report(run.folder())
        # Two shops are much for two cores; what counts is that neither met the other.
        assert found["verdict"] == "passed" or "the load generator itself was late" in found["why"], out
        assert all(fault["effective"] and fault["healed"] for fault in found["faults"]), out


def test_a_network_that_somebody_else_takes_before_the_shop_does(
    engine: Any, nothing_left: Path, nothing_left_on_engine: list[str]
) -> None:
    run = f"chaos-test-{secrets.token_hex(4)}"
    nothing_left_on_engine.append(project_label(run))
    environment = shop_environment(connect(), run, (), shop_folder() / "sandbox")
    pool = IPAMPool(subnet=f"{environment['SHOP_NET']}.0/24")
    taken = engine.networks.create(f"{run}-taken", ipam=IPAMConfig(pool_configs=[pool]))
    compose = Compose(shop_folder() / "compose.sandbox.yml", run, ours=True, owned=True, environment=environment)
    target = open_target(Order(run, nothing_left, nothing_left, False, load_system(), {}, compose=compose))
    try:
        target.up(interrupted=lambda: bool(subnets(engine, run)))
        assert subnets(engine, run) not in ([], [f"{environment['SHOP_NET']}.0/24"])
    finally:
        target.down()
        taken.remove()
