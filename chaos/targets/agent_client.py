"""The conductor's end of one network agent: requests and replies as JSON lines over its standard streams.

The agent lives while its standard input is open, so it ends with us whatever ends us.
"""

from __future__ import annotations

import json
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Any

from chaos.errors import FaultError

_READY_WITHIN_S = 10.0
_REPLY_WITHIN_S = 2.0


class AgentClient:
    """One running agent; see chaos/agent for its protocol."""

    def __init__(self, service: str, argv: Sequence[str], *, pass_fds: Sequence[int], stderr: int) -> None:
        self._service = service
        self._number = 0
        self._buffer = b""
        self._process = subprocess.Popen(
            argv, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, pass_fds=pass_fds
        )
        try:
            hello = self._reply(_READY_WITHIN_S)
            if not hello.get("ready"):
                raise FaultError(
                    f"the network agent of {service} could not start: {hello.get('error', 'no reason given')}",
                    remedy=str(hello.get("remedy", "")),
                )
        except FaultError:
            self.close()
            raise

    def alive(self) -> bool:
        """Whether the agent still runs."""
        return self._process.poll() is None

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Sends one request and returns the reply; raises FaultError when the agent refuses, hangs or is gone."""
        assert self._process.stdin is not None
        self._number += 1
        line = json.dumps({"id": self._number, **request}) + "\n"
        try:
            self._process.stdin.write(line.encode())
        except BrokenPipeError:
            raise FaultError(f"the network agent of {self._service} is gone") from None
        reply = self._reply(_REPLY_WITHIN_S)
        while reply.get("id") != self._number:  # the late reply to a request that was given up
            reply = self._reply(_REPLY_WITHIN_S)
        if not reply.get("ok"):
            raise FaultError(f"the network agent of {self._service} refused: {reply.get('error')}")
        return reply

    def close(self) -> None:
        """Ends the agent by closing its standard input, and by force where that does not do."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=_REPLY_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _reply(self, within_s: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        deadline = time.monotonic() + within_s
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._process.stdout], [], [], left)[0]:
                raise FaultError(f"the network agent of {self._service} did not answer within {within_s:g} s")
            chunk = self._process.stdout.read(65536)
            if not chunk:
                raise FaultError(f"the network agent of {self._service} is gone")
            self._buffer += chunk
        line, self._buffer = self._buffer.split(b"\n", 1)
        try:
            reply: dict[str, Any] = json.loads(line)
        except json.JSONDecodeError:
            raise FaultError(f"the network agent of {self._service} answered what is no JSON: {line[:80]!r}") from None
        return reply
