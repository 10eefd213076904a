"""A conductor without a load, for tests that kill it: `python -m tests.docker.conductor FOLDER ACTS [DEAF]`.

ACTS is JSON, a list of `[fault, service, parameters, for_s]`, all put on at once and in this order. Says `on` once they
are, holds them as long as a run would, and ends as a run does. With a third argument it lets its watchdog die first.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, cast

from chaos.faults import fault_class
from chaos.folder import RunFolder
from chaos.inject import Player
from chaos.journal import Journal
from chaos.plan import Plan, Step
from chaos.targets.compose_sandbox import open_target
from chaos.targets.order import Order
from chaos.watchdog import Watchdog


def main(path: str, acts: str, *deaf: str) -> None:
    """Plays the acts."""
    folder = RunFolder(Path(path))
    order = Order.from_json(folder.target.read_text())
    steps = tuple(
        Step(f"{number}-{word}-{service}", 0.0, for_s, fault_class(word).model_validate(parameters), service, 7)
        for number, (word, service, parameters, for_s) in enumerate(json.loads(acts))
    )
    longest_s = max(step.for_s for step in steps)
    plan = Plan(cast(Any, None), 7, steps, 0.0, 0.0, longest_s, 0.0)
    began = time.monotonic()
    target = open_target(order)
    with Watchdog(order) as watchdog, Journal(folder.journal, lambda: time.monotonic() - began) as journal:
        say(str(watchdog.pid))
        if deaf:
            os.kill(watchdog.pid, signal.SIGKILL)
        journal.write("run", t0=began, sandbox="compose")
        player = Player(target, journal, lambda _: None)
        player.prepare(plan)
        ready = time.monotonic()
        try:
            player.play(plan, lambda at_s: _hold(ready + at_s, player, steps))
        finally:
            player.heal_all()
            target.down()
        journal.write("done")


def _hold(until: float, player: Player, steps: tuple[Step, ...]) -> bool:
    if sum(on.went_on for on in player.on.values()) == len(steps):
        say("on")
    time.sleep(max(0.0, until - time.monotonic()))
    return True


def say(line: str) -> None:
    """A line for the test."""
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
