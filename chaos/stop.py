"""Ctrl-C and SIGTERM for the command outside the sandbox: counted, and handed on to the world that is running.

Once heals and reports, twice leaves at once after healing, and a third time ends the world on the spot: nothing in it
can outlive that either. The end of the terminal (SIGHUP) counts as well.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self

from chaos.targets.world import World

_END_AT = 3
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """How often the user asked to stop; a context manager that holds the signal handlers."""

    def __init__(self) -> None:
        self.count = 0
        self.ended_world = False  # the user would not wait, so the journal does not tell of the interruption
        self._world: World | None = None
        self._pending: list[int] = []

    @contextmanager
    def handed_to(self, world: World) -> Iterator[None]:
        """Signals go to this world while the context lasts; those that came just before, at once."""
        self._world = world
        for number in self._pending:
            world.interrupt(number)
        try:
            yield
        finally:
            self._world = None

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self._world is not None:
            if self.count >= _END_AT:
                self.ended_world = True
                self._world.end()
            else:
                self._world.interrupt(number)
        else:
            self._pending.append(number)

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What is left is to write a file and to end: a user who is still pressing Ctrl-C shall not spoil the exit code.
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN if self.count else signal.SIG_DFL)
