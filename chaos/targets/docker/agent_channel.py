"""An agent in a helper container, in a target's network namespace, reached over the engine's connection.

It has NET_ADMIN there and no other right. When this process ends, or the connection breaks, the engine closes the
agent's standard input, it ends, and the kernel takes its rules away.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from chaos.errors import FaultError
from chaos.targets.docker import helper_container
from chaos.targets.docker.agent_image import ARGV
from chaos.targets.docker.engine import Engine
from chaos.targets.docker.helper_container import Helper
from chaos.targets.docker.stream import STDOUT

ROLE = "agent"
_END_WITHIN_S = 2.0
_WRITTEN_WITHIN_S = 2.0


class ContainerChannel:
    """See chaos/targets/channel.py for the contract."""

    def __init__(self, engine: Engine, *, image: str, target: str, joins: str, run: str, log: Path) -> None:
        """Starts an agent in the network of the container whose id is `joins`; its standard error goes to `log`."""
        helper = Helper(
            image=image,
            argv=ARGV,
            role=ROLE,
            run=run,
            target=target,
            joins={"network_mode": f"container:{joins}"},
            rights=("NET_ADMIN",),
        )
        self._engine = engine
        self._log = log
        self.identity, self._stream = helper_container.start(engine, helper)

    def write(self, data: bytes) -> None:
        """Sends all of it."""
        self._stream.write(data, _WRITTEN_WITHIN_S)

    def read(self, timeout_s: float) -> bytes | None:
        """Some bytes; none at the end of the stream; None when nothing came within `timeout_s` seconds."""
        deadline = time.monotonic() + timeout_s
        while frame := self._stream.read(deadline - time.monotonic()):
            if frame.stream == STDOUT:
                return frame.data
            self._log.parent.mkdir(parents=True, exist_ok=True)
            with self._log.open("ab") as log:
                log.write(frame.data)
        return None

    def alive(self) -> bool:
        """Whether the agent still runs, as far as its end of the connection tells."""
        try:
            return not self._stream.ended()
        except OSError:
            return False

    def close(self) -> None:
        """Closes its standard input; removes the container if it is still there two seconds later."""
        if self._stream.finish(_END_WITHIN_S):
            return
        # An engine that does not answer finds the connection closed once it does, and ends the agent then.
        with contextlib.suppress(FaultError):
            helper_container.remove(self._engine, self.identity)
