"""A conductor in a process of its own on a small project, to be killed or frozen, and what is seen of it afterwards."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chaos.folder import RunFolder
from chaos.journal import read
from chaos.targets.order import Compose, Order
from chaos.targets.processes import state
from tests.docker import kernel
from tests.docker.small_project import SmallProject

HEALED_WITHIN_S = 5.0
_ENDS_WITHIN_S = 30.0
Act = tuple[str, str, dict[str, Any], float]


class KilledRun:
    """A run that somebody else ends; `services` is what it acts on."""

    def __init__(self, small: SmallProject, folder: Path) -> None:
        """Begins nothing; the run's folder will be in `folder`."""
        self.small, self.folder = small, RunFolder(folder / "run")
        self.folder.logs.mkdir(parents=True)
        compose = Compose(Path("compose.yml"), small.name, ours=False, owned=False)
        system = small.target().terrain.system
        self.order = Order(small.run, self.folder.path, folder, False, system, {}, compose=compose)
        self.folder.target.write_text(self.order.to_json())
        self.before = self.services()
        self.conductor: subprocess.Popen[str] | None = None
        self.watchdog = 0

    def start(self, *acts: Act, deaf: bool = False) -> None:
        """Returns once all acts are on."""
        argv = [sys.executable, "-m", "tests.docker.conductor", str(self.folder.path), json.dumps(acts)]
        self.conductor = subprocess.Popen([*argv, *(["deaf"] if deaf else [])], stdout=subprocess.PIPE, text=True)
        assert self.conductor.stdout is not None
        self.watchdog = int(self.conductor.stdout.readline())
        assert self.conductor.stdout.readline() == "on\n"

    def send(self, number: signal.Signals) -> None:
        """A signal to the conductor."""
        assert self.conductor is not None
        self.conductor.send_signal(number)

    def end(self) -> int:
        """The conductor's exit code, once it has ended."""
        assert self.conductor is not None
        return self.conductor.wait(_ENDS_WITHIN_S)

    def services(self) -> dict[str, tuple[bool, bool, bool, list[str] | None]]:
        """Of each container: running, paused (engine), frozen (kernel), its packet rules (kernel)."""
        found = {}
        for row in self.small.client.api.containers(
            all=True, filters={"label": f"com.docker.compose.project={self.small.name}"}
        ):
            now = self.small.client.api.inspect_container(row["Id"])["State"]
            running = bool(now["Running"] and now["Pid"])
            try:
                seen = (kernel.frozen(now["Pid"]), kernel.tables(now["Pid"])) if running else (False, None)
            except OSError:  # started again at this moment
                seen = (True, None)
            found[row["Labels"]["com.docker.compose.service"]] = (running, now["Paused"], *seen)
        return found

    def wait_until_healed(self) -> None:
        """Until the engine and the kernel show all as it was, and no helper and no watchdog is left."""

        def clean() -> bool:
            return self.services() == self.before and not self.small.helpers() and not lives(self.watchdog)

        wait_for(clean, HEALED_WITHIN_S, lambda: f"{self.services()}, helpers {self.small.helpers()}")

    def events(self, name: str) -> list[dict[str, Any]]:
        """The events of that name in the journal."""
        return [record for record in read(self.folder.journal) if record["event"] == name]


def wait_for(condition: Callable[[], bool], within_s: float, shown: Callable[[], str]) -> None:
    """Asks until it holds; fails with what is shown then."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, shown()
        time.sleep(0.01)


def lives(pid: int) -> bool:
    """Whether a process runs."""
    process = state(pid)
    return process is not None and process.state not in "ZX"
