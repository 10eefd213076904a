"""YAML text → plain data, and the place of every key and value in it.

Works on PyYAML's events (the C parser where it is present), so that places, repeated keys and aliases are seen as
they were written. Plain words follow YAML 1.2: only `true` and `false` are truth values, so `yes`, `on` and `1:30`
stay text, and the field they stand in says what it wants instead.

Leaves out merge keys, tags, several documents in a file, and anything large: each is an error that says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from chaos.errors import InvalidExperiment, Problem
from chaos.parse.syntax import explained

BYTES_MAX = 1024 * 1024
NODES_MAX = 20_000
DEPTH_MAX = 32

Where = tuple[str | int, ...]
"""The way to a value from the top of the file: keys and list positions."""

_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,18}|[0-9]{1,18}(\.[0-9]{0,18})?)([eE][-+]?[0-9]{1,2})?")
_WORDS: dict[str, object] = {"": None, "~": None, "null": None, "true": True, "false": False}


@dataclass(frozen=True)
class Place:
    """A position in a file; both count from 1."""

    line: int
    column: int


@dataclass
class Document:
    """A file's data, and where each part of it stands."""

    file: str
    text: str
    data: object = None
    values: dict[Where, Place] = field(default_factory=dict)
    keys: dict[Where, Place] = field(default_factory=dict)
    repeated: list[Problem] = field(default_factory=list)

    def problem(self, where: Where, what: str, *, key: bool = False) -> Problem:
        """A problem at a value, or at its key; at the nearest part around it where the file has no such value."""
        if key and where in self.keys:
            place = self.keys[where]
        else:
            while where not in self.values and where:
                where = where[:-1]
            place = self.values.get(where, Place(1, 1))
        return Problem(self.file, place.line, place.column, what)


@dataclass
class _Node:
    """One value as written; `items` holds a mapping's keys and values in turn, or a list's values."""

    kind: str  # "mapping", "list", "scalar"
    place: Place
    scalar: object = None
    written: str = ""
    items: list[_Node] = field(default_factory=list)
    open: bool = True


def read(path: Path) -> Document:
    """Reads one file; raises InvalidExperiment where it is not one YAML document of moderate size."""
    file = str(path)
    try:
        with path.open("rb") as stream:
            raw = stream.read(BYTES_MAX + 1)
    except FileNotFoundError:
        raise InvalidExperiment([Problem(file, 1, 1, "there is no such file")]) from None
    except IsADirectoryError:
        raise InvalidExperiment([Problem(file, 1, 1, "this is a folder; name the files in it")]) from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidExperiment([Problem(file, 1, 1, f"cannot be read: {why}")]) from None
    if len(raw) > BYTES_MAX:
        raise InvalidExperiment([Problem(file, 1, 1, "the file is larger than 1 MiB")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        raise InvalidExperiment([Problem(file, line, column, "not UTF-8 text; save the file as UTF-8")]) from None
    return document(text, file=file)


def document(text: str, *, file: str) -> Document:
    """The document in a text; raises InvalidExperiment. Repeated keys are noted in `repeated`, the first one counts."""
    result = Document(file, text)
    try:
        root = _root(text, file)
    except yaml.YAMLError as error:
        raise InvalidExperiment([explained(error, text, file)]) from None
    if root is None:
        raise InvalidExperiment([Problem(file, 1, 1, "the file is empty")])
    budget = iter(range(NODES_MAX))
    result.data = _expand(root, (), result, budget)
    return result


def _root(text: str, file: str) -> _Node | None:
    """The tree of nodes; an alias is the very node its anchor names."""
    root: _Node | None = None
    open_nodes: list[_Node] = []
    anchors: dict[str, _Node] = {}
    for event in yaml.parse(text, Loader=_LOADER):
        mark = event.start_mark
        place = Place(mark.line + 1, mark.column + 1) if mark is not None else Place(1, 1)

        def wrong(what: str, place: Place = place) -> InvalidExperiment:
            return InvalidExperiment([Problem(file, place.line, place.column, what)])

        if isinstance(event, yaml.DocumentStartEvent) and root is not None:
            raise wrong("a second document starts here; write one experiment to a file")
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            open_nodes.pop().open = False
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in anchors:
                raise wrong(f"there is no anchor &{event.anchor} before this alias")
            node = anchors[event.anchor]
            if node.open:
                raise wrong(f"the alias *{event.anchor} stands inside its own anchor")
        else:
            if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
                raise wrong(f"tags such as {event.tag} are not allowed; leave it out")
            node = _started(event, place)
            if event.anchor is not None:
                anchors[event.anchor] = node
        if open_nodes:
            open_nodes[-1].items.append(node)
        else:
            root = node
        if node.open:
            if len(open_nodes) >= DEPTH_MAX:
                raise wrong(f"nested deeper than {DEPTH_MAX} levels")
            open_nodes.append(node)
    return root


def _started(event: yaml.NodeEvent, place: Place) -> _Node:
    if isinstance(event, yaml.ScalarEvent):
        plain = event.implicit[0]
        return _Node("scalar", place, _resolved(event.value) if plain else event.value, event.value, open=False)
    return _Node("mapping" if isinstance(event, yaml.MappingStartEvent) else "list", place)


def _resolved(text: str) -> object:
    """A plain word as YAML 1.2 reads it: null, a truth value, a number, or text."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text


def _expand(node: _Node, where: Where, result: Document, budget: Iterator[int]) -> object:
    """The node's data; notes its places, and gives up where aliases make it enormous."""
    if next(budget, None) is None or len(where) > DEPTH_MAX:
        raise InvalidExperiment([Problem(result.file, node.place.line, node.place.column, "far too many values")])
    result.values[where] = node.place
    if node.kind == "scalar":
        return node.scalar
    if node.kind == "list":
        return [_expand(item, (*where, index), result, budget) for index, item in enumerate(node.items)]
    mapping: dict[str, object] = {}
    for key_node, value_node in zip(node.items[::2], node.items[1::2], strict=True):
        place = key_node.place
        if key_node.kind != "scalar":
            raise InvalidExperiment([Problem(result.file, place.line, place.column, "a key must be a word")])
        key = key_node.written
        if key in mapping:
            first = result.keys[*where, key]
            what = f"the key {key!r} is given twice; it stands in line {first.line} already"
            result.repeated.append(Problem(result.file, place.line, place.column, what))
            continue
        result.keys[*where, key] = place
        mapping[key] = _expand(value_node, (*where, key), result, budget)
    return mapping
