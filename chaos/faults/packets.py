"""What the packet faults share: which packets they mean, and how they talk to the service's agent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from chaos.errors import FaultError, HealFailed, InjectFailed
from chaos.faults.base import Evidence, Fault, Flaw, Lease, Seen
from chaos.system import System
from chaos.targets.base import Capability, Target


class PacketFault(Fault):
    """A fault on the packets between a service and its peers, held by the agent in the service's network namespace."""

    undo: ClassVar[str] = "the agent takes the rules back; they also end by themselves, and with the agent"
    by_hand: ClassVar[str] = "end the agent's process: the kernel removes its rules"
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.NETWORK})
    action: ClassVar[str]  # as the agent calls it
    for_s_min: ClassVar[float] = 0.05  # the agent's limits, here and in the parameters of each fault
    for_s_max: ClassVar[float] = 86_400.0

    to: list[str] = Field(default_factory=list, description="The peers, services or sets by name; all where left out.")
    ports: list[Annotated[int, Field(ge=1, le=65535)]] = Field(
        default_factory=list, description="Only packets from or to these ports; all where left out."
    )
    direction: Literal["in", "out", "both"] = Field(default="both", description="Seen from the target service.")

    def problems(self, service: str, system: System) -> Iterable[Flaw]:
        for index, peer in enumerate(self.to):
            if peer == service:
                yield Flaw(("with", "to", index), f"{service} cannot be its own peer")
            elif service in system.sets.get(peer, ()):
                yield Flaw(("with", "to", index), f"{service} cannot be its own peer, and is one of {peer}")

    def describe(self, service: str) -> str:
        peers = " and ".join(self.to) if self.to else "everybody"
        ports = f", ports {', '.join(map(str, self.ports))}" if self.ports else ""
        way = {"in": "coming in from", "out": "going out to", "both": "to and from"}[self.direction]
        return f"{self.effect()} packets of {service} {way} {peers}{ports}"

    def effect(self) -> str:
        """What happens to the packets, as in `drops 10% of`."""
        raise NotImplementedError

    def parameters(self) -> Mapping[str, Any]:
        """What the agent needs beside the packets meant."""
        return {}

    def prepare(self, target: Target, lease: Lease) -> None:
        target.agent(lease.service)

    def before(self, target: Target, lease: Lease) -> Seen:
        return {"peers": [address for name in self._peers(target) for address in target.hosts(name)]}

    def inject(self, target: Target, lease: Lease, seen: Seen) -> None:
        request = {
            "do": "add",
            "fault": lease.id,
            "action": self.action,
            "direction": self.direction,
            "peers": seen["peers"],
            "ports": self.ports,
            "for_s": lease.for_s,
            "seed": lease.seed,
            **self.parameters(),
        }
        try:
            target.agent(lease.service).ask(request)
        except FaultError as error:
            raise InjectFailed(error.what, remedy=error.remedy) from error

    def is_active(self, target: Target, lease: Lease, seen: Seen) -> bool:
        in_force = target.agent(lease.service).ask({"do": "list"})["faults"]
        return any(fault["fault"] == lease.id for fault in in_force)

    def heal(self, target: Target, lease: Lease, seen: Seen) -> None:
        # An agent that died took its rules with it; the one started in its place finds nothing to remove.
        try:
            target.agent(lease.service).ask({"do": "remove", "fault": lease.id})
        except FaultError as error:
            raise HealFailed(error.what, remedy=self.by_hand) from error

    def evidence(self, target: Target, lease: Lease, seen: Seen) -> Evidence:
        try:
            counted = target.agent(lease.service).ask({"do": "counters", "fault": lease.id})
        except FaultError:
            return Evidence(False, f"the agent of {lease.service} that held the rules is gone, and the fault with it")
        met = self.met(lease.service, counted)
        if moved := [name for name in self._peers(target) if set(_now(target, name)) - set(seen.get("peers", ()))]:
            what = f"{' and '.join(moved)} got another address meanwhile, which the fault did not act on; until then "
            return Evidence(False, what + met.summary, met.measured)
        return met

    def met(self, service: str, counted: Mapping[str, Any]) -> Evidence:
        """What the kernel counted, and whether that is the effect that was asked for."""
        raise NotImplementedError

    def _peers(self, target: Target) -> list[str]:
        return [name for peer in self.to for name in target.terrain.system.members(peer)]


def _now(target: Target, service: str) -> list[str]:
    """A service's addresses; none for one that has none at this moment, as it does not run."""
    try:
        return list(target.hosts(service))
    except FaultError:
        return []
