"""`process.kill`: every process of a service gets SIGKILL, and the service is started again after `for`."""

from __future__ import annotations

from typing import ClassVar

from chaos.faults.base import Evidence, Fault, Lease, Seen
from chaos.faults.processes import count, running
from chaos.targets.base import Capability, Target


class ProcessKill(Fault):
    """The service dies at once, as with a power cut; what it had in memory is gone."""

    word: ClassVar[str] = "process.kill"
    title: ClassVar[str] = "kills every process of the service with SIGKILL"
    undo: ClassVar[str] = "the service is started again"
    by_hand: ClassVar[str] = "start the service again"
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.PROCESSES})

    def before(self, target: Target, lease: Lease) -> Seen:
        return {"processes": len(running(target, lease.service))}

    def inject(self, target: Target, lease: Lease, seen: Seen) -> None:
        target.kill(lease.service)

    def is_active(self, target: Target, lease: Lease, seen: Seen) -> bool:
        return not target.processes(lease.service)

    def heal(self, target: Target, lease: Lease, seen: Seen) -> None:
        target.start(lease.service)

    def evidence(self, target: Target, lease: Lease, seen: Seen) -> Evidence:
        left = len(target.processes(lease.service))
        if left:
            return Evidence(
                False, f"{lease.service} has {count(left)} although it was killed: something started it again"
            )
        return Evidence(
            True,
            f"{count(seen['processes'])} of {lease.service} killed; none ran until the end of the fault",
            {"processes_killed": seen["processes"], "processes_left": left},
        )
