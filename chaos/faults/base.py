"""The protocol of a fault: its parameters are fields, its acts are methods.

`heal` follows from what was journalled before the injection (the fault, the lease, and what was seen): another process
can do it after this one died. It is idempotent, and may be called without `inject`, twice, or after the service died.
`evidence` is the measured effect, read from the system and never from our own wish.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from chaos.model import Frozen
from chaos.system import System
from chaos.targets.base import Capability, Target

Seen = Mapping[str, Any]
"""What `before` saw, as it goes into the journal with the intent: undoing and measuring may need it."""


@dataclass(frozen=True)
class Lease:
    """One fault on one service: what undoing it needs, and no more."""

    id: str  # unique within the run, as in "2-network.latency-storefront-1"
    service: str
    for_s: float
    seed: int


@dataclass(frozen=True)
class Evidence:
    """What a fault did to the system, as measured."""

    effective: bool
    summary: str  # one sentence with figures
    measured: dict[str, Any] = field(default_factory=dict)


class Flaw(NamedTuple):
    """What is wrong with an act of the method, and where in it, as in ("with", "delay") or ("target",)."""

    where: tuple[str | int, ...]
    what: str


class Fault(Frozen):
    """A fault with its parameters. Subclasses set the class variables, add fields, and implement the four acts."""

    word: ClassVar[str]  # as in the YAML
    title: ClassVar[str]  # what it does, in one sentence
    undo: ClassVar[str]  # how it is undone, in one sentence
    by_hand: ClassVar[str] = ""  # what a person can do where undoing failed
    needs: ClassVar[frozenset[Capability]]
    for_s_min: ClassVar[float] = 0.0  # how long it may last: what carries it out allows no less, and no more
    for_s_max: ClassVar[float] = math.inf

    def problems(self, service: str, system: System) -> Iterable[Flaw]:
        """What is wrong with these parameters for this service; nothing by default."""
        return ()

    def describe(self, service: str) -> str:
        """What will be done, in one sentence, for `chaos plan`."""
        return f"{self.title} ({service})"

    def prepare(self, target: Target, lease: Lease) -> None:
        """Whatever is slow and can be done before traffic starts, such as attaching an agent."""

    def before(self, target: Target, lease: Lease) -> Seen:
        """What the system shows just before the injection; changes nothing. Nothing by default."""
        return {}

    @abstractmethod
    def inject(self, target: Target, lease: Lease, seen: Seen) -> None:
        """Puts the fault on; `seen` is what `before` returned, here and below. Raises InjectFailed."""

    @abstractmethod
    def is_active(self, target: Target, lease: Lease, seen: Seen) -> bool:
        """Whether the system itself says the fault is on."""

    @abstractmethod
    def heal(self, target: Target, lease: Lease, seen: Seen) -> None:
        """Takes the fault off; idempotent; raises HealFailed."""

    @abstractmethod
    def evidence(self, target: Target, lease: Lease, seen: Seen) -> Evidence:
        """The measured effect so far, against what `before` saw; asked just before healing."""
