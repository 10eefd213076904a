"""A process that outlives the conductor and heals in its place: `python -m chaos.watchdog FOLDER`.

Its standard input is a pipe from the conductor: when that dies, whatever killed it, the pipe closes, and the run is
healed at once; all that is slow has been done beforehand. While the conductor lives, the watchdog reads its journal,
and ends each fault that outlives its time: the conductor may be stuck. Leaves out the day both die: see `chaos heal`.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from chaos import registry
from chaos.errors import ChaosError, SandboxError
from chaos.folder import RunFolder
from chaos.heal.dead_run import WATCHDOG, heal_run, open_in
from chaos.heal.healer import Healer, ends_with_agents
from chaos.heal.leases import Open, open_leases
from chaos.journal import read
from chaos.targets.order import Order

MARGIN_S = 5.0
"""How long after its time a fault may be on: healing several at once takes the conductor a while."""
_READY_WITHIN_S = 20.0
_END_WITHIN_S = 5.0
_LETS_GO_WITHIN_S = 15.0  # the kernel takes a dead conductor's lock back at once; another healer may be at it
_LOOK_EVERY_S = 0.25
_TRIES = 3
_DONE = b"done\n"


class Watchdog:
    """The conductor's end: has the run to itself, registered, with a watchdog beside it, while the context lasts."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._folder = RunFolder(order.folder)

    def __enter__(self) -> Self:
        """Returns once the watchdog is ready to heal; raises SandboxError where it does not get ready."""
        with ExitStack() as held:
            if not held.enter_context(registry.hold(self._order)):
                raise SandboxError(f"{self._folder.path} is held by another process", remedy="run again")
            registry.enter(self._order)
            self._process = self._start()
            try:
                self._wait_until_ready()
            except BaseException:
                self._process.kill()
                registry.strike(self._order.run)  # nothing has been begun
                raise
            self._held = held.pop_all()
        return self

    @property
    def pid(self) -> int:
        """The watchdog's process."""
        return self._process.pid

    def died(self) -> str:
        """What became of the watchdog, if it ended before its time; empty while it lives."""
        code = self._process.poll()
        return "" if code is None else f"the watchdog ended, exit code {code}"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Where all is well nothing can be left, and the watchdog ends too. Otherwise it heals as if we had died."""
        clean = kind is None and self._nothing_left()
        assert self._process.stdin is not None and self._process.stdout is not None
        if clean:
            registry.strike(self._order.run)
            with suppress(BrokenPipeError):
                self._process.stdin.write(_DONE)
        self._process.stdin.close()
        self._process.stdout.close()
        self._held.close()  # from here on the run is the watchdog's
        if clean:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_WITHIN_S)

    def _nothing_left(self) -> bool:
        assert self._order.compose is not None
        try:
            return self._order.compose.ours or not open_in(self._folder.path)
        except ChaosError:
            return False

    def _start(self) -> subprocess.Popen[bytes]:
        with (self._folder.path / "logs" / "watchdog.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "chaos.watchdog", str(self._folder.path)],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # the terminal's Ctrl-C is for the conductor
            )

    def _wait_until_ready(self) -> None:
        assert self._process.stdout is not None
        if select.select([self._process.stdout], [], [], _READY_WITHIN_S)[0] and self._process.stdout.readline():
            return
        log = self._folder.path / "logs" / "watchdog.log"
        with suppress(subprocess.TimeoutExpired):  # its end of the pipe closes a moment before it is gone
            self._process.wait(_LOOK_EVERY_S)
        became = self.died() or f"the watchdog did not get ready within {_READY_WITHIN_S:.0f} s"
        last = log.read_text(errors="replace").strip().splitlines()[-1:]
        raise SandboxError(
            f"{became}, so nothing was begun" + "".join(f": {line}" for line in last),
            remedy=f"what it said is in {log}",
        )


class _Overdue:
    """Ends faults that outlive their time, each at most a few times; says nothing in the living conductor's journal."""

    def __init__(self, folder: RunFolder, healer: Healer) -> None:
        self._folder, self._healer = folder, healer
        self._tried: dict[str, int] = {}
        self._size = 0  # of the journal as it was read last
        self._began_at = 0.0
        self._open: list[Open] = []

    def look(self) -> None:
        """Looks into the journal; raises nothing, whatever is in there."""
        with suppress(ChaosError, OSError):  # not there yet, or being written at this moment
            self._read()
        for on in self._open:
            late_s = time.monotonic() - self._began_at - on.at_s - on.lease.for_s
            if late_s < MARGIN_S or self._tried.get(on.lease.id, 0) >= _TRIES:
                continue
            self._tried[on.lease.id] = self._tried.get(on.lease.id, 0) + 1
            try:
                if ends_with_agents(on.fault()):  # the kernel ends its rules when their time is over
                    self._tried[on.lease.id] = _TRIES
                    continue
                note(self._folder, f"{on.what} is {late_s:.1f} s overdue; healed: {self._healer.undo(on)}")
                self._tried[on.lease.id] = _TRIES
            except Exception as error:  # noqa: BLE001  the others must be looked at too
                note(self._folder, f"{on.what} is {late_s:.1f} s overdue, and would not heal: {error}")

    def _read(self) -> None:
        size = self._folder.journal.stat().st_size
        if size == self._size:
            return
        records = read(self._folder.journal)
        began = next((record["t0"] for record in records if record["event"] == "run" and "t0" in record), None)
        if began is not None:
            self._size, self._began_at, self._open = size, began, open_leases(records)


def note(folder: RunFolder, what: str) -> None:
    """Adds a line to the watchdog's own notes, if that can be done."""
    line = json.dumps({"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "what": what}) + "\n"
    with suppress(OSError), (folder.path / "watchdog.jsonl").open("a") as file:
        file.write(line)


def main(path: str) -> int:
    """Watches until the conductor says that all is done, or dies; the exit code says whether anything is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it must not end while faults are on
    folder = RunFolder(Path(path))
    order = Order.from_json(folder.target.read_text())
    healer = Healer(order)
    overdue = _Overdue(folder, healer)
    os.write(1, b"ready\n")
    while not select.select([0], [], [], _LOOK_EVERY_S)[0]:
        overdue.look()
    if os.read(0, len(_DONE)) == _DONE:
        return 0
    note(folder, "the conductor is gone")
    healing = heal_run(
        order, by=WATCHDOG, say=lambda line: note(folder, line), within_s=_LETS_GO_WITHIN_S, healer=healer
    )
    note(folder, "; ".join(healing.left) if healing.left else "nothing is left")
    return 4 if healing.left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
