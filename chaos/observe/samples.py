"""What one asking of a probe found, and `samples.jsonl`, the file that holds all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos.errors import ChaosError


@dataclass(frozen=True, slots=True)
class Sample:
    """One asking of one probe; `t` is when it was asked, in seconds since the run started."""

    t: float
    probe: str
    ok: bool
    latency_s: float
    value: float | None = None  # the number that a query or command came to
    error: str | None = None  # why it is not ok

    def record(self) -> dict[str, Any]:
        """As one JSON object, without what there is not."""
        record: dict[str, Any] = {"t": self.t, "probe": self.probe, "ok": self.ok, "latency_s": self.latency_s}
        if self.value is not None:
            record["value"] = self.value
        if self.error is not None:
            record["error"] = self.error
        return record


def samples(path: Path) -> Iterator[Sample]:
    """The samples of a file, in the order they were taken down; a last line that was cut off is left out.

    Raises ChaosError with file and line where the file holds anything else.
    """
    with path.open("rb") as file:
        for number, text in enumerate(file, start=1):
            if not text.endswith(b"\n"):
                return
            try:
                sample = Sample(**json.loads(text))
            except (ValueError, TypeError) as error:
                raise ChaosError(
                    f"{path}:{number}: not a sample of a probe: {error}",
                    remedy="The file was changed or damaged after the run; the run cannot be judged from it.",
                ) from error
            yield sample
