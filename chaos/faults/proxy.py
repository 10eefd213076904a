"""What the faults of a proxy share: a Toxiproxy between a service and those who call it.

The target is the service that is called. A fault is on in the Toxiproxy itself, named after its lease, so that any
process can take it off; open connections meet it as new ones do. Its effect is shown twice: packets of the callers that
came to the listener while it was on, counted by the kernel, and a conversation of our own through it, timed before and
meanwhile. Leaves out services behind a proxy that answer no question (see proxy_probe.py): there is no evidence then.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic import ConfigDict, Field, PrivateAttr

from chaos.errors import FaultError, HealFailed, InjectFailed
from chaos.faults.base import Evidence, Fault, Flaw, Lease, Seen
from chaos.faults.proxy_attempts import Attempts
from chaos.faults.proxy_probe import Speech, Talk, talk
from chaos.system import System
from chaos.targets.base import Capability, Link, LinkState, Target
from chaos.words import suggest

SEEN_SHARE = 0.8  # of what was asked for must be measured
_ANSWERS_WITHIN_S = 1.5  # a service that is well
_PATIENCE_S = 1.0  # beyond what the fault takes
PATIENCE_S_MAX = 3.0  # a fault that takes longer is known by that
_COUNTED_LONGER_S = 10.0


class ProxyFault(Fault):
    """Something between a service and its callers. Subclasses switch it, and tell its effect from two conversations."""

    model_config = ConfigDict(
        serialize_by_alias=True
    )  # `from` is a word of Python's, and is journalled as it is written

    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.PROXY, Capability.NETWORK})  # to count packets
    for_s_min: ClassVar[float] = 0.05
    for_s_max: ClassVar[float] = 86_400.0 - _COUNTED_LONGER_S  # the agent's limits

    from_: list[str] = Field(
        default_factory=list,
        alias="from",
        description="Whose calls go through the proxy, services or sets by name; those of all that can where left out.",
    )

    _attempts: dict[str, Attempts] = PrivateAttr(default_factory=dict)  # lease → those under way

    @abstractmethod
    def switch_on(self, link: Link, lease: Lease) -> None:
        """Puts it on."""

    @abstractmethod
    def switch_off(self, link: Link, lease: Lease) -> None:
        """Takes it off; harmless when it is not on."""

    @abstractmethod
    def is_on(self, state: LinkState, lease: Lease) -> bool:
        """Whether the proxy shows it."""

    @abstractmethod
    def met(self, before: Talk, during: Talk) -> bool:
        """Whether our own conversation shows the effect."""

    @abstractmethod
    def told(self, before: Talk, during: Talk) -> str:
        """What it showed, in words."""

    def unfit(self, before: Talk) -> str:
        """Why this effect could not be told from a conversation that goes like this without it; empty: it can."""
        return ""

    def amount(self) -> int:
        """How many bytes must be moved for the effect to be seen; 0: any."""
        return 0

    def takes_s(self) -> float:
        """How much longer than before a conversation may take, in seconds."""
        return 0.0

    def side(self) -> str:
        """What it acts on, for sentences: replies or requests."""
        return "replies"

    def tries(self) -> int:
        """How many connections may have to be tried until one meets it."""
        return 1

    def clients(self, system: System) -> list[str]:
        """The services whose calls go through the proxy."""
        if system.proxy is None or not system.proxy.listeners:
            return [name for name in system.services if system.proxy is None or name != system.proxy.service]
        named = [member for name in self.from_ for member in system.members(name)]
        return list(dict.fromkeys(named)) or list(system.proxy.clients)

    def problems(self, service: str, system: System) -> Iterable[Flaw]:
        proxy = system.proxy
        if proxy is None:
            what = "no Toxiproxy stands in this system; name its service: sandbox: {compose: …, toxiproxy: SERVICE}"
            yield Flaw(("target",), what)
        elif not proxy.listeners:
            if self.from_:
                yield Flaw(("with", "from"), "the proxy is shared by all who call through it; leave `from` out")
            if service == proxy.service:
                yield Flaw(("target",), f"{service} is the proxy; name the service that is called through it")
        else:
            if service not in proxy.listeners:
                yield Flaw(("target",), f"no proxy leads to {service}; allowed: {', '.join(proxy.listeners)}")
            for index, name in enumerate(self.from_):
                for member in system.sets.get(name, [name] if name in system.services else []):
                    if member not in proxy.clients:
                        what = f"{member} cannot be told to call through the proxy{suggest(member, proxy.clients)}"
                        yield Flaw(("with", "from", index), what)

    def describe(self, service: str) -> str:
        whose = f" of {' and '.join(self.from_)}" if self.from_ else ""
        return f"{self.effect()}, for calls{whose} to {service} through the proxy"

    @abstractmethod
    def effect(self) -> str:
        """What happens, as in `holds replies back by 100 ms`."""

    def prepare(self, target: Target, lease: Lease) -> None:
        target.proxy(lease.service).state()
        target.agent(_proxy(target))

    def before(self, target: Target, lease: Lease) -> Seen:
        link = target.proxy(lease.service)
        state = link.state()
        speech = self._speech(target, lease, state.upstream)
        seen: dict[str, Any] = {"listen": state.listen, "upstream": state.upstream, "door": None, "talk": None}
        for door in link.doors():
            went = talk(door, speech, self.amount(), patience_s=_ANSWERS_WITHIN_S)
            if went.ended not in ("refused", "silent"):
                return {**seen, "door": door, "talk": went.to_journal()}
        return seen

    def inject(self, target: Target, lease: Lease, seen: Seen) -> None:
        try:
            self._count(target, lease, seen)
            self.switch_on(target.proxy(lease.service), lease)
            self._try(target, lease, seen)
        except FaultError as error:
            raise InjectFailed(error.what, remedy=error.remedy) from error

    def is_active(self, target: Target, lease: Lease, seen: Seen) -> bool:
        # Toxics live in the Toxiproxy's memory: one that does not run has none, and begins without.
        return bool(target.processes(_proxy(target))) and self.is_on(target.proxy(lease.service).state(), lease)

    def heal(self, target: Target, lease: Lease, seen: Seen) -> None:
        if not target.processes(_proxy(target)):
            return
        try:
            self.switch_off(target.proxy(lease.service), lease)
        except FaultError as error:
            raise HealFailed(error.what, remedy=self.by_hand) from error

    def evidence(self, target: Target, lease: Lease, seen: Seen) -> Evidence:
        attempts = self._attempts.pop(lease.id, None)
        tried = attempts.end() if attempts else []
        counted = target.agent(_proxy(target)).ask({"do": "counters", "fault": lease.id})["matched"]
        measured = {"packets_of_callers": counted["packets"], "bytes_of_callers": counted["bytes"]}
        if not counted["packets"]:
            return Evidence(False, f"nobody called {lease.service} through the proxy while the fault was on", measured)
        traffic = f"{counted['packets']} packets of callers came to the proxy of {lease.service}"
        before = Talk.from_journal(seen["talk"]) if seen["talk"] else None
        if before is None or before.ended != "whole":
            return Evidence(False, f"{traffic}, but without the fault it gave us no answer to compare with", measured)
        if unfit := self.unfit(before):
            return Evidence(False, f"{traffic}, but the effect cannot be told: {unfit}", measured)
        if not tried:
            return Evidence(False, f"{traffic}, but it was over before our own connection had an answer", measured)
        during = tried[-1]
        measured |= {"connections_tried": len(tried), **_figures("before", before), **_figures("meanwhile", during)}
        if not self.met(before, during):
            many = f"none of {len(tried)} connections" if len(tried) > 1 else "not our own connection, which"
            return Evidence(False, f"{traffic}, but {many} met the fault: it {self.told(before, during)}", measured)
        return Evidence(True, f"{traffic}; our own connection through it {self.told(before, during)}", measured)

    def _try(self, target: Target, lease: Lease, seen: Seen) -> None:
        """Begins conversations through the proxy, where there is one to compare them with."""
        if not seen["talk"]:
            return
        before, door = Talk.from_journal(seen["talk"]), seen["door"]
        speech = self._speech(target, lease, seen["upstream"])
        patience_s = min((before.reply_s or 0) + self.takes_s() + _PATIENCE_S, PATIENCE_S_MAX)
        self._attempts[lease.id] = Attempts(
            lambda: talk(door, speech, self.amount(), patience_s=patience_s),
            lambda during: self.met(before, during),
            most=self.tries(),
        )

    def _speech(self, target: Target, lease: Lease, upstream: str) -> Speech:
        """What to say to the service behind a proxy."""
        system = target.terrain.system
        service, login = system.services.get(lease.service), system.database
        return Speech(
            port=int(upstream.rpartition(":")[2]),
            upstream=self.side() == "requests",
            path=(service.ready.http if service else None) or "/",
            user=login.user if login else "",
            database=login.name if login else "",
        )

    def _count(self, target: Target, lease: Lease, seen: Seen) -> None:
        """Has the kernel count the packets that callers send to the listener; ends by itself soon after the fault."""
        agent = target.agent(_proxy(target))
        agent.ask({"do": "remove", "fault": lease.id})
        request = {
            "do": "add",
            "fault": lease.id,
            "action": "count",
            "direction": "in",
            "peers": _addresses(target, self.clients(target.terrain.system)),
            "ports": [int(seen["listen"].rpartition(":")[2])],
            "for_s": lease.for_s + _COUNTED_LONGER_S,
        }
        agent.ask(request)


def _proxy(target: Target) -> str:
    """The service that is the Toxiproxy; `problems` has refused systems without one."""
    proxy = target.terrain.system.proxy
    assert proxy is not None
    return proxy.service


def _addresses(target: Target, services: Iterable[str]) -> list[str]:
    """The addresses of services; those that have none now, as they do not run, call nobody."""
    found = []
    for service in services:
        try:
            found += target.hosts(service)
        except FaultError:
            continue
    if not found:
        raise FaultError("none of those who call through the proxy runs")
    return found


def _figures(when: str, went: Talk) -> dict[str, Any]:
    return {f"{key}_{when}": value for key, value in went.to_journal().items() if value is not None}
