"""The conductor's end of one network agent: requests and replies as JSON lines over a channel.

The agent lives while its standard input is open, so it ends with us whatever ends us.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from chaos.errors import FaultError
from chaos.targets.channel import Channel

_READY_WITHIN_S = 10.0
_REPLY_WITHIN_S = 2.0


class AgentClient:
    """One running agent; see chaos/agent for its protocol."""

    def __init__(self, service: str, channel: Channel) -> None:
        self._service = service
        self._channel = channel
        self._number = 0
        self._buffer = b""
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
        return self._channel.alive()

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Sends one request and returns the reply; raises FaultError when the agent refuses, hangs or is gone."""
        self._number += 1
        line = json.dumps({"id": self._number, **request}) + "\n"
        try:
            self._channel.write(line.encode())
        except OSError:
            raise self._gone() from None
        reply = self._reply(_REPLY_WITHIN_S)
        while reply.get("id") != self._number:  # the late reply to a request that was given up
            reply = self._reply(_REPLY_WITHIN_S)
        if not reply.get("ok"):
            raise FaultError(f"the network agent of {self._service} refused: {reply.get('error')}")
        return reply

    def close(self) -> None:
        """Ends the agent."""
        self._channel.close()

    def _reply(self, within_s: float) -> dict[str, Any]:
        deadline = time.monotonic() + within_s
        while b"\n" not in self._buffer:
            try:
                chunk = self._channel.read(max(0.0, deadline - time.monotonic()))
            except OSError:
                chunk = b""
            if chunk is None:
                raise FaultError(f"the network agent of {self._service} did not answer within {within_s:g} s")
            if not chunk:
                raise self._gone()
            self._buffer += chunk
        line, self._buffer = self._buffer.split(b"\n", 1)
        try:
            reply: dict[str, Any] = json.loads(line)
        except json.JSONDecodeError:
            raise FaultError(f"the network agent of {self._service} answered what is no JSON: {line[:80]!r}") from None
        return reply

    def _gone(self) -> FaultError:
        return FaultError(f"the network agent of {self._service} is gone")
