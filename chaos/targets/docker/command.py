"""A command in a container, with a time limit that is kept: the engine itself never ends a command it has started.

A command that takes too long is killed with all it started by a helper container in the target's process namespace,
which knows them by a variable in their environment. Nothing is needed in the target's image but the command itself.
Leaves out commands that wipe their own environment: those are said to be still there.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from typing import Any

from chaos.errors import FaultError
from chaos.targets.docker import agent_image, helper_container
from chaos.targets.docker.engine import Engine
from chaos.targets.docker.helper_container import Helper
from chaos.targets.docker.stream import Stream

_OUTPUT_BYTES_MAX = 1 << 20
_GONE_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.02
_MARK = "CHAOS_COMMAND"
# Again and again, because a process may start another one while we look.
_KILL = """
import glob, os, sys, time
mark = sys.argv[1].encode()
for _ in range(50):
    left = False
    for path in glob.glob("/proc/[0-9]*/environ"):
        pid = int(path.split("/")[2])
        try:
            if mark in open(path, "rb").read().split(b"\\0"):
                os.kill(pid, 9)
                left = True
        except OSError:
            pass
    if not left:
        break
    time.sleep(0.01)
"""


def run_command(
    engine: Engine, identity: str, name: str, argv: Sequence[str], *, timeout_s: float, run: str
) -> tuple[int, str]:
    """Its exit code, and what it printed (the first MiB); see targets/base.py for the contract.

    Raises TimeoutError when it took longer, and it is gone then; FaultError where it is not, or where it cannot be run:
    the container is paused or does not run.
    """
    mark = f"{_MARK}={secrets.token_hex(8)}"
    deadline = time.monotonic() + timeout_s
    with engine.doing(f"run `{' '.join(argv)}` in {name}") as api:
        command = api.exec_create(identity, list(argv), environment=[mark])["Id"]
        stream = Stream(api.exec_start(command, socket=True))
        try:
            output = _output(stream, deadline)
        finally:
            stream.close()
        if output is not None and (code := _code(api.exec_inspect, command, deadline)) is not None:
            return code, output
    _kill(engine, identity, name, mark, run)
    with engine.doing(f"look for `{' '.join(argv)}` in {name}") as api:
        if _code(api.exec_inspect, command, time.monotonic() + _GONE_WITHIN_S) is None:
            raise FaultError(
                f"`{' '.join(argv)}` in {name} took longer than {timeout_s:g} s, and could not be killed",
                remedy=f"`docker top {identity[:12]}` shows it; kill it there, or restart the container",
            )
    raise TimeoutError(f"`{' '.join(argv)}` in {name} took longer than {timeout_s:g} s")


def _output(stream: Stream, deadline: float) -> str | None:
    """What was printed until the end; None when there was no end in time."""
    output = bytearray()
    while frame := stream.read(deadline - time.monotonic()):
        if not frame.data:
            return output.decode(errors="replace")
        output += frame.data[: _OUTPUT_BYTES_MAX - len(output)]
    return None


def _code(inspect: Any, command: str, deadline: float) -> int | None:
    """The exit code; None while it runs still at the deadline. Output may end a moment before the process does."""
    while True:
        seen = inspect(command)
        if not seen["Running"]:
            return int(seen["ExitCode"] or 0)
        if time.monotonic() > deadline:
            return None
        time.sleep(_LOOK_EVERY_S)


def _kill(engine: Engine, identity: str, name: str, mark: str, run: str) -> None:
    helper = Helper(
        image=agent_image.ensure_image(engine),
        argv=("python3", "-I", "-c", _KILL, mark),
        role="killer",
        run=run,
        target=name,
        joins={"pid_mode": f"container:{identity}"},
        rights=("KILL", "SYS_PTRACE", "DAC_READ_SEARCH"),
    )
    _, stream = helper_container.start(engine, helper)
    stream.finish(_GONE_WITHIN_S)
