"""The world of one run, seen from outside: makes its namespaces if it has any, starts the supervisor in it, listens.

The life line is the supervisor's standard input: when this process ends, however it ends, the pipe closes, the
supervisor ends, and the kernel ends everything else in there; on Docker a watchdog does the rest. What the conductor
has to say comes back as JSON lines.
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from chaos.targets.machine import unshare_argv
from chaos.targets.order import Order

_END_WITHIN_S = 10.0


@dataclass(frozen=True)
class Ended:
    """How the world ended."""

    code: int  # the conductor's exit code; negative: the supervisor was ended by that signal


class World:
    """A supervisor and all that is in its namespaces; use as a context manager, so that it always ends."""

    def __init__(self, order: Order, page: socket.socket | None) -> None:
        """Runs `chaos.inside` in there, with `page` as a listening socket in the user's network, if that has one."""
        self._messages, theirs = os.pipe()
        self._buffer = b""
        passed: Sequence[int] = [theirs] if page is None else [theirs, page.fileno()]
        argument = order.with_descriptors(theirs, page.fileno() if page is not None else None).to_json()
        # Should this process die while PID 1 is stopped and cannot read its life line, the kernel ends it for us. On
        # loopback the supervisor must outlive us for a moment: there it removes the data.
        wrapped = ["setpriv", "--pdeathsig", "KILL", "--", *unshare_argv()] if order.namespaces else []
        self._supervisor = subprocess.Popen(
            # -P: what the user's own files are called does not matter
            [*wrapped, sys.executable, "-P", "-m", "chaos.inside", argument],
            stdin=subprocess.PIPE,
            pass_fds=passed,
            start_new_session=True,  # the terminal's Ctrl-C comes to us alone, and we hand it on once
            bufsize=0,
        )
        os.close(theirs)

    def interrupt(self, number: int) -> None:
        """Hands a signal on, which asks the conductor to heal and report; a second time: to heal and leave at once."""
        assert self._supervisor.stdin is not None
        try:
            self._supervisor.stdin.write(bytes([number]))
        except (BrokenPipeError, ValueError):
            return  # it has ended already, or was told to, which is what was asked for

    def end(self) -> None:
        """Ends everything in there at once, by closing the life line; harmless when it has ended."""
        assert self._supervisor.stdin is not None
        self._supervisor.stdin.close()

    def listen(self, timeout_s: float) -> dict[str, Any] | Ended | None:
        """The next message, how it ended, or None when nothing came within `timeout_s` seconds."""
        while b"\n" not in self._buffer:
            if not select.select([self._messages], [], [], timeout_s)[0]:
                return None
            chunk = os.read(self._messages, 65536)
            if not chunk:
                return Ended(self._supervisor.wait())
            self._buffer += chunk
        line, self._buffer = self._buffer.split(b"\n", 1)
        message: dict[str, Any] = json.loads(line)
        return message

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        try:
            self._supervisor.wait(timeout=_END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.wait()
        os.close(self._messages)
