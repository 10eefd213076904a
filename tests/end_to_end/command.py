"""Runs `chaos` the way a person does: as a process, in a folder of the test's own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
EXPERIMENTS = ROOT / "experiments"
LONGEST_RUN_S = 120


@dataclass(frozen=True)
class Done:
    """A finished command."""

    code: int
    out: str
    err: str

    def folder(self, base: Path) -> Path:
        """The one folder of its run."""
        (folder,) = [path for path in base.iterdir() if (path / "journal.jsonl").exists()]
        return folder


def chaos(*arguments: str | Path, within_s: float = LONGEST_RUN_S, cwd: Path | None = None) -> Done:
    """Runs a command to its end."""
    done = subprocess.run(
        argv(*arguments),
        capture_output=True,
        text=True,
        timeout=within_s,
        cwd=cwd,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def argv(*arguments: str | Path) -> list[str]:
    """The command line of this interpreter's `chaos`."""
    return [sys.executable, "-m", "chaos", *map(str, arguments)]


def report(folder: Path) -> dict[str, Any]:
    """The machine-readable report of a run."""
    found: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return found


def journal(base: Path) -> list[dict[str, Any]]:
    """The journal of the one run below `base` so far; empty before there is one."""
    files = list(base.glob("*/journal.jsonl"))
    if not files:
        return []
    return [json.loads(line) for line in files[0].read_text().splitlines() if line.endswith("}")]


def wait_for(what: str, condition: Callable[[], Any], *, within_s: float = 60.0) -> Any:
    """Waits until a condition is true and returns its value; fails the test with what was awaited."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {within_s:g} s in vain for {what}")
