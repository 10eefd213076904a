"""How the conductor talks to an agent: a stream of bytes each way, and the agent lives as long as it is open.

`Pipe` is a child process of ours; `chaos.targets.docker.agent_channel` is a container on an engine. Leaves out what is
said: that is `agent_client.py`.
"""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Sequence
from typing import Protocol

_END_WITHIN_S = 2.0
_READ_BYTES = 65_536


class Channel(Protocol):
    """Both ends of one agent's conversation; raises OSError where the agent cannot be reached any more."""

    def write(self, data: bytes) -> None:
        """Sends all of it."""

    def read(self, timeout_s: float) -> bytes | None:
        """Some bytes; none at the end of the stream; None when nothing came within `timeout_s` seconds."""

    def alive(self) -> bool:
        """Whether the agent still runs; does not wait."""

    def close(self) -> None:
        """Ends the agent by ending its standard input, and by force where that does not do; twice is harmless."""


class Pipe:
    """An agent that is a child process."""

    def __init__(self, argv: Sequence[str], *, pass_fds: Sequence[int], stderr: int) -> None:
        self._process = subprocess.Popen(
            argv, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, pass_fds=pass_fds
        )

    def write(self, data: bytes) -> None:
        """Sends all of it."""
        assert self._process.stdin is not None
        self._process.stdin.write(data)

    def read(self, timeout_s: float) -> bytes | None:
        """Some bytes; none at the end of the stream; None when nothing came within `timeout_s` seconds."""
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], timeout_s)[0]:
            return None
        return os.read(self._process.stdout.fileno(), _READ_BYTES)

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """Closes its standard input; kills it if it has not ended two seconds later."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=_END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
