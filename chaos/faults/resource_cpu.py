"""`resource.cpu`: a service gets no more than a share of one CPU."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from chaos.errors import FaultError, HealFailed, InjectFailed
from chaos.faults.base import Evidence, Fault, Flaw, Lease, Seen
from chaos.system import System
from chaos.targets.base import Capability, Target
from chaos.units import Percent, percent_text

_WAITED_SHARE = 0.02  # of the fault's time, at least
PERCENT_MIN = 1.0  # the kernel gives no less than 1 ms of every 100 ms


class ResourceCpu(Fault):
    """A starved service: it answers, but late, since the kernel lets it run for a part of every tenth of a second."""

    word: ClassVar[str] = "resource.cpu"
    title: ClassVar[str] = "allows the service no more than a share of one CPU"
    undo: ClassVar[str] = "the limit of CPU is what it was before"
    by_hand: ClassVar[str] = "docker update --cpus N CONTAINER, or --cpu-quota -1 where it had no limit"
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.LIMITS})

    percent: Percent = Field(description="The share of one CPU that is left, as in 10%.")

    def problems(self, service: str, system: System) -> Iterable[Flaw]:
        if self.percent < PERCENT_MIN:
            what = (
                f"{percent_text(self.percent)} of a CPU cannot be given; allowed: {percent_text(PERCENT_MIN)} to 100%"
            )
            yield Flaw(("with", "percent"), what)

    def describe(self, service: str) -> str:
        return f"allows {service} no more than {percent_text(self.percent)} of one CPU"

    def before(self, target: Target, lease: Lease) -> Seen:
        limits = target.limits(lease.service)
        usage = limits.usage()
        return {"limit": limits.cpu(), "throttled": usage.throttled, "throttled_s": usage.throttled_s}

    def inject(self, target: Target, lease: Lease, seen: Seen) -> None:
        limits = target.limits(lease.service)
        has = limits.cpus()
        if self.percent / 100 >= has:
            raise InjectFailed(
                f"{lease.service} has no more than {percent_text(has * 100)} of one CPU as it is",
                remedy="ask for less",
            )
        try:
            limits.limit_cpu(self.percent / 100)
        except FaultError as error:
            raise InjectFailed(error.what, remedy=error.remedy) from error

    def is_active(self, target: Target, lease: Lease, seen: Seen) -> bool:
        return math.isclose(target.limits(lease.service).cpus(), self.percent / 100, rel_tol=0.01)

    def heal(self, target: Target, lease: Lease, seen: Seen) -> None:
        # Nothing was done, or it is undone, or the container was made anew with limits of its own.
        if not seen or not self.is_active(target, lease, seen):
            return
        try:
            target.limits(lease.service).restore_cpu(seen["limit"])
        except FaultError as error:
            raise HealFailed(error.what, remedy=self.by_hand) from error

    def evidence(self, target: Target, lease: Lease, seen: Seen) -> Evidence:
        usage = target.limits(lease.service).usage()
        again = usage.throttled < seen["throttled"]  # it was started again, and is counted from 0
        times = usage.throttled - (0 if again else seen["throttled"])
        waited_s = usage.throttled_s - (0 if again else seen["throttled_s"])
        measured = {"periods_throttled": times, "waited_s": round(waited_s, 3)}
        if not times:
            return Evidence(False, f"{lease.service} never wanted more CPU than it was allowed", measured)
        what = f"{lease.service} was out of CPU {times} times and waited {waited_s:.1f} s for it"
        least_s = _WAITED_SHARE * lease.for_s
        if waited_s < least_s:
            return Evidence(False, f"{what}, less than the {least_s:.1f} s that would be felt", measured)
        return Evidence(True, what, measured)
