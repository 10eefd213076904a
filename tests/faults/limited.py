"""A container under load on the real engine, and its limits as the kernel has them, in its cgroup's own files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chaos import faults
from chaos.faults.base import Evidence, Lease, Seen
from chaos.targets.compose import ComposeTarget
from chaos.targets.docker.engine import connect
from tests.docker.small_project import SmallProject

# Wants one CPU, and holds this much memory; on SIGUSR1 it asks for as much again.
HELD = 40_000_000
_HUNGRY = f"""
import signal
held = [bytearray({HELD})]
signal.signal(signal.SIGUSR1, lambda *_: held.append(bytearray({HELD})))
while True:
    sum(range(10_000))
"""
_LIMITS = (
    *("cpu.cfs_quota_us", "cpu.cfs_period_us", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"),  # cgroup v1
    *("cpu.max", "memory.max", "memory.swap.max"),  # v2
)


class Limited(SmallProject):
    """One container, called `hungry`, with the limits that are asked for."""

    def hungry(self, *, sated: bool = False, **limits: Any) -> ComposeTarget:
        """Starts it; the project as a target. A sated one wants nothing."""
        api = self.client.api
        self.identity = api.create_container(
            self._image,
            ["sleep", "600"] if sated else ["python3", "-c", _HUNGRY],
            labels={
                "com.docker.compose.project": self.name,
                "com.docker.compose.service": "hungry",
                "com.docker.compose.container-number": "1",
                "com.docker.compose.oneoff": "False",
                "chaos.allowed": "true",
            },
            host_config=api.create_host_config(network_mode="none", **limits),
        )["Id"]
        api.start(self.identity)
        self.names = ["hungry"]
        return self.target()

    def kernel(self) -> dict[str, str]:
        """The limits in the kernel's own files."""
        pid = self.client.api.inspect_container(self.identity)["State"]["Pid"]
        found: dict[str, str] = {}
        for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            folder = Path("/sys/fs/cgroup") / (controllers.removeprefix("name=") if controllers else "") / path[1:]
            found |= {name: (folder / name).read_text().strip() for name in _LIMITS if (folder / name).exists()}
        assert found, f"no cgroup of process {pid} can be read here"
        return found


class On:
    """A fault on `hungry`, each act by a target that knows nothing of the others, as another process would be."""

    def __init__(self, limited: Limited, word: str, **with_: Any) -> None:
        self._limited = limited
        self.fault = faults.fault_class(word).model_validate(with_, by_alias=True, by_name=False)
        self.lease = Lease(f"1-{word}-hungry", "hungry", 30.0, seed=1)
        self.seen: Seen = {}

    def fresh(self) -> ComposeTarget:
        """The project, over a new connection to the engine."""
        return self._limited.target(connect())

    def inject(self) -> None:
        """Puts it on; what was seen comes back as from the journal."""
        self.seen = json.loads(json.dumps(dict(self.fault.before(self.fresh(), self.lease))))
        self.fault.inject(self.fresh(), self.lease, self.seen)
        assert self.active()

    def active(self) -> bool:
        """Whether the system says it is on."""
        return self.fault.is_active(self.fresh(), self.lease, self.seen)

    def heal(self) -> None:
        """Takes it off, twice."""
        for _ in range(2):
            self.fault.heal(self.fresh(), self.lease, self.seen)
        assert not self.active()

    def evidence(self) -> Evidence:
        """Its measured effect."""
        return self.fault.evidence(self.fresh(), self.lease, self.seen)
