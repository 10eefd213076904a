"""pydantic's errors → Problems in plain words, at the place in the file that has to change.

Every kind of error that the models can raise has its sentence here; a misspelt key and the missing key it was meant
to be are one problem, not two. Leaves out YAML's own mistakes: see syntax.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from chaos.errors import Problem
from chaos.parse.document import Document, Where
from chaos.parse.fields import fields, model_at
from chaos.words import shown, suggest


def problems(error: ValidationError, model: type[BaseModel], document: Document, at: Where = ()) -> Iterator[Problem]:
    """All problems behind one failed validation of `model` against the part of the document at `at`."""
    found = error.errors(include_url=False)
    missing = [(_place(each["loc"][:-1], document, at), str(each["loc"][-1])) for each in found if _is(each, "missing")]
    for each in found:
        loc = each["loc"]
        where = _place(loc, document, at)
        if _is(each, "extra_forbidden"):
            allowed = list(fields(model_at(model, loc[:-1]) or model))
            what = f"unknown key {loc[-1]!r}{suggest(str(loc[-1]), allowed)}"
            meant = re.search("did you mean '([^']*)'", what)
            if meant and (where[:-1], meant[1]) in missing:
                missing.remove((where[:-1], meant[1]))
            yield document.problem(where, what, key=True)
    for where, key in missing:
        yield document.problem(where, f"the key {key!r} is missing{_meaning(error, model, where, key, at)}")
    for each in found:
        if not _is(each, "missing", "extra_forbidden"):
            yield document.problem(_place(each["loc"], document, at), _sentence(each, model))


def _is(error: ErrorDetails, *kinds: str) -> bool:
    return error["type"] in kinds


def _place(loc: tuple[str | int, ...], document: Document, at: Where) -> Where:
    """pydantic's location without the tags of union members, as the way through the document."""
    return (*at, *(part for part in loc if not (isinstance(part, str) and part.startswith("<"))))


def _meaning(error: ValidationError, model: type[BaseModel], where: Where, key: str, at: Where) -> str:
    """What the missing key says, from the model that wants it."""
    for each in error.errors(include_url=False):
        if _is(each, "missing") and each["loc"][-1] == key:
            owner = model_at(model, each["loc"][:-1])
            info = fields(owner).get(key) if owner else None
            if info is not None and info.description:
                return f": {info.description[0].lower()}{info.description[1:].rstrip('.')}"
    return ""


def _quoted(context: Mapping[str, Any]) -> list[str]:
    """The words in pydantic's list of what it expected."""
    return re.findall(r"'([^']*)'", str(context.get("expected", "")))


def _number_limit(sign: str, key: str) -> Callable[[Any, Mapping[str, Any]], str]:
    return lambda value, context: f"{shown(value)} is out of range; allowed: {sign} {context[key]}"


# Kind of error → sentence, from the offending value and pydantic's details.
_SENTENCES: dict[str, Callable[[Any, Mapping[str, Any]], str]] = {
    "value_error": lambda value, context: str(context["error"]),
    "string_type": lambda value, context: (
        f"{shown(value)} is not text" + ("; put it in quotes" if isinstance(value, bool | int | float) else "")
    ),
    "string_too_short": lambda value, context: "this text is empty",
    "int_type": lambda value, context: f"{shown(value)} is not a whole number",
    "int_parsing": lambda value, context: f"{shown(value)} is not a whole number",
    "int_from_float": lambda value, context: f"{shown(value)} is not a whole number",
    "greater_than_equal": _number_limit(">=", "ge"),
    "greater_than": _number_limit(">", "gt"),
    "less_than_equal": _number_limit("<=", "le"),
    "less_than": _number_limit("<", "lt"),
    "list_type": lambda value, context: f"{shown(value)} is not a list; write - items, or [a, b]",
    "dict_type": lambda value, context: f"{shown(value)} is not a mapping; write key: value",
    "too_short": lambda value, context: "this is empty; at least one entry is needed",
    "literal_error": lambda value, context: f"{shown(value)} is not one of them{suggest(str(value), _quoted(context))}",
    "enum": lambda value, context: f"{shown(value)} is not one of them{suggest(str(value), _quoted(context))}",
}


def _sentence(error: ErrorDetails, model: type[BaseModel]) -> str:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind in ("model_type", "model_attributes_type"):
        keys = fields(model_at(model, error["loc"]) or model)
        return f"{shown(value)} stands where a mapping is expected; allowed keys: {', '.join(keys)}"
    if kind == "choice":
        return error["msg"]
    if kind in _SENTENCES:
        return _SENTENCES[kind](value, context)
    return f"{shown(value)} does not belong here"
