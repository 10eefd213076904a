"""A project of a user's own, by the path of `chaos run`: found, refused, played; and what is not to be mistaken."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from chaos.errors import Exit, SandboxError, UsageError
from chaos.parse import parse
from chaos.plan import plan
from chaos.site import Site, find_site, settled
from chaos.targets.compose_sandbox import ComposeSandbox, open_target
from chaos.targets.docker.addresses import address_among, addresses_of
from chaos.targets.docker.agent_image import ensure_image
from chaos.targets.docker.engine import connect
from chaos.targets.order import Order
from tests.docker.small_project import PORT, SmallProject
from tests.end_to_end.command import chaos, journal

pytestmark = pytest.mark.docker

STARTED_WITHIN_S = 10.0
TRIES = 3
_EXPERIMENT = """\
title: The page comes back
sandbox: {{compose: compose.yml, project: {project}}}
load: {{http: [{{name: page, url: "web:{port}/", rate: 40/s}}]}}
phases: {{warmup: 1s, baseline: 3s, recovery: 6s}}
steady_state: {{page.success_rate: ">= 99%"}}
method: [{{fault: process.kill, target: web, for: 3s}}]
while_faulty: {{page.success_rate: "< 50%"}}
recovers: {{within: 4s}}
"""
_SERVE = ["python3", "-m", "http.server", str(PORT)]


def files(folder: Path, project: str, *services: str, more: str = "") -> Path:
    """An experiment on a project with these services, and the compose file that it names."""
    listed = "".join(f"  {name}: {{expose: [{PORT}]}}\n" for name in services)
    (folder / "compose.yml").write_text(f"services:\n{listed}  debugger: {{profiles: [debug]}}\n")
    file = folder / "comes-back.yaml"
    file.write_text(_EXPERIMENT.format(project=project, port=PORT) + more)
    return file


def sandbox(site: Site, folder: Path) -> ComposeSandbox:
    """The target as the conductor has it."""
    return open_target(Order(site.run, folder, folder, False, site.system, {}, compose=site.compose))


def add_container(small: SmallProject, service: str, command: list[str], **wanted: Any) -> Any:
    """A container of the project with a command of its own, offered for faults."""
    labels = {
        "com.docker.compose.project": small.name,
        "com.docker.compose.service": service,
        "com.docker.compose.container-number": "1",
        "chaos.allowed": "true",
    }
    return small.client.containers.run(
        ensure_image(connect()), command, detach=True, labels=labels, network=small.name, **wanted
    )


def test_a_project_that_is_not_there_is_told_with_those_that_are(small: SmallProject, tmp_path: Path) -> None:
    small.add("web")
    file = files(tmp_path, small.name + "s", "web")
    with pytest.raises(SandboxError, match=f"called {small.name}s is there; did you mean '{small.name}'; there are: "):
        find_site(file, None, [])


def test_nothing_is_done_to_what_was_not_offered(small: SmallProject, tmp_path: Path) -> None:
    small.add("web")
    small.add("db", allowed=False)
    for more, refused in (
        ("", None),
        ("probes: {p: {command: [ls], on: db}}", "db"),
        ("probes: {p: {state: db}}", None),
    ):
        file = files(tmp_path, small.name, "web", "db", more=more)
        for owned in ([], [small.name]):
            site = find_site(file, None, owned)
            timeline = plan(parse(file).experiment, site.system, 1)
            if refused and not owned:
                with pytest.raises(UsageError, match=f"{refused} of project {small.name} is not offered"):
                    settled(site, timeline)
            else:
                assert settled(site, timeline) is not None


def test_a_job_that_is_done_and_a_profile_that_is_not_up_keep_nothing_from_running(
    small: SmallProject, tmp_path: Path
) -> None:
    small.add("web")
    job = add_container(small, "migrate", ["true"])
    job.wait(timeout=STARTED_WITHIN_S)
    target = sandbox(find_site(files(tmp_path, small.name, "web", "migrate"), None, []), tmp_path)
    target.up(interrupted=lambda: False)
    assert (target.ended(), target.unready()) == ({}, [])


def test_a_container_that_comes_during_the_run_is_told(small: SmallProject, tmp_path: Path) -> None:
    small.add("web")
    target = sandbox(find_site(files(tmp_path, small.name, "web"), None, []), tmp_path)
    target.up(interrupted=lambda: False)
    assert target.unready() == []
    small.add("web", 2)
    told = [f"{name} (which came during the run)" for name in ("web-1", "web-2")]
    assert [each for each in target.unready() if "came" in each] == told


@pytest.mark.parametrize(("command", "restart"), [(["false"], "no"), (["sh", "-c", "sleep 0.5"], "always"), ([], "")])
def test_a_service_that_does_not_run_is_told(
    small: SmallProject, tmp_path: Path, command: list[str], restart: str
) -> None:
    small.add("web")
    if command:
        gone = add_container(small, "db", command, restart_policy={"Name": restart})
        if restart == "always":
            gone.stop(timeout=0)
        gone.wait(timeout=STARTED_WITHIN_S)
    target = sandbox(find_site(files(tmp_path, small.name, "web", "db"), None, []), tmp_path)
    with pytest.raises(SandboxError, match=f"of the project {small.name} these do not run: db") as raised:
        target.up(interrupted=lambda: False)
    assert "up -d" in str(raised.value)


def test_a_peer_is_known_by_its_addresses_on_all_networks() -> None:
    networks = {"front": {"IPAddress": "198.19.1.2"}, "back": {"IPAddress": "198.19.2.2"}, "host": {"IPAddress": ""}}
    web = {"NetworkSettings": {"Networks": networks}}
    assert addresses_of("web", web) == ["198.19.2.2", "198.19.1.2"]
    assert address_among("web", web, [["front"], ["front", "back"]]) == "198.19.1.2"


def test_a_container_that_comes_back_on_another_port_has_recovered(small: SmallProject, tmp_path: Path) -> None:
    """It is killed for good although its restart policy would start it again. A busy machine may need another run."""
    published = {f"{PORT}/tcp": ("127.0.0.1", None)}
    web = add_container(small, "web", _SERVE, ports=published, restart_policy={"Name": "always"})
    wait_until_up(web)
    for attempt in range(TRIES):
        before, runs = port_of(web), tmp_path / f"runs-{attempt}"
        done = chaos("run", files(tmp_path, small.name, "web"), "--report", runs)
        if done.code != Exit.INCONCLUSIVE:
            break
    assert port_of(web) != before, "the engine gave it the same port again, so nothing was put to the test"
    assert done.code == Exit.PASSED, done.out + done.err
    [healed] = [record for record in journal(runs) if record["event"] == "healed"]
    assert healed["effective"] is True and "none ran until the end" in healed["evidence"]


def wait_until_up(container: Any) -> None:
    """Until it listens; AssertionError with what it wrote."""
    deadline = time.monotonic() + STARTED_WITHIN_S
    while container.exec_run(
        ["python3", "-c", f"import socket; socket.create_connection(('127.0.0.1', {PORT}))"]
    ).exit_code:
        assert time.monotonic() < deadline, container.logs()
        time.sleep(0.1)


def port_of(container: Any) -> str:
    """Where its port is published at this moment."""
    container.reload()
    found: str = container.ports[f"{PORT}/tcp"][0]["HostPort"]
    return found
