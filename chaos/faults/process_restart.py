"""`process.restart`: a service is asked to end, as in maintenance, and is started again after `for`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from chaos.faults.base import Evidence, Fault, Lease, Seen
from chaos.faults.processes import count, running
from chaos.targets.base import Capability, ProcessState, Target


class ProcessRestart(Fault):
    """An orderly stop: the service may finish what it has begun; what is left after `for` is killed."""

    word: ClassVar[str] = "process.restart"
    title: ClassVar[str] = "asks the service to end in good order"
    undo: ClassVar[str] = "whatever of it has not ended is killed, and the service is started again"
    by_hand: ClassVar[str] = "start the service again"
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.PROCESSES})

    def before(self, target: Target, lease: Lease) -> Seen:
        found = running(target, lease.service)
        return {"processes": len(found), "first": _named(found)}

    def inject(self, target: Target, lease: Lease, seen: Seen) -> None:
        target.terminate(lease.service)

    def is_active(self, target: Target, lease: Lease, seen: Seen) -> bool:
        # How long an orderly end takes is the service's affair: until it is started again, the fault is on.
        processes = target.processes(lease.service)
        return not processes or _named(processes) == seen.get("first")

    def heal(self, target: Target, lease: Lease, seen: Seen) -> None:
        # Whatever was started since is not what was asked to end: who heals long afterwards must not kill it.
        if not self.is_active(target, lease, seen):
            return
        target.kill(lease.service)
        target.start(lease.service)

    def evidence(self, target: Target, lease: Lease, seen: Seen) -> Evidence:
        left = target.processes(lease.service)
        measured = {"processes_before": seen["processes"], "processes_left": len(left)}
        if left and _named(left) == seen["first"]:
            what = f"{count(len(left))} of {lease.service} did not end when asked, so nothing was put to the test"
            return Evidence(False, what, measured)
        if left:
            what = f"{lease.service} has {count(len(left))} although it was asked to end: something started it again"
            return Evidence(False, what, measured)
        return Evidence(True, f"{count(seen['processes'])} of {lease.service} ended when asked to", measured)


def _named(found: Sequence[ProcessState]) -> str | None:
    """Tells a service's first process from any other there ever was; None where there is none."""
    return f"{found[0].pid} {found[0].started}" if found else None
