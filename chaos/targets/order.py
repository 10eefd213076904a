"""What the command outside asks of the world inside: one frozen value that crosses as JSON, and is kept.

It lies in the run's folder: whoever has it reaches the target again, as the watchdog and `chaos heal` do when the
conductor has died.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Self

from pydantic import TypeAdapter

from chaos.system import System
from chaos.targets.base import Capability, Refusal, Terrain

_RUN = r"[A-Za-z0-9_.-]*"  # empty for a shop that stands by, and that nobody heals


@dataclass(frozen=True)
class Play:
    """An experiment to play; the file is in the run's folder."""

    seed: int
    argv: tuple[str, ...]
    keep: bool  # the shop stays up afterwards, until the life line closes
    quiet: bool  # standard output is not for the timeline


@dataclass(frozen=True)
class Compose:
    """A compose project on a Docker engine."""

    file: Path
    project: str
    ours: bool  # brought up by the run, and taken down with it; otherwise it runs already, and stays
    owned: bool  # the user said that it is theirs, so its containers need no label
    environment: dict[str, str] = field(default_factory=dict)  # what its file is filled in with
    engine: list[str] = field(default_factory=list)  # what it is known by, so that nobody heals on another one


@dataclass(frozen=True)
class Order:
    """Where everything is, and what to do; without `play`, the shop is brought up and kept."""

    run: str  # tells this run's containers from others
    folder: Path  # of the run
    data: Path  # of the services
    namespaces: bool
    system: System
    missing: dict[Capability, Refusal]
    weak: tuple[str, ...] = ()
    play: Play | None = None
    compose: Compose | None = None  # None: the embedded sandbox, or plain loopback without namespaces
    messages: int = -1  # descriptors that `World` fills in
    page: int | None = None

    @property
    def sandbox(self) -> str:
        """What it runs on, as reports call it."""
        if self.compose is not None:
            return "compose"
        return "embedded" if self.namespaces else "loopback"

    @property
    def terrain(self) -> Terrain:
        """What is known of the target."""
        return Terrain(self.system, self.missing)

    def with_descriptors(self, messages: int, page: int | None) -> Self:
        """The order as it is sent."""
        return replace(self, messages=messages, page=page)

    def to_json(self) -> str:
        """As text for an argument or a file."""
        return json.dumps(asdict(self), default=_plain)

    @staticmethod
    def from_json(text: str) -> Order:
        """The order that `to_json` wrote; ValueError for a text that it cannot have written."""
        order = _ORDER.validate_json(text, strict=True)
        if not re.fullmatch(_RUN, order.run) or "\0" in f"{order.folder}{order.data}":
            raise ValueError(f"{order.run!r} is no name of a run, or a folder cannot be one")
        # What a run brought up bears its name: nothing else is ever taken down, whatever the file says.
        if order.compose is not None and order.compose.ours and order.compose.project != order.run:
            raise ValueError(f"{order.compose.project} was not brought up by {order.run}")
        return order


_ORDER = TypeAdapter(Order)


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, System) else str(value)
