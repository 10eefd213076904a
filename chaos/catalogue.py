"""The catalogue of faults as text, for `chaos faults`: all of them in a line each, or one with its parameters.

Everything comes from the fault's class and its schema, so that it cannot differ from what `check` accepts; the
example is a whole experiment that `check` accepts.
"""

from __future__ import annotations

from textwrap import indent, wrap

from chaos import faults
from chaos.faults.base import Fault
from chaos.schema import Schema, fault_schema
from chaos.system import System
from chaos.targets.base import Capability
from chaos.units import DURATION_PATTERN, PERCENT_PATTERN, RATE_PATTERN, SIZE_PATTERN, THROUGHPUT_PATTERN

_WIDTH = 96
_UNITS = {
    DURATION_PATTERN: "duration",
    RATE_PATTERN: "rate",
    PERCENT_PATTERN: "percentage",
    SIZE_PATTERN: "size",
    THROUGHPUT_PATTERN: "throughput",
}
_TYPES = {"string": "text", "integer": "whole number", "boolean": "true or false"}


def table() -> str:
    """One line per fault: its word and what it does."""
    width = max(map(len, faults.words()))
    return "\n".join(f"{word:<{width}}  {faults.fault_class(word).title}" for word in faults.words())


def page(word: str, system: System) -> str:
    """All about one fault; KeyError for an unknown word."""
    fault = faults.fault_class(word)
    needs = ", ".join(sorted(fault.needs))
    facts = [("what", fault.title), ("undo", fault.undo), ("by hand", fault.by_hand), ("needs", needs)]
    lines = [f"{word}: {(fault.__doc__ or '').strip()}", ""]
    for name, text in facts:
        lines += _hanging(f"{name:<9}", text) if text else []
    lines += ["", "with:", *_parameters(fault_schema(word)), "", "example:", indent(example(word, system), "  ")]
    return "\n".join(lines)


def example(word: str, system: System) -> str:
    """A whole experiment with this fault, as YAML; `chaos check` accepts it."""
    fault = faults.fault_class(word)
    schema = fault_schema(word)
    given = {name: _sample(schema["properties"][name]) for name in schema.get("required", [])}
    parameters = ", ".join(f"{name}: {value}" for name, value in given.items())
    with_ = f", with: {{{parameters}}}" if given else ""
    act = f"{{fault: {word}, target: {_victim(fault, system)}{with_}, at: 0s, for: 10s}}"
    return "\n".join(
        [
            f"title: The shop takes orders during {word}",
            "load: {orders: 20/s}",
            "steady_state:",
            '  orders.success_rate: ">= 99%"',
            "method:",
            f"  - {act}",
        ]
    )


def _victim(fault: type[Fault], system: System) -> str:
    """A service that the fault can be put on."""
    if Capability.THIRD_PARTY in fault.needs:
        family = fault.word.partition(".")[0]
        return next(
            (name for name in system.third_parties if name.startswith(family)), next(iter(system.third_parties))
        )
    if Capability.PROXY in fault.needs and system.proxy is not None:
        return next(iter(system.proxy.listeners))
    return next((members[0] for members in system.sets.values() if members), next(iter(system.services)))


def _parameters(schema: Schema) -> list[str]:
    properties: Schema = schema.get("properties", {})
    if not properties:
        return ["  no parameters"]
    lines = []
    for name, field in properties.items():
        default = field.get("default")
        told = "required" if name in schema.get("required", []) else f"default {default}" if default else "optional"
        lines.append(f"  {name}: {_type(field)} ({told})")
        lines += _hanging(" " * 6, field.get("description", ""))
    return lines


def _type(field: Schema) -> str:
    """The type in words, as in `duration, as in 250ms`."""
    if "enum" in field:
        return " | ".join(map(str, field["enum"]))
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}"
    unit = _UNITS.get(field.get("pattern", ""))
    return f"{unit}, as in {field['examples'][0]}" if unit else _TYPES.get(field.get("type", ""), "value")


def _sample(field: Schema) -> str:
    """A value that the field accepts, as YAML."""
    sample: str = str(field["enum"][0]) if "enum" in field else str(field["examples"][0])
    return sample


def _hanging(head: str, text: str) -> list[str]:
    return wrap(text, _WIDTH, initial_indent=head, subsequent_indent=" " * len(head))
