"""What runs inside the sandbox's world: `python -m chaos.inside ORDER`, started by `targets/world.py`.

Becomes the supervisor and forks the conductor, which brings the shop up, opens its page, and then either plays an
experiment or just keeps the shop until it is told to end. On Docker there are no namespaces of ours to be inside of;
all else is the same. Whatever goes wrong before there is a journal is told to the command outside.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chaos.errors import ChaosError, SandboxError
from chaos.folder import RunFolder
from chaos.shipped import shop_folder
from chaos.targets.base import Sandbox
from chaos.targets.order import Order, Play
from chaos.targets.page import open_page
from chaos.targets.supervisor import supervise
from chaos.watch import Interrupts

_DATA_SIZE = "2g"
_POLL_S = 0.1


def main() -> None:
    """Reads the order from the arguments and supervises what it asks for."""
    order = Order.from_json(sys.argv[1])
    supervise(lambda: _act(order), temporary=order.data if order.sandbox == "loopback" else None)


def _act(order: Order) -> int:
    interrupts = Interrupts()
    try:
        with _watched(order) as watchdog_died:
            target = _target(order)
            try:
                _open_page(order, target)
                if order.play is None:
                    target.up(interrupted=interrupts)
                else:
                    _play(order, order.play, target, interrupts, watchdog_died)
                if order.play is None or order.play.keep:
                    _tell(order, ready=True)
                    while not interrupts():
                        time.sleep(_POLL_S)
            finally:
                target.down()
    except ChaosError as error:
        _tell(order, error={"what": error.what, "remedy": error.remedy})
        return int(error.exit)
    except Exception as error:  # noqa: BLE001  the edge of this world: the command outside must hear of it
        _tell(
            order, error={"what": f"{type(error).__name__}: {error}", "remedy": "`chaos doctor` says what is missing"}
        )
        return int(SandboxError.exit)
    return 0


@contextmanager
def _watched(order: Order) -> Iterator[Callable[[], str]]:
    """With a watchdog beside us where something could outlive us; gives what tells whether it died, and of what."""
    if order.compose is None:
        yield lambda: ""
        return
    from chaos.watchdog import Watchdog

    with Watchdog(order) as watchdog:
        yield watchdog.died


def _target(order: Order) -> Sandbox:
    if order.compose is not None:
        from chaos.targets.compose_sandbox import open_target

        return open_target(order)
    from chaos.targets.embedded import Embedded

    if order.namespaces:
        _mount_memory(order.data)
    return Embedded(
        order.terrain,
        namespaces=order.namespaces,
        code=shop_folder(),
        data=order.data,
        logs=RunFolder(order.folder).logs,
        weak=order.weak,
    )


def _open_page(order: Order, target: Sandbox) -> None:
    if order.page is not None:
        entrance = target.terrain.system.entrance
        assert entrance is not None
        host, port = target.url(entrance.service, entrance.port).removeprefix("http://").rsplit(":", 1)
        open_page(order.page, host, int(port))


def _play(order: Order, play: Play, target: Sandbox, interrupts: Interrupts, watchdog_died: Callable[[], str]) -> None:
    from chaos.conduct import Run, conduct  # not needed where the shop only stands by
    from chaos.judge import unsteady_baseline
    from chaos.parse import parse
    from chaos.plan import describe_steps, plan
    from chaos.report.live import Live, SteadfastConsole

    folder = RunFolder(order.folder)
    experiment = parse(folder.experiment).experiment
    timeline = plan(experiment, target.terrain.system, play.seed)
    run = Run(experiment, timeline, folder, play.argv, play.seed, order.sandbox)
    with Live(SteadfastConsole(stderr=play.quiet), experiment.title, describe_steps(timeline), timeline.phases) as view:
        conduct(run, target, view, interrupts, unsteady_baseline, watchdog_died)


def _mount_memory(folder: Path) -> None:
    """A file system in memory over `folder`, seen only in here and gone with the mount namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, f"size={_DATA_SIZE}".encode()):
        number = ctypes.get_errno()
        raise SandboxError(f"no file system in memory on {folder}: {os.strerror(number)}")


def _tell(order: Order, **message: Any) -> None:
    os.write(order.messages, (json.dumps(message) + "\n").encode())


if __name__ == "__main__":
    main()
