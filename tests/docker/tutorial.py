"""The tutorial as a reader sees it: files to write, and commands with what they print, in the order of the page.

A code block whose first line is `# NAME` is a file. In a `console` block a line with `$ ` is a command, and the lines
below it are what it prints, or some of that, in this order; `…` stands for lines that are left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "own-system.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.S | re.M)
_FILE = re.compile(r"# ([\w.-]+)\n")
_LEFT_OUT = "…"


@dataclass(frozen=True)
class File:
    """A file that the reader writes."""

    name: str
    text: str


@dataclass(frozen=True)
class Command:
    """What the reader types, and lines that must be among what is printed, in their order."""

    text: str
    shown: tuple[str, ...]


def steps(page: str) -> list[File | Command]:
    """All that the page has the reader do."""
    found: list[File | Command] = []
    for kind, text in _BLOCK.findall(page):
        if kind == "console":
            found += _commands(text)
        elif named := _FILE.match(text):
            found.append(File(named[1], text))
    return found


def missing(shown: tuple[str, ...], printed: str) -> str | None:
    """The first shown line that is not among the printed ones at its place; None when all are.

    A word with a digit in it stands for any such word, since figures differ; a line that is a number must be that one.
    """
    lines = iter(printed.splitlines())
    for line in shown:
        if not any(_same(line, other) for other in lines):
            return line
    return None


def _same(shown: str, printed: str) -> bool:
    if shown.strip().isdecimal():
        return shown.strip() == printed.strip()
    here, there = shown.split(), printed.split()
    return len(here) == len(there) and all(_same_word(*pair) for pair in zip(here, there, strict=True))


def _same_word(shown: str, printed: str) -> bool:
    figures = bool(re.search(r"\d", shown)) and bool(re.search(r"\d", printed))
    return shown == printed or figures


def _commands(block: str) -> list[Command]:
    commands: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            commands.append((line[2:], []))
        elif line.strip() != _LEFT_OUT:
            commands[-1][1].append(line)
    return [Command(text, tuple(shown)) for text, shown in commands]
