"""`process.pause`: every process of a service is stopped (SIGSTOP), as if the machine hung; connections stay open."""

from __future__ import annotations

from typing import ClassVar

from chaos.faults.base import Evidence, Fault, Lease, Seen
from chaos.faults.processes import count
from chaos.targets.base import Capability, Target


class ProcessPause(Fault):
    """The service hangs but does not die: it accepts connections and answers nothing."""

    word: ClassVar[str] = "process.pause"
    title: ClassVar[str] = "stops every process of the service with SIGSTOP"
    undo: ClassVar[str] = "the processes go on (SIGCONT)"
    by_hand: ClassVar[str] = "kill -CONT the service's processes; for a container: docker unpause"
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.PROCESSES})

    def before(self, target: Target, lease: Lease) -> Seen:
        return {"processes": len(target.processes(lease.service))}

    def inject(self, target: Target, lease: Lease, seen: Seen) -> None:
        target.pause(lease.service)

    def is_active(self, target: Target, lease: Lease, seen: Seen) -> bool:
        processes = target.processes(lease.service)
        return bool(processes) and all(process.state in "Tt" for process in processes)

    def heal(self, target: Target, lease: Lease, seen: Seen) -> None:
        target.resume(lease.service)

    def evidence(self, target: Target, lease: Lease, seen: Seen) -> Evidence:
        states = [process.state for process in target.processes(lease.service)]
        stopped = sum(state in "Tt" for state in states)
        measured = {"processes_before": seen["processes"], "processes": len(states), "stopped": stopped}
        if not states or stopped < len(states):
            return Evidence(False, f"only {stopped} of {count(len(states))} of {lease.service} stopped", measured)
        return Evidence(True, f"{count(stopped)} of {lease.service} stopped until the end of the fault", measured)
