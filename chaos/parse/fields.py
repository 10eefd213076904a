"""Finds the model behind a place in a file, so that a message can say which keys are allowed and what each means.

Leaves out the values themselves: only the declared shapes are walked.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag
from pydantic.fields import FieldInfo


def model_at(root: type[BaseModel], loc: Sequence[str | int]) -> type[BaseModel] | None:
    """The model at an error's place; None where there is none. `loc` is pydantic's, union tags included."""
    shape: Any = root
    for part in loc:
        shape = _step(shape, part)
    models = [each for each in _alternatives(shape, "") if isinstance(each, type) and issubclass(each, BaseModel)]
    return models[0] if len(models) == 1 else None


def fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The keys of a model as a file writes them."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def _step(shape: Any, part: str | int) -> Any:
    """The shape one step further down; None where the step leads nowhere."""
    for candidate in _alternatives(shape, part):
        if isinstance(part, str) and part.startswith("<"):
            return candidate
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            info = fields(candidate).get(str(part))
            return None if info is None else _declared(info)
        if get_origin(candidate) is dict:
            return get_args(candidate)[1]
        if get_origin(candidate) is list:
            return get_args(candidate)[0]
    return None


def _declared(info: FieldInfo) -> Any:
    """A field's type with the metadata pydantic took off it, which may hold a union's tag."""
    return Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation


def _alternatives(shape: Any, part: str | int) -> Iterator[Any]:
    """What a declared type may be: itself, or the members of a union, or the one member that bears the tag `part`."""
    if get_origin(shape) is Annotated:
        inner, *metadata = get_args(shape)
        tags = [each.tag for each in metadata if isinstance(each, Tag)]
        if not (tags and isinstance(part, str) and part.startswith("<") and part not in tags):
            yield from _alternatives(inner, part)
    elif get_origin(shape) in (Union, types.UnionType):
        for member in get_args(shape):
            yield from _alternatives(member, part)
    elif shape is not type(None):
        yield shape
