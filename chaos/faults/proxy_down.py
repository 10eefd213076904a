"""`proxy.down`: the proxy stops listening, and its connections are closed."""

from __future__ import annotations

from typing import ClassVar

from chaos.faults.base import Lease
from chaos.faults.proxy import ProxyFault
from chaos.faults.proxy_probe import Talk
from chaos.faults.proxy_words import ended_so
from chaos.targets.base import Link, LinkState


class ProxyDown(ProxyFault):
    """A partner that refuses connections at once, as when nobody listens any more."""

    word: ClassVar[str] = "proxy.down"
    title: ClassVar[str] = "refuses connections through the proxy, and ends those that are open"
    undo: ClassVar[str] = "the proxy listens again"
    by_hand: ClassVar[str] = "docker compose restart toxiproxy: every proxy listens when it starts"

    def effect(self) -> str:
        return "refuses connections"

    def switch_on(self, link: Link, lease: Lease) -> None:
        link.enable(False)

    def switch_off(self, link: Link, lease: Lease) -> None:
        link.enable(True)

    def is_on(self, state: LinkState, lease: Lease) -> bool:
        return not state.enabled

    def met(self, before: Talk, during: Talk) -> bool:
        # A relay of the engine's accepts in its place, and closes at once.
        return during.ended in ("refused", "closed", "reset") and not during.received

    def told(self, before: Talk, during: Talk) -> str:
        return ended_so(during)
