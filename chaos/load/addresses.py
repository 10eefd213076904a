"""Where a user's own requests go, looked up again and again: a container that starts again may listen elsewhere.

Without that, a system that serves again would look as if it never did, on a port that it no longer has. Leaves out
telling the load: that is `watch`.
"""

from __future__ import annotations

import contextlib

from chaos.endpoint import endpoint
from chaos.errors import ChaosError
from chaos.load.spec import Stream
from chaos.model import Load
from chaos.targets.base import Target


class Addresses:
    """The addresses of the streams of `load.http`, as they were last known."""

    def __init__(self, load: Load, target: Target) -> None:
        """Raises what the target says where a service has no address that is reached from here."""
        self._target = target
        self._asked = {each.name: (each, endpoint(each.url, target.terrain.system)) for each in load.http}
        self._known = {name: target.url(at.service, at.port) for name, (_, at) in self._asked.items()}

    def streams(self) -> list[Stream]:
        """The streams, each with its address."""
        return [Stream.of(each, self._known[name], at.path) for name, (each, at) in self._asked.items()]

    def moved(self) -> dict[str, str]:
        """The streams that have another address than at the last look; what has none now stays where it was."""
        now: dict[tuple[str, str], str] = {}
        for service, port in {(at.service, at.port) for _, at in self._asked.values()}:
            with contextlib.suppress(ChaosError):
                now[service, port] = self._target.url(service, port)
        found = {name: now.get((at.service, at.port), self._known[name]) for name, (_, at) in self._asked.items()}
        moved = {name: url for name, url in found.items() if url != self._known[name]}
        self._known = found
        return moved
