"""The conductor's side of the load: starts its process, reads its summaries, stops it.

The process inherits everything from its starter, network namespace included. When it ends unasked, the next call says
so: a load that died is an error, never silence. Its stdin is a pipe held here, so it ends when the conductor does.
Leaves out what the summaries mean: that is `window`.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import chaos
from chaos.errors import SandboxError
from chaos.load.spec import LoadSpec
from chaos.load.summary import LoadResult, Summary

_READY_S = 15.0  # imports take half a second on an idle machine
_EXIT_S = 10.0  # beyond the draining: to flush the history and to end
_READ_BYTES = 1 << 16
_STDERR_BYTES = 2_000


class LoadProcess:
    """A running load; made by `start`. Not for several threads at a time."""

    def __init__(self, spec: LoadSpec) -> None:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "chaos.load"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            cwd=Path(chaos.__file__).parent.parent,  # -m looks here first, not where a user's own files may be called
            start_new_session=True,  # Ctrl-C is for the conductor, who then stops the load in order
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._unread = b""
        self._ready = False
        self._summaries: list[Summary] = []
        self._result: LoadResult | None = None
        self._error: SandboxError | None = None
        spec = spec.model_copy(update={"history": spec.history.absolute()})  # the process works in another folder
        self._tell(spec.model_dump(mode="json", by_alias=True))

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def fileno(self) -> int:
        """Readable when `poll` has something to return or to raise; for select."""
        return self._stdout.fileno()

    def begin(self) -> None:
        """Starts the traffic, once the process is ready for it; raises SandboxError if it does not get ready."""
        deadline = time.monotonic() + _READY_S
        while not self._ready:
            if not self._read(deadline - time.monotonic()):
                raise self._broke(f"the load generator was not ready within {_READY_S:.0f} s")
        self._tell({"do": "begin"})

    def move(self, urls: Mapping[str, str]) -> None:
        """Sends the streams of these names to these addresses from now on; raises SandboxError if the process broke."""
        self._tell({"do": "move", "urls": dict(urls)})

    def poll(self) -> list[Summary]:
        """The summaries since the last call, without waiting; raises SandboxError if the process broke or died."""
        while self._result is None and self._read(0.0):
            pass
        summaries, self._summaries = self._summaries, []
        return summaries

    def stop(self, drain_s: float) -> LoadResult:
        """Stops sending, waits up to `drain_s` seconds for replies, and for the process to end.

        Summaries that came meanwhile are returned by the next `poll`. Raises SandboxError if the process broke, died
        or did not end; it is gone then.
        """
        self._tell({"do": "stop", "drain_s": drain_s})
        deadline = time.monotonic() + drain_s + _EXIT_S
        while self._result is None:
            if not self._read(deadline - time.monotonic()):
                raise self._broke(f"the load generator did not end within {_EXIT_S:.0f} s of its draining")
        self._end()
        return self._result

    def kill(self) -> None:
        """Ends the process at once, wherever it is; harmless when it has ended. The history has lost its last 50 ms."""
        self._process.kill()
        self._end()

    def _end(self) -> None:
        with contextlib.suppress(BrokenPipeError):  # what was never read is of no use to anyone now
            self._stdin.close()
        try:
            self._process.wait(_EXIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._stdout.close()
        self._stderr.close()

    def _tell(self, message: dict[str, Any]) -> None:
        if self._error is not None:
            raise self._error
        # A process that died cannot be told; what it said last is still to be read, and reading raises.
        with contextlib.suppress(BrokenPipeError):
            self._stdin.write(json.dumps(message).encode() + b"\n")
            self._stdin.flush()

    def _read(self, wait_s: float) -> bool:
        """Takes in what the process said; False if it said nothing for `wait_s` seconds."""
        if self._error is not None:
            raise self._error
        if not select.select([self._stdout], [], [], max(0.0, wait_s))[0]:
            return False
        data = os.read(self.fileno(), _READ_BYTES)
        if not data:
            raise self._died()
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            self._take(json.loads(line))
        return True

    def _take(self, message: dict[str, Any]) -> None:
        if "streams" in message:
            self._summaries.append(Summary.of(message))
        elif "result" in message:
            self._result = LoadResult(**message["result"])
        elif "error" in message:
            raise self._broke(message["error"], message["remedy"])
        else:
            self._ready = True

    def _died(self) -> SandboxError:
        code = self._process.wait()
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, size - _STDERR_BYTES))
        said = self._stderr.read().decode(errors="replace").strip()
        ended = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return self._broke(
            f"the load generator {ended} in the middle of the run" + (f"; it said:\n{said}" if said else ""),
            "Run again; if it was killed for want of memory, ask for fewer requests per second.",
        )

    def _broke(self, what: str, remedy: str = "Run again.") -> SandboxError:
        """Ends the process; the error to raise now and whenever it is asked for anything again."""
        self._error = SandboxError(what, remedy=remedy)
        self.kill()
        return self._error


def start(spec: LoadSpec) -> LoadProcess:
    """Starts the process; it gets ready meanwhile and sends nothing until `begin`."""
    return LoadProcess(spec)
