"""What the faults of third parties share: the control port that every third party of the sandbox has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from chaos.errors import FaultError, HealFailed, InjectFailed
from chaos.faults.base import Evidence, Fault, Flaw, Lease, Seen
from chaos.system import System
from chaos.targets.base import Capability, Target

_ANSWER_WITHIN_S = 2.0
EXPIRY_MARGIN_S = 5.0  # the third party ends a fault by itself this long after it should have been healed
_EXPIRY_S_MAX = 3600.0  # the third party's limit


class ThirdPartyFault(Fault):
    """A mode of misbehaviour that the third party itself plays, and counts."""

    undo: ClassVar[str] = "the third party is told to behave; it also ends the fault by itself soon after `for`"
    by_hand: ClassVar[str] = "start the third party again"
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.THIRD_PARTY})
    for_s_max: ClassVar[float] = _EXPIRY_S_MAX - EXPIRY_MARGIN_S

    def order(self) -> Mapping[str, Any]:
        """What the third party is told: its mode, and the parameters of that."""
        raise NotImplementedError

    def problems(self, service: str, system: System) -> Iterable[Flaw]:
        if service not in system.third_parties:
            allowed = ", ".join(system.third_parties) or "none"
            yield Flaw(("target",), f"{service} is not a third party; allowed: {allowed}")
        if self.order()["percent"] == 0:
            yield Flaw(("with", "percent"), "0% is not one request; allowed: more than 0%, at most 100%")

    def inject(self, target: Target, lease: Lease, seen: Seen) -> None:
        order = {**self.order(), "seed": lease.seed, "expires_s": lease.for_s + EXPIRY_MARGIN_S}
        try:
            self._control("PUT", target, lease, json=order)
        except FaultError as error:
            raise InjectFailed(error.what, remedy=error.remedy) from error

    def is_active(self, target: Target, lease: Lease, seen: Seen) -> bool:
        if not target.processes(lease.service):
            return False
        return bool(self._control("GET", target, lease)["mode"] == self.order()["mode"])

    def heal(self, target: Target, lease: Lease, seen: Seen) -> None:
        # A third party that is not running plays no mode, and begins without one when it is started again.
        if not target.processes(lease.service):
            return
        try:
            self._control("DELETE", target, lease)
        except FaultError as error:
            raise HealFailed(error.what, remedy=self.by_hand) from error

    def evidence(self, target: Target, lease: Lease, seen: Seen) -> Evidence:
        try:
            told = self._control("GET", target, lease)
        except FaultError as error:
            return Evidence(False, f"{lease.service} could not be asked: {error.what}")
        measured = {"requests_seen": told["seen"], "requests_affected": told["affected"]}
        if not told["affected"]:
            return Evidence(False, f"not one request to {lease.service} met the fault", measured)
        return Evidence(True, f"{told['affected']} requests to {lease.service} met the fault", measured)

    def _control(
        self, method: str, target: Target, lease: Lease, json: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        import requests  # takes long to import, and `chaos check` needs none of it

        port = target.terrain.system.third_parties[lease.service].control
        url = f"{target.url(lease.service, port)}/fault"
        try:
            reply = requests.request(method, url, json=json, timeout=_ANSWER_WITHIN_S)
            reply.raise_for_status()
            told: dict[str, Any] = reply.json()
        except requests.RequestException as error:
            raise FaultError(f"the control port of {lease.service} did not do as told: {error}") from error
        return told
