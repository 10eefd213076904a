"""The agent's conversation: commands as JSON lines on stdin, one reply a line on stdout, in order, until stdin ends.

One thread waits for three things: a command, a packet, and the time at which something is due. A line that is no
command is answered with an error and changes nothing. At the end of stdin every fault is removed and what is held is
let go; after any other death the kernel removes the faults, and drops what was held.

Left out: starting the agent inside a namespace, which is its caller's.
"""

import contextlib
import gc
import json
import os
import select
import signal
import time
from collections.abc import Callable
from typing import Any

from . import fault, netlink
from .fault import Refused
from .table import Table

STDIN, STDOUT = 0, 1
LINE_BYTES_MAX = 1 << 20
READ_BYTES = 1 << 16


def main() -> int:
    """Serves until stdin ends; 1 where this process can hold no fault here."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; our caller decides what it means
    try:
        table = Table()
    except OSError as error:
        _say(
            {"ready": False, "error": f"no nftables table can be made here: {error.strerror}", "remedy": _remedy(error)}
        )
        return 1
    _prefer_this_process()
    _say(
        {
            "ready": True,
            "pid": os.getpid(),
            "table": table.name,
            "queue": table.queue_expression,
            "kernel": os.uname().release,
        }
    )
    gc.freeze()
    gc.disable()  # nothing here makes cycles, and a collection would hold packets up
    with contextlib.suppress(BrokenPipeError):  # nobody reads the replies any more: the same as an end of stdin
        Agent(table).run()
    table.remove_all()
    return 0


def _prefer_this_process() -> None:
    """Wakes up in time on a busy machine, where that is permitted; without it delays are right too, less exactly."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        return


def _remedy(error: OSError) -> str:
    if netlink.refused_for_lack_of_rights(error):
        return "give the agent CAP_NET_ADMIN in the user namespace that owns this network namespace"
    return "use a kernel of 5.12 or later with nf_tables (nftables owner tables)"


class Agent:
    """Answers commands and keeps time."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._pending = b""
        self._too_long = False

    def run(self) -> None:
        """Until stdin ends."""
        holder = self._table.holder
        descriptors = [STDIN] if holder is None else [STDIN, holder.fileno()]
        while True:
            readable, _, _ = select.select(descriptors, [], [], self._patience())
            if holder is not None:
                holder.release_due()
                if len(descriptors) == 2 and descriptors[1] in readable:
                    holder.receive()
                    holder.release_due()
            self._table.expire(time.monotonic())
            if STDIN in readable and not self._read():
                return

    def _patience(self) -> float | None:
        times = [self._table.next_expiry(), self._table.holder.next_due() if self._table.holder else None]
        due = [at for at in times if at is not None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _read(self) -> bool:
        data = os.read(STDIN, READ_BYTES)
        *lines, rest = (self._pending + data).split(b"\n")
        for line in lines:
            if not self._too_long and line.strip():
                _say(self.answer(line))
            self._too_long = False
        if len(rest) > LINE_BYTES_MAX:
            if not self._too_long:
                _say(_refusal(None, f"a line of more than {LINE_BYTES_MAX} bytes", "one JSON object a line"))
            self._too_long, rest = True, b""
        self._pending = rest
        return bool(data)

    def answer(self, line: bytes) -> dict[str, Any]:
        """The reply to one line."""
        number: object = None
        try:
            command = _decode(line)
            number = command.get("id")
            if isinstance(number, bool) or not isinstance(number, int | str | None):
                number = None
                raise Refused("id: neither a number nor text", "a whole number, text, or none")
            return {"id": number, "ok": True, **self._do(command)}
        except Refused as refused:
            return _refusal(number, str(refused), refused.allowed)
        except OSError as error:  # the kernel refused what the rules allow: the caller must hear it, the agent goes on
            return _refusal(number, f"the kernel refused: {error.strerror}", _remedy(error))

    def _do(self, command: dict[str, Any]) -> dict[str, Any]:
        does: dict[str, Callable[[], dict[str, Any]]] = {
            "add": lambda: {"at": self._table.add(fault.parse(command))},
            "remove": lambda: self._remove(fault.name_in(command)),
            "counters": lambda: self._table.counters(fault.name_in(command)),
            "list": lambda: {"faults": self._table.listed()},
            "ping": lambda: {"at": time.monotonic()},
        }
        what = command.get("do")
        if not isinstance(what, str) or what not in does:
            raise Refused(f"do: {ascii(what)[:80]} is no command", ", ".join(does))
        return does[what]()

    def _remove(self, name: str) -> dict[str, Any]:
        self._table.remove(name)
        return {"at": time.monotonic()}


def _decode(line: bytes) -> dict[str, Any]:
    try:
        command = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Refused(f"not JSON: {error}", "one JSON object a line") from None
    if not isinstance(command, dict):
        raise Refused("not a JSON object", "one JSON object a line")
    return command


def _refusal(number: object, error: str, allowed: str) -> dict[str, Any]:
    return {"id": number, "ok": False, "error": error, "allowed": allowed}


def _say(reply: dict[str, Any]) -> None:
    data = json.dumps(reply).encode() + b"\n"
    while data:
        data = data[os.write(STDOUT, data) :]
