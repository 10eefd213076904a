"""Words for people: how a value is shown in a message, and which word was probably meant.

Leaves out what is allowed where: that is for `parse` and `validate`.
"""

from __future__ import annotations

from collections.abc import Iterable

_SHOWN_CHARS_MAX = 60


def shown(value: object) -> str:
    """A value of a YAML file as a message shows it: `'10'`, `10`, `true`, `nothing`, `a list`, never long."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARS_MAX else f"{text[: _SHOWN_CHARS_MAX - 1]}…"


def suggest(word: str, allowed: Iterable[str]) -> str:
    """`; did you mean 'x'; allowed: x, y`, where the first half is left out when nothing is near."""
    import difflib  # only where something is wrong: it costs start-up time

    words = list(allowed)
    folded = {each.casefold(): each for each in words}
    near = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    meant = f"; did you mean {folded[near[0]]!r}" if near else ""
    return f"{meant}; allowed: {', '.join(words) if words else 'none'}"
