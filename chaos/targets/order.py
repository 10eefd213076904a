"""What the command outside asks of the world inside: one frozen value that crosses as JSON in an argument."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from chaos.targets.base import Capability, Refusal, Terrain


@dataclass(frozen=True)
class Play:
    """An experiment to play; the file is in the run's folder."""

    seed: int
    argv: tuple[str, ...]
    keep: bool  # the shop stays up afterwards, until the life line closes
    quiet: bool  # standard output is not for the timeline


@dataclass(frozen=True)
class Order:
    """Where everything is, and what to do; without `play`, the shop is brought up and kept."""

    folder: Path  # of the run
    data: Path  # of the services
    namespaces: bool
    missing: dict[Capability, Refusal]
    weak: tuple[str, ...]
    play: Play | None
    messages: int = -1  # descriptors that `World` fills in
    page: int | None = None

    def with_descriptors(self, messages: int, page: int | None) -> Self:
        """The order as it is sent."""
        return replace(self, messages=messages, page=page)

    def to_json(self) -> str:
        """As text for an argument."""
        return json.dumps(asdict(self), default=str)

    @staticmethod
    def from_json(text: str) -> Order:
        """The order that `to_json` wrote."""
        fields = json.loads(text)
        play = fields.pop("play")
        return Order(
            folder=Path(fields.pop("folder")),
            data=Path(fields.pop("data")),
            missing={Capability(name): Refusal(**refusal) for name, refusal in fields.pop("missing").items()},
            weak=tuple(fields.pop("weak")),
            play=Play(**{**play, "argv": tuple(play["argv"])}) if play else None,
            **fields,
        )


def order(terrain: Terrain, *, folder: Path, data: Path, namespaces: bool, weak: list[str], play: Play | None) -> Order:
    """An order for a terrain."""
    return Order(folder, data, namespaces, dict(terrain.missing), tuple(weak), play)
