"""Reaches the system of a run whose conductor is dead, or stuck, and undoes there what was on.

Packet faults live as long as their agents: who removes the run's helper containers has undone them. All other faults
undo themselves from what was journalled. Leaves out which faults those are, and who may heal.
"""

from __future__ import annotations

from collections.abc import Sequence

from chaos.errors import HealFailed, SandboxError, UsageError
from chaos.faults import fault_class, words
from chaos.faults.base import Fault
from chaos.heal.leases import Open
from chaos.targets.base import Capability
from chaos.targets.compose_sandbox import open_target
from chaos.targets.docker.containers import Project
from chaos.targets.docker.engine import Engine, connect
from chaos.targets.docker.leftovers import leftovers, remove
from chaos.targets.order import Order

_STILL_ON = "it is still active after healing"


def ends_with_agents(fault: Fault) -> bool:
    """Whether the kernel undoes a fault when its agents end; for a fault of a proxy they only count packets."""
    return Capability.NETWORK in fault.needs and Capability.PROXY not in fault.needs


class Healer:
    """Everything that healing one run needs, loaded and connected, so that nothing is slow once it matters."""

    def __init__(self, order: Order) -> None:
        """Starts nothing. Raises SandboxError where no engine answers, or another one than that of the run."""
        assert order.compose is not None
        self._run = order.run
        self._target = open_target(order)
        self._engine = connect()
        _require_same(self._engine, order.compose.engine)
        self._project = Project(self._engine, order.compose.project)
        for word in words():
            fault_class(word)

    def undo(self, on: Open) -> str:
        """Takes one fault off and returns how that is known; harmless when it is gone. Raises ChaosError."""
        if on.lease.service not in self._target.terrain.system.services:
            raise HealFailed(f"{on.lease.service} is no service of this system, so nothing is done to it")
        fault = on.fault()
        if ends_with_agents(fault):
            if leftovers(self._engine, self._run):
                raise HealFailed("its agent is still there", remedy="docker rm -f the helper containers of the run")
            return "its agent is gone, and the kernel's rules with it"
        if self._removed(self._holder(fault, on.lease.service)):
            return "its container was removed, and the fault with it"
        fault.heal(self._target, on.lease, on.seen)
        if fault.is_active(self._target, on.lease, on.seen):
            raise HealFailed(_STILL_ON, remedy=fault.by_hand)
        return "the system no longer shows it"

    def remove_helpers(self) -> int:
        """Removes the run's helper containers, and says how many there were. Raises ChaosError."""
        left = leftovers(self._engine, self._run)
        for each in left:
            remove(self._engine, each)
        return len(left)

    def down(self) -> None:
        """Takes down what the run itself brought up; harmless when it is down. Raises ChaosError."""
        self._target.down()

    def close(self) -> None:
        """Closes the connection."""
        self._engine.close()

    def _holder(self, fault: Fault, service: str) -> str:
        """The container with which the fault ends: toxics are in the memory of the Toxiproxy."""
        proxy = self._target.terrain.system.proxy
        return proxy.service if proxy is not None and Capability.PROXY in fault.needs else service

    def _removed(self, service: str) -> bool:
        try:
            return self._project.find(service) is None
        except UsageError:  # never seen by this process: removed, unless there are several now
            return service not in self._project.names()


def _require_same(engine: Engine, of_run: Sequence[str]) -> None:
    """Two engines may well have projects of one name, and a run's folder goes anywhere, as after a CI job."""
    here = engine.known_by()
    if of_run and not set(of_run) & set(here):
        raise SandboxError(
            f"this Docker engine is {' or '.join(here)}, and the run was on {of_run[-1]}: nothing was done",
            remedy="name the right one in DOCKER_HOST",
        )
