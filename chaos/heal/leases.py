"""The faults that a journal leaves open: put on, or about to be, and not known to be gone. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from chaos.errors import HealFailed
from chaos.faults import fault_class, words
from chaos.faults.base import Fault, Lease, Seen
from chaos.words import suggest


@dataclass(frozen=True)
class Open:
    """A fault that may still be on, as it was journalled before it was put on."""

    word: str
    lease: Lease
    parameters: Mapping[str, Any]
    seen: Seen
    at_s: float  # when it was about to be put on, in seconds since the run started

    @property
    def what(self) -> str:
        """The fault, for people."""
        return f"{self.word} on {self.lease.service}"

    def fault(self) -> Fault:
        """The fault itself; raises HealFailed for one that this version does not have or understand."""
        try:
            return fault_class(self.word).model_validate(dict(self.parameters))
        except KeyError:
            why = f"there is no fault {self.word!r} in this version{suggest(self.word, words())}"
        except ValidationError as error:
            why = f"its parameters are none of this version's: {error.errors()[0]['msg']}"
        raise HealFailed(why, remedy=f"start {self.lease.service} again") from None


def open_leases(journal: Sequence[Mapping[str, Any]]) -> list[Open]:
    """The open faults of a journal that was read, the latest first; it may have been cut off anywhere."""
    found: dict[str, Open] = {}
    for record in journal:
        if record["event"] == "intent":
            lease = Lease(record["lease"], record["target"], record["for_s"], record.get("seed", 0))
            seen, parameters = record.get("seen", {}), record.get("parameters", {})
            found[lease.id] = Open(record["fault"], lease, parameters, seen, record["t"])
        elif record["event"] == "healed" and record["gone"]:
            found.pop(record["lease"], None)
    return list(reversed(found.values()))
