"""Conversations with a service through its proxy while a fault is on.

In a thread, so that the timeline does not wait for an answer that hangs. Stops at the first that meets the fault, or
when there were enough. Leaves out what they mean: that is for the fault to say.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from chaos.faults.proxy_probe import Talk

_LAST_WORD_S = 0.3  # a fault that is about to be healed waits no longer for one that is going on


class Attempts:
    """Begins at once; `one` is a conversation, `met` whether it met the fault."""

    def __init__(self, one: Callable[[], Talk], met: Callable[[Talk], bool], *, most: int) -> None:
        self._one, self._met, self._most = one, met, most
        self._made: list[Talk] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="attempts", daemon=True)
        self._thread.start()

    def end(self) -> list[Talk]:
        """Those that were made, the last one being the one that met the fault if any did."""
        self._stop.set()
        self._thread.join(_LAST_WORD_S)
        return list(self._made)

    def _run(self) -> None:
        while len(self._made) < self._most and not self._stop.is_set():
            self._made.append(self._one())
            if self._met(self._made[-1]):
                return
