"""What is wrong with text that is not YAML, in plain words: PyYAML's errors → one Problem.

The C and the Python parser word the same mistake differently; both are understood here.
"""

from __future__ import annotations

import re

import yaml

from chaos.errors import Problem

# (what the parser says about the surroundings and the mistake, what we say, whether to point at the surroundings)
_PLAIN: tuple[tuple[str, str, bool], ...] = (
    (r"quoted scalar.*end of (stream|document)", "this quote is never closed", True),
    (r"unknown escape character", r"unknown escape after \ in double quotes; use single quotes or \\", False),
    (r"flow (sequence|mapping).*expected ',' or '\]'", "this list is not closed, or a comma is missing in it", True),
    (r"flow (sequence|mapping).*expected ',' or '\}'", "this '{' is not closed, or a comma is missing after it", True),
    (r"flow node", "a value is missing here, or a bracket is not closed", False),
    (r"mapping values are not allowed", "unexpected ':'; quote the text, or mend the indentation", False),
    (r"cannot start any token", "a plain value cannot start with this character; put the value in quotes", False),
    (r"could not find expected ':'", "':' is missing after this key", True),
    (r"block (collection|mapping|sequence)", "does not line up with what stands above; mend the indentation", False),
    (r"block sequence entries are not allowed", "unexpected '-'; start the list on a line of its own", False),
    (
        r"(alias|anchor)",
        "an alias (*) or anchor (&) needs a name of letters and digits; or put the text in quotes",
        True,
    ),
    (r"tag", "tags (!) are not allowed; put the text in quotes", True),
    (r"directive", "directives (%) are not needed; leave the line out", True),
)


def explained(error: yaml.YAMLError, text: str, file: str) -> Problem:
    """The one problem that made the parser give up."""
    lines = text.splitlines() or [""]
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return _unreadable(text, file)
    mark, around = error.problem_mark, error.context_mark
    said = f"{error.context or ''} {error.problem or ''}"
    what, at_context = "this is not YAML", False
    indent = re.match(r"[\s-]*", lines[min(mark.line, len(lines) - 1)])
    if indent and "\t" in indent[0]:
        what = "a tab stands in the indentation; use spaces"
    else:
        for pattern, plain, surroundings in _PLAIN:
            if re.search(pattern, said, re.DOTALL):
                what, at_context = plain, surroundings
                break
    place = around if at_context and around is not None else mark
    line = min(place.line, len(lines) - 1)
    column = place.column if place.line == line else len(lines[line])
    return Problem(file, line + 1, column + 1, what)


def _unreadable(text: str, file: str) -> Problem:
    """A character that no YAML file may hold."""
    match = re.search(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]", text)
    if match is None:
        return Problem(file, 1, 1, "this is not YAML")
    before = text[: match.start()]
    line, column = before.count("\n") + 1, match.start() - before.rfind("\n")
    return Problem(file, line, column, f"a control character (U+{ord(match[0]):04X}) stands here; take it out")
