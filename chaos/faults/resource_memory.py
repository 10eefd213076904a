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


class ResourceMemory(Fault):
    """Memory that runs out: who asks for more is killed. A limit below what is held kills at once, or is refused."""

    word: ClassVar[str] = "resource.memory"
    title: ClassVar[str] = "allows the service no more than so much memory"
    undo: ClassVar[str] = (
        "the limit of memory is what it was before; a service that was killed over it is started again"
    )
    by_hand: ClassVar[str] = "docker update --memory N --memory-swap M CONTAINER; docker start CONTAINER"
    # PROCESSES, because undoing may start the service: nothing else may have stopped it meanwhile.
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.LIMITS, Capability.PROCESSES})

    limit: Size = Field(default=0, description="How much it may use, files included; 0B: what it holds, and `leave`.")
    leave: Size = Field(default=1_000_000, description="How much more it may use than what it holds when this begins.")
    restart: bool = Field(
        default=False, description="Whether it is started again under the limit, which may then be below what it holds."
    )

    def problems(self, service: str, system: System) -> Iterable[Flaw]:
        if self.limit and "leave" in self.model_fields_set:
            yield Flaw(("with", "leave"), "`limit` says how much it may use; give one of the two")
        if 0 < self.limit < LIMIT_MIN:
            what = f"{size_text(self.limit)} cannot be set; allowed: at least {size_text(LIMIT_MIN)}"
            yield Flaw(("with", "limit"), what)

    def describe(self, service: str) -> str:
        much = size_text(self.limit) if self.limit else f"what it holds and {size_text(self.leave)}"
        again = ", and starts it again" if self.restart else ""
        return f"allows {service} no more memory than {much}{again}"

    def before(self, target: Target, lease: Lease) -> Seen:
        limits = target.limits(lease.service)
        usage = limits.usage()
        return {
            "limit": limits.memory(),
            "ran": bool(target.processes(lease.service)),
            "used": usage.memory_bytes,
            "to": self.limit or max(LIMIT_MIN, usage.memory_held_bytes + self.leave),
            "refused": usage.memory_refused,
            "oom_killed": usage.oom_killed,
        }

    def inject(self, target: Target, lease: Lease, seen: Seen) -> None:
        limits = target.limits(lease.service)
        has = limits.memory_bytes()
        if seen["to"] >= has:
            raise InjectFailed(f"{lease.service} may use no more than {_mb(has)} as it is", remedy="ask for less")
        try:
            if self.restart:
                target.kill(lease.service)
            limits.limit_memory(seen["to"])
            if self.restart:
                target.start(lease.service)
        except FaultError as error:
            used = _mb(seen["used"])
            raise InjectFailed(
                error.what, remedy=f"{used} are in use; allow a little more, or `restart: true`"
            ) from error

    def is_active(self, target: Target, lease: Lease, seen: Seen) -> bool:
        return bool(seen) and target.limits(lease.service).memory_bytes() == seen["to"]

    def heal(self, target: Target, lease: Lease, seen: Seen) -> None:
        if not seen:
            return  # nothing was looked at, so nothing was done
        try:
            if self.is_active(target, lease, seen):  # a container that was made anew has limits of its own
                target.limits(lease.service).restore_memory(seen["limit"])
            if seen["ran"]:
                target.start(lease.service)
        except FaultError as error:
            raise HealFailed(error.what, remedy=self.by_hand) from error

    def evidence(self, target: Target, lease: Lease, seen: Seen) -> Evidence:
        usage = target.limits(lease.service).usage()
        measured = {"bytes_before": seen["used"], "bytes": usage.memory_bytes, "limit": seen["to"]}
        if usage.oom_killed and not seen["oom_killed"]:
            return Evidence(True, f"{lease.service} was killed for want of memory", {**measured, "oom_killed": True})
        if usage.memory_refused is not None and seen["refused"] is not None:
            again = usage.memory_refused < seen["refused"]  # it was started again, and is counted from 0
            times = usage.memory_refused - (0 if again else seen["refused"])
            measured["limit_met"] = times
            if times > 0:
                return Evidence(True, f"{lease.service} met its limit of {_mb(seen['to'])} {times} times", measured)
            return Evidence(False, f"{lease.service} had enough memory: it used {_mb(usage.memory_bytes)}", measured)
        # A limit just above what is held is nearly used up by a service that notices nothing of it.
        what = f"{lease.service} was not killed for want of memory, and this kernel counts nothing less (cgroup v2)"
        return Evidence(False, what, measured)


def _mb(count: float) -> str:
    """A measured size, for people."""
    return f"{count / 1e6:.1f} MB"
