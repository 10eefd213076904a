"""The JSON Schema of experiment files, for editors: what `chaos schema` prints.

Comes from the models, and adds what they cannot say: the words of the faults, each fault's parameters under the
condition that it is the fault, and defaults written with their units. Rules over a whole experiment are left out:
`chaos check` knows those.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chaos import faults
from chaos.metrics import MEASURES
from chaos.model import Experiment
from chaos.units import (
    DURATION_PATTERN,
    PERCENT_PATTERN,
    RATE_PATTERN,
    SIZE_PATTERN,
    duration_text,
    percent_text,
    rate_text,
    size_text,
)

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = "#/$defs/{model}"
_METRIC_NAME = rf"^[A-Za-z][A-Za-z0-9_-]*\.({'|'.join(name.replace('.', '[.]') for name in MEASURES)})$"
_AS_WRITTEN: dict[str, Callable[[float], str]] = {
    DURATION_PATTERN: duration_text,
    RATE_PATTERN: rate_text,
    PERCENT_PATTERN: percent_text,
    SIZE_PATTERN: size_text,
}


def schema() -> Schema:
    """The whole schema; each fault's parameters are in `$defs` under its word."""
    whole = _tidied(Experiment.model_json_schema(ref_template=_REFERENCE))
    definitions: Schema = whole["$defs"]
    act: Schema = definitions["Act"]
    act["properties"]["fault"]["enum"] = faults.words()
    act["allOf"] = []
    for word in faults.words():
        parameters = fault_schema(word)
        definitions.update(parameters.pop("$defs", {}))
        definitions[word] = parameters
        then: Schema = {"properties": {"with": {"$ref": _REFERENCE.format(model=word)}}}
        if parameters.get("required"):
            then["required"] = ["with"]
        condition = {"properties": {"fault": {"const": word}}, "required": ["fault"]}
        act["allOf"].append({"if": condition, "then": then})
    for section in ("steady_state", "while_faulty", "abort_if"):
        field = whole["properties"][section]
        for each in (field, *field.get("anyOf", [])):
            if each.get("type") == "object":
                each["propertyNames"] = {"pattern": _METRIC_NAME}
    return {"$schema": _DIALECT, "title": "An experiment for chaos", **whole}


def fault_schema(word: str) -> Schema:
    """The schema of one fault's parameters; KeyError for an unknown word."""
    return _tidied(faults.fault_class(word).model_json_schema(ref_template=_REFERENCE))


def _tidied(schema: Schema) -> Schema:
    """Without the titles that only repeat the key, and with defaults as a file would write them."""
    tidied = {key: _tidied_part(key, value) for key, value in schema.items() if key != "title"}
    as_written = _AS_WRITTEN.get(tidied.get("pattern", ""))
    if as_written is not None and isinstance(tidied.get("default"), int | float):
        tidied["default"] = as_written(tidied["default"])
    return tidied


def _tidied_part(key: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_tidied(each) if isinstance(each, dict) else each for each in value]
    if not isinstance(value, dict):
        return value
    if key in ("properties", "$defs"):  # these map names to schemas, and `title` may be such a name
        return {name: _tidied(each) for name, each in value.items()}
    return _tidied(value)
