"""What the process faults share: that there is something to act on, and how they count."""

from __future__ import annotations

from chaos.errors import InjectFailed
from chaos.targets.base import ProcessState, Target


def running(target: Target, service: str) -> list[ProcessState]:
    """The processes of a service that runs.

    Raises InjectFailed for one that does not: undoing the fault would start what nobody had started.
    """
    found = target.processes(service)
    if not found:
        raise InjectFailed(f"{service} does not run, so there is nothing to end")
    return found


def count(processes: int) -> str:
    """`1 process`, `7 processes`."""
    return f"{processes} process" + ("" if processes == 1 else "es")
