"""The inner half of the fault tests: an embedded target in namespaces of its own, told what to do in JSON lines.

Started by `conftest.py`. Services are those of the shop that need no database; they are the real ones.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from chaos import faults
from chaos.errors import ChaosError
from chaos.faults.base import Fault, Lease, Seen
from chaos.shipped import load_system, shop_folder
from chaos.targets.base import Terrain
from chaos.targets.embedded import Embedded
from chaos.targets.readiness import is_ready

_READY_WITHIN_S = 20.0


class Inside:
    """One method a request; what they return goes back as JSON."""

    def __init__(self, folder: Path) -> None:
        (folder / "logs").mkdir()
        self._target = Embedded(
            Terrain(load_system(), {}),
            namespaces=True,
            code=shop_folder(),
            data=folder / "data",
            logs=folder / "logs",
            weak=[],
        )
        self._seen: dict[str, Seen] = {}

    def start(self, service: str) -> None:
        """Starts a service and waits until it serves."""
        self._target.start(service)
        spec = self._target.terrain.system.services[service]
        urls = {port: self._target.url(service, port) for port in spec.ports}
        deadline = time.monotonic() + _READY_WITHIN_S
        while not is_ready(spec.ready, urls, self._target.terrain.system.database):
            assert time.monotonic() < deadline, f"{service} is not ready"
            time.sleep(0.02)

    def states(self, service: str) -> list[str]:
        """The kernel's letters for the service's processes."""
        return [process.state for process in self._target.processes(service)]

    def pids(self, service: str) -> list[int]:
        """The numbers of the service's processes."""
        return [process.pid for process in self._target.processes(service)]

    def kill(self, service: str) -> None:
        """SIGKILL, outside of any fault."""
        self._target.kill(service)

    def run(self, service: str, argv: list[str]) -> list[Any]:
        """Runs a command in a service's network: exit code and output."""
        return list(self._target.run(service, argv, 20.0))

    def address(self, service: str, port: str) -> str:
        """host:port of a service."""
        return self._target.url(service, port).removeprefix("http://")

    def inject(self, word: str, parameters: dict[str, Any], service: str, for_s: float) -> Any:
        """Puts a fault on; what it saw."""
        fault, lease = self._fault(word, parameters, service, for_s)
        fault.prepare(self._target, lease)
        seen = self._seen[lease.id] = fault.before(self._target, lease)
        fault.inject(self._target, lease, seen)
        return dict(seen)

    def is_active(self, word: str, parameters: dict[str, Any], service: str) -> bool:
        """Whether the system says it is on."""
        fault, lease = self._fault(word, parameters, service, 0)
        return fault.is_active(self._target, lease, self._seen.get(lease.id, {}))

    def heal(self, word: str, parameters: dict[str, Any], service: str) -> None:
        """Takes it off."""
        fault, lease = self._fault(word, parameters, service, 0)
        fault.heal(self._target, lease, self._seen.get(lease.id, {}))

    def evidence(self, word: str, parameters: dict[str, Any], service: str) -> dict[str, Any]:
        """Its measured effect."""
        fault, lease = self._fault(word, parameters, service, 0)
        found = fault.evidence(self._target, lease, self._seen[lease.id])
        return {"effective": found.effective, "summary": found.summary, "measured": found.measured}

    def _fault(self, word: str, parameters: dict[str, Any], service: str, for_s: float) -> tuple[Fault, Lease]:
        return faults.fault_class(word).model_validate(parameters), Lease(f"{word}-{service}", service, for_s, seed=1)


def main() -> None:
    """Answers requests until standard input closes."""
    inside = Inside(Path(sys.argv[1]))
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = {"value": getattr(inside, request["do"])(*request["with"])}
        except ChaosError as error:
            reply = {"error": type(error).__name__, "what": error.what}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
