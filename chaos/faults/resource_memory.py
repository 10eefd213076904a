"""`resource.memory`: a service may use no more than so much memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from chaos.errors import FaultError, HealFailed, InjectFailed
from chaos.faults.base import Evidence, Fault, Flaw, Lease, Seen
from chaos.system import System
from chaos.targets.base import Capability, Target
from chaos.units import Size, size_text

LIMIT_MIN = 6_291_456  # the engine's own
_FULL = 0.95  # of the limit, where the kernel does not count how often it was met


class ResourceMemory(Fault):
    """Memory that runs out: files are read again and again, and who asks for more than there is, is killed.

    Swap is not to be had meanwhile. A kernel may refuse a limit below what is in use (cgroup v1), or kill at once (v2).
    """

    word: ClassVar[str] = "resource.memory"
    title: ClassVar[str] = "allows the service no more than so much memory"
    undo: ClassVar[str] = (
        "the limit of memory is what it was before; a service that was killed over it is started again"
    )
    by_hand: ClassVar[str] = "docker update --memory N --memory-swap M CONTAINER; docker start CONTAINER"
    # PROCESSES, because undoing may start the service: nothing else may have stopped it meanwhile.
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.LIMITS, Capability.PROCESSES})

    limit: Size = Field(description="How much it may use, page cache included, as in 64MB.")

    def problems(self, service: str, system: System) -> Iterable[Flaw]:
        if self.limit < LIMIT_MIN:
            what = f"{size_text(self.limit)} cannot be set; allowed: at least {size_text(LIMIT_MIN)}"
            yield Flaw(("with", "limit"), what)

    def describe(self, service: str) -> str:
        return f"allows {service} no more than {size_text(self.limit)} of memory"

    def before(self, target: Target, lease: Lease) -> Seen:
        limits = target.limits(lease.service)
        usage = limits.usage()
        return {
            "limit": limits.memory(),
            "ran": bool(target.processes(lease.service)),
            "used": usage.memory_bytes,
            "refused": usage.memory_refused,
            "oom_killed": usage.oom_killed,
        }

    def inject(self, target: Target, lease: Lease, seen: Seen) -> None:
        limits = target.limits(lease.service)
        has = limits.memory_bytes()
        if self.limit >= has:
            raise InjectFailed(f"{lease.service} may use no more than {_mb(has)} as it is", remedy="ask for less")
        try:
            limits.limit_memory(self.limit)
        except FaultError as error:
            used = _mb(seen["used"])
            raise InjectFailed(error.what, remedy=f"{used} are in use; ask for a little more than that") from error

    def is_active(self, target: Target, lease: Lease, seen: Seen) -> bool:
        return target.limits(lease.service).memory_bytes() == self.limit

    def heal(self, target: Target, lease: Lease, seen: Seen) -> None:
        if not seen:
            return  # nothing was looked at, so nothing was done
        try:
            target.limits(lease.service).restore_memory(seen["limit"])
            if seen["ran"]:
                target.start(lease.service)
        except FaultError as error:
            raise HealFailed(error.what, remedy=self.by_hand) from error

    def evidence(self, target: Target, lease: Lease, seen: Seen) -> Evidence:
        usage = target.limits(lease.service).usage()
        measured = {"bytes_before": seen["used"], "bytes": usage.memory_bytes, "limit": self.limit}
        if usage.oom_killed and not seen["oom_killed"]:
            return Evidence(True, f"{lease.service} was killed for want of memory", {**measured, "oom_killed": True})
        if usage.memory_refused is not None and seen["refused"] is not None:
            times = usage.memory_refused - seen["refused"]
            measured["limit_met"] = times
            if times > 0:
                return Evidence(
                    True, f"{lease.service} met its limit of {size_text(self.limit)} {times} times", measured
                )
        elif usage.memory_bytes >= _FULL * self.limit:
            return Evidence(True, f"{lease.service} used {usage.memory_bytes / self.limit:.0%} of its memory", measured)
        return Evidence(False, f"{lease.service} had enough memory: it used {_mb(usage.memory_bytes)}", measured)


def _mb(count: float) -> str:
    """A measured size, for people."""
    return f"{count / 1e6:.1f} MB"
