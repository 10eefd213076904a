"""What is done to the containers of a project, on a real engine."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from chaos.errors import FaultError, UsageError
from chaos.targets.base import ProcessState
from chaos.targets.compose import ComposeTarget
from tests.docker.small_project import SmallProject

pytestmark = pytest.mark.docker

ACTS: dict[str, Callable[[ComposeTarget], object]] = {
    "kill": lambda target: target.kill("web"),
    "start": lambda target: target.start("web"),
    "terminate": lambda target: target.terminate("web"),
    "pause": lambda target: target.pause("web"),
    "resume": lambda target: target.resume("web"),
    "agent": lambda target: target.agent("web"),
    "run": lambda target: target.run("web", ["true"], 5),
}


def states(target: ComposeTarget) -> str:
    return "".join(process.state for process in target.processes("web"))


def only(processes: list[ProcessState]) -> ProcessState:
    [process] = processes
    return process


def test_a_killed_container_is_down_and_starts_again_as_another_process(small: SmallProject) -> None:
    small.add("web")
    target = small.target()
    before = only(target.processes("web"))
    target.kill("web")
    assert target.processes("web") == []
    assert target.ended() == {"web": 137}
    assert target.unready() == ["web"]
    target.kill("web")  # harmless
    target.start("web")
    target.start("web")
    after = only(target.processes("web"))
    assert (after.pid, after.started) != (before.pid, before.started)
    assert after.started > before.started
    assert target.ended() == {}
    assert target.unready() == []


def test_pause_and_resume_may_be_asked_for_twice(small: SmallProject) -> None:
    small.add("web")
    target = small.target()
    for _ in range(2):
        target.pause("web")
        assert states(target) == "T"
    target.start("web")  # it runs, in a way
    assert states(target) == "T"
    assert target.unready() == ["web"]
    for _ in range(2):
        target.resume("web")
        assert states(target) == "S"


def test_a_paused_container_can_be_killed(small: SmallProject) -> None:
    small.add("web")
    target = small.target()
    target.pause("web")
    target.kill("web")
    assert states(target) == ""
    target.resume("web")  # harmless
    target.start("web")
    assert states(target) == "S"


@pytest.mark.parametrize("policy", ["always", "on-failure", "unless-stopped"])
def test_a_restart_policy_does_not_undo_a_kill(small: SmallProject, policy: str) -> None:
    small.add("web", restart_policy={"Name": policy})
    target = small.target()
    target.kill("web")
    time.sleep(1)  # the engine would wait for 0.1 s
    assert states(target) == ""


def test_terminate_is_the_containers_own_signal(small: SmallProject) -> None:
    small.add("web")
    target = small.target()
    deadline = time.monotonic() + 10
    while not target.ended() and time.monotonic() < deadline:  # at first it may not listen to the signal yet
        target.terminate("web")
        time.sleep(0.05)
    assert target.ended() == {"web": 7}


def test_two_replicas_are_two_targets(small: SmallProject) -> None:
    for number in (1, 2):
        small.add("web", number)
    target = small.target()
    target.pause("web-1")
    assert [only(target.processes(name)).state for name in ("web-1", "web-2")] == ["T", "S"]


def test_a_container_made_anew_in_mid_run_is_the_target_from_then_on(small: SmallProject) -> None:
    first = small.add("web")
    target = small.target()
    before = only(target.processes("web"))
    small.client.api.remove_container(first, force=True)
    assert target.processes("web") == []
    assert target.ended() == {"web": -1}
    target.resume("web")  # nothing is left to be resumed
    with pytest.raises(FaultError, match="removed"):
        target.start("web")
    small.add("web")
    assert only(target.processes("web")) != before


@pytest.mark.parametrize("act", ACTS)
def test_nothing_is_done_to_a_container_that_was_not_offered(small: SmallProject, act: str) -> None:
    small.add("web", allowed=False)
    target = small.target()
    before = target.processes("web")
    with pytest.raises(UsageError, match=f"web of project {small.name} is not offered") as caught:
        ACTS[act](target)
    assert f"--i-own-this {small.name}" in caught.value.remedy
    assert "chaos.allowed=true" in caught.value.remedy
    assert target.processes("web") == before
    assert small.helpers() == []


@pytest.mark.parametrize("act", ["pause", "run"])
def test_a_project_of_ones_own_needs_no_label(small: SmallProject, act: str) -> None:
    small.add("web", allowed=False)
    ACTS[act](small.target(allowed=True))


@pytest.mark.parametrize("act", ACTS)
def test_a_name_that_matches_nothing_is_never_success(small: SmallProject, act: str) -> None:
    small.add("edge")
    with pytest.raises(UsageError, match="no container called 'web'"):
        ACTS[act](small.target())
