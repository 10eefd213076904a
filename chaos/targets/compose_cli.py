"""The program that understands compose files: the `docker compose` plugin, or the older `docker-compose`.

Brings a project up and takes it down; everything else is asked of the engine itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from chaos.errors import SandboxError

_ANSWER_WITHIN_S = 20.0
_LOOK_EVERY_S = 0.05
_LINES_SHOWN = 15


def find_compose() -> list[str]:
    """How it is called here; raises SandboxError where there is none."""
    if shutil.which("docker") and _answers(["docker", "compose", "version"]):
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise SandboxError(
        "neither `docker compose` nor `docker-compose` is installed",
        remedy="install the package docker-compose-plugin (Docker's own) or docker-compose (Debian, Ubuntu)",
    )


def compose(
    file: Path,
    project: str,
    words: Sequence[str],
    *,
    environment: Mapping[str, str],
    log: Path,
    within_s: float,
    interrupted: Callable[[], bool] = lambda: False,
) -> None:
    """Runs one command on a project; what it says goes to `log`. It ends with us, and when `interrupted` says so.

    Raises SandboxError with its last lines where it fails, or does not end in time.
    """
    argv = [*find_compose(), "-p", project, "-f", str(file), *words]
    with log.open("ab") as output:
        output.write(f"$ {' '.join(argv)}\n".encode())
        output.flush()
        with subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *argv],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process:
            deadline = time.monotonic() + within_s
            while (code := process.poll()) is None:
                if interrupted():
                    process.kill()
                    return
                if time.monotonic() > deadline:
                    process.kill()
                    raise SandboxError(
                        f"`{' '.join(argv)}` did not end within {within_s:.0f} s", remedy=f"what it said is in {log}"
                    )
                time.sleep(_LOOK_EVERY_S)
    if code:
        said = log.read_text(errors="replace").splitlines()[-_LINES_SHOWN:]
        raise SandboxError(f"`{' '.join(argv)}` failed:\n" + "\n".join(said), remedy=f"all of it is in {log}")


def _answers(argv: Sequence[str]) -> bool:
    try:
        return subprocess.run(argv, capture_output=True, timeout=_ANSWER_WITHIN_S, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False
