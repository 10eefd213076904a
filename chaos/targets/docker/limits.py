"""What a container may use of CPU and memory: read, changed, and put back as the kernel had it.

The engine takes 0 for "leave as it is", so that no limit has to be written as what the kernel means by it; and it keeps
CPU limits in one of two ways that exclude each other (NanoCpus, or CpuQuota with CpuPeriod). Leaves out swap: while
memory is limited there is none. Put back, no limit is shown by the engine as -1 or as the largest number there is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from chaos.errors import FaultError
from chaos.targets.base import Usage
from chaos.targets.docker.containers import Inspected
from chaos.targets.docker.engine import Engine

_PERIOD_US = 100_000  # the kernel's own, where none is given
_FILES = ("active_file", "inactive_file")
_NO_QUOTA = -1
_NO_LIMIT = (2**63 - 1) // 4096 * 4096  # what cgroup v1 shows for no limit, and v2 reads as "max"


class ContainerLimits:
    """See targets/base.py for the contract; `look` inspects the container, and says None once it has been removed.

    One that was removed has no limit, and nothing to put back: made anew it has what its compose file says.
    """

    def __init__(self, engine: Engine, service: str, look: Callable[[], Inspected | None]) -> None:
        self._engine, self._service, self._look = engine, service, look

    def cpu(self) -> dict[str, int]:
        """The limit of CPU in the engine's words."""
        return self._host_config("NanoCpus", "CpuQuota", "CpuPeriod")

    def cpus(self) -> float:
        """The limit in CPUs; infinite without one."""
        now = self.cpu()
        if now["NanoCpus"] > 0:
            return now["NanoCpus"] / 1e9
        return now["CpuQuota"] / (now["CpuPeriod"] or _PERIOD_US) if now["CpuQuota"] > 0 else math.inf

    def limit_cpu(self, cpus: float) -> None:
        """Allows so many CPUs, in the way that the container's limit is kept."""
        now = self.cpu()
        if now["NanoCpus"] > 0:
            self._update(NanoCpus=round(cpus * 1e9))
        else:
            self._update(CpuQuota=round(cpus * (now["CpuPeriod"] or _PERIOD_US)))

    def restore_cpu(self, was: Mapping[str, int]) -> None:
        """Puts back what `cpu` said."""
        if was["NanoCpus"] > 0:
            self._update(NanoCpus=was["NanoCpus"])
        else:
            self._update(CpuQuota=was["CpuQuota"] or _NO_QUOTA)

    def memory(self) -> dict[str, int]:
        """The limit of memory in the engine's words."""
        return self._host_config("Memory", "MemorySwap")

    def memory_bytes(self) -> float:
        """The limit in bytes; infinite without one."""
        limit = self.memory()["Memory"]
        return limit if 0 < limit < _NO_LIMIT else math.inf

    def limit_memory(self, limit: int) -> None:
        """Allows so many bytes, and no swap."""
        self._update(Memory=limit, MemorySwap=limit)

    def restore_memory(self, was: Mapping[str, int]) -> None:
        """Puts back what `memory` said; 0 and -1 both mean that the kernel sets no bound."""
        swap = was["MemorySwap"]
        self._update(Memory=was["Memory"] or _NO_LIMIT, MemorySwap=swap if swap > 0 else _NO_LIMIT)

    def usage(self) -> Usage:
        """What it uses now; zeros for a container that does not run, but for what is known of its end."""
        container = self._look()
        if container is None:
            return Usage(0, 0, 0.0, 0, 0, None, oom_killed=False)
        with self._engine.doing(f"read the usage of {self._service}") as api:
            told = api.stats(container["Id"], stream=False, one_shot=True)
        throttling = told["cpu_stats"].get("throttling_data") or {}
        memory = told.get("memory_stats") or {}
        kinds = memory.get("stats") or {}
        files = sum(int(kinds.get(f"total_{kind}", kinds.get(kind, 0))) for kind in _FILES)  # cgroup v1 or v2
        return Usage(
            periods=int(throttling.get("periods", 0)),
            throttled=int(throttling.get("throttled_periods", 0)),
            throttled_s=throttling.get("throttled_time", 0) / 1e9,
            memory_bytes=int(memory.get("usage", 0)),
            memory_held_bytes=max(0, int(memory.get("usage", 0)) - files),
            # cgroup v1 alone counts them; the engine leaves zeros out of what it tells.
            memory_refused=int(memory.get("failcnt", 0)) if "max_usage" in memory else None,
            oom_killed=bool(container["State"]["OOMKilled"]),
        )

    def _host_config(self, *names: str) -> dict[str, int]:
        container = self._look()
        config: Mapping[str, Any] = container["HostConfig"] if container else {}
        return {name: int(config.get(name) or 0) for name in names}

    def _update(self, **values: int) -> None:
        container = self._look()
        if container is None:
            return
        with self._engine.doing(f"change the limits of {self._service}") as api:
            # The SDK's own method for this does not know NanoCpus.
            url = api._url("/containers/{0}/update", container["Id"])
            reply = api._result(api._post_json(url, data=values), json=True)
        if warnings := reply.get("Warnings"):
            raise FaultError(f"the limits of {self._service} were not changed as asked: {'; '.join(warnings)}")
