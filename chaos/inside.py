"""What runs inside the sandbox's world: `python -m chaos.inside ORDER`, started by `targets/world.py`.

Becomes the supervisor and forks the conductor, which mounts a small file system for the data, brings the shop up, opens
its page, and then either plays an experiment or just keeps the shop until it is told to end.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from chaos.errors import ChaosError, SandboxError
from chaos.folder import RunFolder
from chaos.shipped import load_system, shop_folder
from chaos.targets.base import Capability, Refusal, Terrain
from chaos.targets.embedded import Embedded
from chaos.targets.page import open_page
from chaos.targets.supervisor import supervise
from chaos.watch import Interrupts

_DATA_SIZE = "2g"
_POLL_S = 0.1


def main() -> None:
    """Reads the order from the arguments and supervises what it asks for."""
    order = json.loads(sys.argv[1])
    supervise(lambda: _act(order))


def _act(order: dict[str, Any]) -> int:
    interrupts = Interrupts()
    folder = RunFolder(Path(order["folder"]))
    data = Path(order["data"])
    if order["namespaces"]:
        _mount_memory(data)
    missing = {Capability(name): Refusal(*refusal) for name, refusal in order["missing"].items()}
    terrain = Terrain(load_system(), missing)
    target = Embedded(terrain, code=shop_folder(), data=data, logs=folder.logs, weak=order["weak"])
    entrance = terrain.system.entrance
    if order["page"] is not None:
        host, port = target.url(entrance.service, entrance.port).removeprefix("http://").rsplit(":", 1)
        open_page(order["page"], host, int(port))
    if order["experiment"]:
        _conduct(order, folder, target, interrupts)
        if not order["keep"] or interrupts():
            return 0
    else:
        try:
            target.up(interrupted=interrupts)
        except ChaosError as error:
            _tell(order, error={"what": error.what, "remedy": error.remedy, "exit": int(error.exit)})
            return int(error.exit)
    _tell(order, ready=True)
    while not interrupts():
        time.sleep(_POLL_S)
    target.down()
    return 0


def _conduct(order: dict[str, Any], folder: RunFolder, target: Embedded, interrupts: Interrupts) -> None:
    from rich.console import Console

    from chaos.conduct import Run, conduct  # not needed where the shop only stands by
    from chaos.judge import unsteady_baseline
    from chaos.parse import parse
    from chaos.plan import describe_steps, plan
    from chaos.report.live import Live

    experiment = parse(folder.experiment).experiment
    timeline = plan(experiment, target.terrain.system, order["seed"])
    run = Run(experiment, timeline, folder, order["argv"], order["seed"], order["sandbox"])
    view = Live(Console(stderr=order["quiet"]), experiment.title, describe_steps(timeline), timeline.phases)
    try:
        conduct(run, target, view, interrupts, unsteady_baseline)
    finally:
        view.stop()


def _mount_memory(folder: Path) -> None:
    """A file system in memory over `folder`, seen only in here and gone with the mount namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, f"size={_DATA_SIZE}".encode()):
        number = ctypes.get_errno()
        raise SandboxError(f"no file system in memory on {folder}: {os.strerror(number)}")


def _tell(order: dict[str, Any], **message: Any) -> None:
    os.write(order["messages"], (json.dumps(message) + "\n").encode())


if __name__ == "__main__":
    main()
