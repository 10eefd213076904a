"""How the faults of a proxy say what is wrong with a parameter, and what a conversation showed."""

from __future__ import annotations

from collections.abc import Iterator

from chaos.faults.base import Flaw
from chaos.faults.proxy_probe import Talk
from chaos.units import duration_text, size_text

_ENDED = {
    "whole": "was answered in full",
    "refused": "was refused",
    "silent": "had no answer",
    "closed": "was closed before the end of the answer",
    "reset": "was reset",
}


def not_between(name: str, given: float, least: float, most: float) -> Iterator[Flaw]:
    """A flaw where a duration, in seconds, is outside of its bounds."""
    if not least <= given <= most:
        allowed = f"{duration_text(least)} to {duration_text(most)}"
        yield Flaw(("with", name), f"{duration_text(given)} cannot be; allowed: {allowed}")


def waited(before: Talk, during: Talk) -> str:
    """How long an answer took."""
    took = f"{(during.reply_s or 0) * 1e3:.0f} ms"
    took = f"took {took}" if during.ended == "whole" else f"{_ENDED[during.ended]} in {took}"
    return f"{took}, and {(before.reply_s or 0) * 1e3:.0f} ms without the fault"


def ended_so(during: Talk) -> str:
    """How it ended, and after how much."""
    if during.reply_s is None:
        return _ENDED[during.ended]
    return f"{_ENDED[during.ended]} after {during.reply_s * 1e3:.0f} ms and {size_text(during.received)}"
