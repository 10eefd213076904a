"""Ctrl-C and SIGTERM for the command outside the sandbox: counted, and handed on to the world that is running.

Once heals and reports, twice leaves at once after healing, and a third time ends the world on the spot: nothing in it
can outlive that either.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self

from chaos.targets.world import World

_END_AT = 3


class Stop:
    """How often the user asked to stop; a context manager that holds the signal handlers."""

    def __init__(self) -> None:
        self.count = 0
        self._world: World | None = None

    @contextmanager
    def handed_to(self, world: World) -> Iterator[None]:
        """Signals go to this world while the context lasts; those that came just before, at once."""
        self._world = world
        for _ in range(self.count):
            world.interrupt()
        try:
            yield
        finally:
            self._world = None

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self._world is not None:
            if self.count >= _END_AT:
                self._world.end()
            else:
                self._world.interrupt()

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
