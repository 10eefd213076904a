"""Asks every probe at its own fixed rate, each from a thread of its own, and writes down what it found at once.

No probe waits for another, nor for its own last asking: a time-out is never longer than the probe's interval. Where
even so an interval is missed (the machine stood still), the next one starts on time and the gap is left in the file.
Leaves out how a probe is asked: that is `ask`.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from chaos.errors import SandboxError
from chaos.model import Probe
from chaos.observe.ask import Reading, ask
from chaos.observe.samples import Sample
from chaos.targets.base import Target

_TIMEOUT_S_MAX = 5.0
_STOP_SPARE_S = 1.0


class Observer:
    """Observes from its creation until `stop`."""

    def __init__(self, probes: Mapping[str, Probe], target: Target, path: Path, t0: float) -> None:
        """`t0` is the monotonic clock's reading when the run started; raises SandboxError if `path` cannot be made."""
        self._target, self._path, self._t0 = target, path, t0
        self._stopping = threading.Event()
        self._writing = threading.Lock()
        self._broke: OSError | None = None
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise self._no_samples(error) from error
        self._threads = {
            threading.Thread(target=self._observe, args=(name, probe), name=f"probe {name}", daemon=True): probe
            for name, probe in probes.items()
        }
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends all probes within their time-outs; harmless when called again.

        Raises SandboxError if any sample could not be written.
        """
        self._stopping.set()
        deadline = time.monotonic() + max(map(_timeout_s, self._threads.values()), default=0.0) + _STOP_SPARE_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._writing:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1
        if self._broke is not None:
            raise self._no_samples(self._broke) from self._broke

    def _observe(self, name: str, probe: Probe) -> None:
        due = time.monotonic()
        while not self._stopping.wait(max(0.0, due - time.monotonic())):
            began = time.monotonic()
            try:
                reading = ask(probe, self._target, _timeout_s(probe))
            except Exception as error:  # noqa: BLE001 - a probe that breaks must say so in its samples, not fall silent
                reading = Reading(False, error=f"{type(error).__name__}: {error}")
            latency_s = time.monotonic() - began
            t = round(began - self._t0, 6)
            self._write(Sample(t, name, reading.ok, round(latency_s, 6), reading.value, reading.error))
            due += probe.every
            while due <= time.monotonic() - probe.every:
                due += probe.every

    def _write(self, sample: Sample) -> None:
        line = json.dumps(sample.record()).encode() + b"\n"
        with self._writing:
            if self._broke is not None or self._file < 0:
                return
            try:
                if os.write(self._file, line) != len(line):
                    self._broke = OSError(0, "only a part of a sample could be written")
            except OSError as error:
                self._broke = error

    def _no_samples(self, error: OSError) -> SandboxError:
        return SandboxError(
            f"the probes' samples cannot be written to {self._path}: {error.strerror}",
            remedy="Make room there, or choose another folder for the run; missing samples prove nothing.",
        )


def _timeout_s(probe: Probe) -> float:
    return min(probe.every, _TIMEOUT_S_MAX)
