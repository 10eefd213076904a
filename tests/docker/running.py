"""A `chaos run` on Docker as a process of its own: the processes in it by their part, and what its folder says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from chaos.targets.processes import state
from tests.conftest import processes_of
from tests.end_to_end.command import argv, journal, wait_for

ON_WITHIN_S = 90.0  # a shop of its own may have to come up first
END_WITHIN_S = 60.0


class Running:
    """Started at once; everything of it is below `base`, its entry in the registry of runs too."""

    def __init__(self, base: Path, experiment: Path, *options: str, **environment: str) -> None:
        self.base = base
        self.runs = base / "runs"
        self._environment = {**os.environ, "XDG_STATE_HOME": str(base / "state"), **environment}
        self.command = subprocess.Popen(
            argv("run", experiment, "--report", self.runs, *options),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self._environment,
        )

    def events(self, name: str) -> list[dict[str, Any]]:
        """The events of that name in the journal so far."""
        return [record for record in journal(self.runs) if record["event"] == name]

    def wait_for(self, event: str, count: int = 1) -> None:
        """Until the journal has so many events of that name; fails with the output where the run ends before."""

        def there() -> bool:
            if self.command.poll() is not None:
                raise AssertionError(f"ended before {count} {event}: {self.command.communicate()[0]}")
            return len(self.events(event)) >= count

        wait_for(f"{count} {event}", there, within_s=ON_WITHIN_S)

    def pids(self) -> dict[str, int]:
        """Its processes by their part: command, supervisor, conductor, watchdog."""
        processes = {pid: text for pid, text in processes_of(self.base).items() if _lives(pid)}
        inside = sorted(pid for pid, text in processes.items() if "chaos.inside" in text)
        [watchdog] = [pid for pid, text in processes.items() if "chaos.watchdog" in text]
        return {
            "command": self.command.pid,
            "supervisor": inside[0],
            "conductor": inside[-1],
            "watchdog": watchdog,
        }

    def kill(self, *parts: str) -> None:
        """SIGKILL to these parts, at the same moment as far as that can be."""
        found = self.pids()
        for part in parts:
            os.kill(found[part], signal.SIGKILL)

    def end(self) -> tuple[int, str]:
        """The exit code and all that was said, once it has ended."""
        out = self.command.communicate(timeout=END_WITHIN_S)[0]
        return self.command.returncode, out

    def folder(self) -> Path:
        """The folder of the run."""
        [folder] = self.runs.iterdir()
        return folder

    def target(self) -> dict[str, Any]:
        """What the run's folder says of where it runs."""
        found: dict[str, Any] = json.loads((self.folder() / "target.json").read_text())
        return found

    def late_s(self, due_s: Sequence[float]) -> list[float]:
        """For faults due at these times of the fault phase: how much later the system itself showed them."""
        [began] = [event["t"] for event in self.events("phase") if event["name"] == "fault"]
        return [event["t"] - began - at_s for event, at_s in zip(self.events("injected"), due_s, strict=True)]

    def heal(self, *arguments: str, code: int = 0, **environment: str) -> str:
        """What `chaos heal` says."""
        done = subprocess.run(
            argv("heal", *arguments),
            env={**self._environment, **environment},
            capture_output=True,
            text=True,
            timeout=END_WITHIN_S,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def close(self) -> None:
        """Ends all of it, and heals what that leaves."""
        if self.command.poll() is None:
            self.command.kill()
            self.command.communicate()
        wait_for("every process of the run to end", lambda: not processes_of(self.base), within_s=END_WITHIN_S)
        self.heal()


def write(file: Path, acts: Sequence[Mapping[str, Any]], *, sandbox: str = "shop", pages: str = "") -> Path:
    """The shortest experiment there is: `sandbox` as the file says it, asked for one page; or the shop, for orders."""
    asked, stream = (
        (f'http: [{{name: pages, url: "{pages}", rate: 40/s}}]', "pages") if pages else ("orders: 40/s", "orders")
    )
    method = "\n".join(f"  - {_flow(act)}" for act in acts)
    file.write_text(f"""
title: In the middle of a fault
sandbox: {sandbox}
load: {{{asked}}}
phases: {{warmup: 0s, baseline: 1s, recovery: 1s}}
steady_state: {{{stream}.success_rate: ">= 50%"}}
method:
{method}
""")
    return file


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(each)}" for key, each in value.items()) + "}"
    return str(value)


def _lives(pid: int) -> bool:
    process = state(pid)
    return process is not None and process.state not in "ZX"
