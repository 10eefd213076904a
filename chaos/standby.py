"""The shop alone, for a game day or for looking at it: `chaos sandbox up`, `down` and `status`.

`up` leaves a keeper process behind, which holds the sandbox's life line and is ended by `down`. A small file in the
user's state folder says who the keeper is; what it says is believed only while a process with that start time runs.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from chaos.errors import Exit, SandboxError, UsageError
from chaos.folder import RunFolder, create, data_folder
from chaos.shipped import load_system
from chaos.targets.machine import survey, terrain
from chaos.targets.order import Order
from chaos.targets.processes import state
from chaos.targets.world import Ended, World

_UP_WITHIN_S = 90.0
_DOWN_WITHIN_S = 20.0
_ASK_EVERY_S = 0.1


@dataclass(frozen=True)
class Standby:
    """A shop that was brought up and left running."""

    pid: int
    started: int  # of the keeper, in clock ticks since boot
    url: str
    folder: str
    since: str
    weak: list[str]


def status() -> Standby | None:
    """The shop that is up, if there is one."""
    try:
        standby = Standby(**json.loads(_state_file().read_text()))
    except (OSError, ValueError, TypeError):  # none, or rubbish: nobody is believed to be the keeper
        return None
    keeper = state(standby.pid)
    return standby if keeper and keeper.started == standby.started and keeper.state not in "ZX" else None


def up(runs: Path, *, port: int, weak: Sequence[str]) -> Standby:
    """Brings the shop up and leaves it running.

    Raises UsageError when one is up already, SandboxError when it will not start.
    """
    there = status()
    if there:
        raise UsageError(f"the shop is up already, at {there.url}, since {there.since}", remedy="chaos sandbox down")
    protections = load_system().protections
    for name in weak:
        if name not in protections:
            raise UsageError(f"{name} is no protection of the shop; allowed: {', '.join(sorted(protections))}")
    folder = create(runs, "sandbox", None, datetime.now(UTC))
    keeper_log = folder.logs / "keeper.log"
    wanted = json.dumps({"folder": str(folder.path), "port": port, "weak": list(weak)})
    with keeper_log.open("wb") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-P", "-m", "chaos.standby", wanted],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + _UP_WITHIN_S
        while time.monotonic() < deadline and keeper.poll() is None:
            standby = status()
            if standby and standby.pid == keeper.pid:
                return standby
            time.sleep(_ASK_EVERY_S)
    except BaseException:  # Ctrl-C while it comes up: then it shall not come up
        keeper.terminate()
        raise
    keeper.terminate()
    raise SandboxError(
        f"the shop did not come up:\n{keeper_log.read_text(errors='replace').strip()}",
        remedy=f"the logs are in {folder.logs}; `chaos doctor` says what this machine lacks",
    )


def down() -> Standby | None:
    """Ends the shop that is up; None when there was none. Raises SandboxError when it does not end."""
    standby = status()
    if standby is None:
        _state_file().unlink(missing_ok=True)
        return None
    os.kill(standby.pid, signal.SIGTERM)
    deadline = time.monotonic() + _DOWN_WITHIN_S
    while status():
        if time.monotonic() > deadline:
            raise SandboxError(
                f"the keeper, process {standby.pid}, does not end", remedy=f"kill -9 {standby.pid} ends it and the shop"
            )
        time.sleep(_ASK_EVERY_S)
    _state_file().unlink(missing_ok=True)
    return standby


def keep(folder: RunFolder, *, port: int, weak: Sequence[str]) -> int:
    """The keeper: holds the shop's world until SIGTERM; returns its exit code, with the reason on standard error."""
    ended = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.append(True))
    machine = survey()
    namespaces = machine.namespaces is None
    ground = terrain(load_system(), machine)
    with _the_only_one() as alone, _page(port) as page, data_folder(folder, in_memory=namespaces) as data:
        if not alone or page is None:
            return Exit.NO_SANDBOX
        wanted = Order("", folder.path, data, namespaces, ground.system, dict(ground.missing), tuple(weak))
        with World(wanted, page) as world:
            while not ended:
                message = world.listen(_ASK_EVERY_S)
                if isinstance(message, Ended):
                    return message.code
                if message and "error" in message:
                    _complain(message["error"]["what"])
                    return Exit.NO_SANDBOX
                if message and message.get("ready"):
                    _remember(folder, page, weak)
    _state_file().unlink(missing_ok=True)
    return 0


@contextmanager
def _the_only_one() -> Iterator[bool]:
    """A lock that two keepers cannot both hold, however close together they were started."""
    file = _state_file().with_suffix(".lock")
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _complain("another shop is up, or is coming up; see `chaos sandbox status`")
            yield False
        else:
            yield True


@contextmanager
def _page(port: int) -> Iterator[socket.socket | None]:
    try:
        page = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        _complain(f"port {port} on loopback cannot be had: {error}; give another with --port")
        yield None
        return
    with page:
        yield page


def _complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _remember(folder: RunFolder, page: socket.socket, weak: Sequence[str]) -> None:
    me = state(os.getpid())
    assert me is not None
    url = f"http://127.0.0.1:{page.getsockname()[1]}/"
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    standby = Standby(me.pid, me.started, url, str(folder.path), since, list(weak))
    file = _state_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    written = file.with_suffix(f".{me.pid}")
    written.write_text(json.dumps(asdict(standby)))
    written.rename(file)


def _state_file() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "chaos" / "sandbox.json"


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    sys.exit(keep(RunFolder(Path(given["folder"])), port=given["port"], weak=given["weak"]))
