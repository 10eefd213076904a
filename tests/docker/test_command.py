"""Commands in containers: what they say, and that the time they have is kept."""

from __future__ import annotations

import time

import pytest

from chaos.errors import FaultError
from tests.docker.small_project import SmallProject

pytestmark = pytest.mark.docker


def test_the_exit_code_and_both_outputs_are_returned(small: SmallProject) -> None:
    small.add("web")
    target = small.target()
    code, said = target.run("web", ["sh", "-c", "echo out; echo err >&2; exit 3"], 10)
    assert code == 3
    assert sorted(said.split()) == ["err", "out"]


def test_what_is_printed_at_once_is_never_lost(small: SmallProject) -> None:
    small.add("web")
    target = small.target()
    for number in range(15):
        assert target.run("web", ["echo", str(number)], 10) == (0, f"{number}\n")


def test_no_more_than_a_mebibyte_is_kept(small: SmallProject) -> None:
    small.add("web")
    code, said = small.target().run("web", ["head", "-c", "3000000", "/dev/zero"], 10)
    assert (code, len(said)) == (0, 1 << 20)


@pytest.mark.parametrize(
    "command", ["sleep 1001 & sleep 1002", "exec >&- 2>&-; sleep 1001", "trap '' TERM; setsid sleep 1001; true"]
)
def test_what_takes_too_long_is_killed_with_all_it_started(small: SmallProject, command: str) -> None:
    identity = small.add("web")
    target = small.target()
    begun = time.monotonic()
    with pytest.raises(TimeoutError, match=r"longer than 0\.5 s"):
        target.run("web", ["sh", "-c", command], 0.5)
    assert time.monotonic() - begun < 5
    left = [process[-1] for process in small.client.api.top(identity)["Processes"]]
    assert not [process for process in left if "sleep" in process]
    assert len(target.processes("web")) == 1
    assert small.helpers_left(within_s=5) == []


def test_two_alike_do_not_end_each_other(small: SmallProject) -> None:
    identity = small.add("web")
    api = small.client.api
    other = api.exec_create(identity, ["sleep", "1001"])["Id"]
    api.exec_start(other, detach=True)
    with pytest.raises(TimeoutError):
        small.target().run("web", ["sleep", "1001"], 0.5)
    assert api.exec_inspect(other)["Running"]


@pytest.mark.parametrize(("state", "message"), [("paused", "paused"), ("killed", "not running")])
def test_a_container_that_cannot_run_it_is_an_error_and_no_hang(small: SmallProject, state: str, message: str) -> None:
    small.add("web")
    target = small.target()
    target.pause("web") if state == "paused" else target.kill("web")
    begun = time.monotonic()
    with pytest.raises(FaultError, match=message):
        target.run("web", ["true"], 5)
    assert time.monotonic() - begun < 2


def test_a_command_that_is_not_in_the_image_fails(small: SmallProject) -> None:
    small.add("web")
    try:
        code, said = small.target().run("web", ["no-such-program"], 5)
    except FaultError as error:  # newer engines refuse to start it
        said, code = error.what, 127
    assert code in (126, 127)
    assert "no-such-program" in said


def test_a_command_whose_container_dies_ends_at_once(small: SmallProject) -> None:
    small.add("web")
    target = small.target()
    begun = time.monotonic()
    code, _ = target.run("web", ["sh", "-c", "sleep 0.3; kill -TERM 1; sleep 1001"], 10)
    assert code == 137
    assert time.monotonic() - begun < 8
