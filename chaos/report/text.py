"""Words and figures as every report writes them: made safe, rounded so that they never flatter.

Titles, errors and evidence come from files and from the system under test, so anything may be in them: what could
move a terminal's cursor, end an XML file or turn text around is spelled out (`\\x1b`) instead. Escaping for one format
(HTML, XML, Markdown) is left to that format's file.
"""

from __future__ import annotations

import unicodedata

UNKNOWN = "\u2013"  # a dash, where there is no figure
_SPELLED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # controls, direction marks, halves of pairs, nothing assigned
_JOINERS = "\u200c\u200d"  # format characters that scripts and emoji need, and that hide nothing


def clean(value: object) -> str:
    """Text whose every character shows: line feeds stay, tabs become spaces, controls are spelled as `\\x1b`."""
    text = str(value).replace("\r\n", "\n").replace("\t", " ")
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def one_line(value: object) -> str:
    """`clean`, with spaces for line feeds: nothing in it can look like a line of its own."""
    return clean(value).replace("\n", " ").strip()


def shortened(value: object, chars_max: int) -> str:
    """`one_line`, cut with an ellipsis where it is longer than `chars_max` characters."""
    text = one_line(value)
    return text if len(text) <= chars_max else f"{text[: chars_max - 1].rstrip()}…"


def duration(seconds: float | None) -> str:
    """`4.2 ms`, `85 ms`, `1.25 s`, `12.3 s`, `2 min 5 s`, `1 h 2 min`; a dash for None."""
    if seconds is None:
        return UNKNOWN
    if seconds == 0:
        return "0 s"
    if seconds < 0.00995:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def moment(t: float) -> str:
    """A point in the run: `12.0 s`, always in seconds, so that two of them can be compared."""
    return f"{t:.1f} s"


def percent(share: float) -> str:
    """`100%`, `99.98%`, `0%`: rounded down, so that only all is 100%."""
    hundredths = int(share * 100 + 1e-6)
    return f"{hundredths / 100:.2f}".rstrip("0").rstrip(".") + "%"


def ratio(ok: int, total: int) -> str:
    """`ok` of `total` as `percent`; a dash where there was nothing to count."""
    return percent(100 * ok / total) if total else UNKNOWN


def figure(value: object) -> str:
    """A measured value: whole numbers with thousands marked, others with four digits, the rest as they are."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return one_line(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def _shown(character: str) -> str:
    if character == "\n" or character in _JOINERS or unicodedata.category(character) not in _SPELLED:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
