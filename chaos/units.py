"""Quantities as people write them in experiments: `250ms`, `20/s`, `99.5%`, `64MB`, `>= 99%`, `< 50% for 10s`.

Each type parses text that carries its unit and refuses text that does not. In memory a duration is seconds,
a rate is events per second, a percentage is 0 to 100, a size is bytes, a throughput is bytes per second.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from chaos.words import shown

_NUMBER = r"[0-9]{1,9}(\.[0-9]{1,9})?"  # bounded, so that no quantity is ever infinite
_AMOUNT = rf"{_NUMBER}\s*(%|us|ms|s|min|h|/\s*s|/\s*min)?"

# Patterns in the part of the syntax that Python and JSON Schema share: `chaos schema` prints them.
DURATION_PATTERN = rf"^\s*{_NUMBER}\s*(us|ms|s|min|h)\s*$"
RATE_PATTERN = rf"^\s*{_NUMBER}\s*/\s*(s|min)\s*$"
PERCENT_PATTERN = rf"^\s*{_NUMBER}\s*%\s*$"
SIZE_PATTERN = rf"^\s*{_NUMBER}\s*(B|kB|MB|GB|KiB|MiB|GiB)\s*$"
THROUGHPUT_PATTERN = rf"^\s*{_NUMBER}\s*(B|kB|MB|GB|KiB|MiB|GiB)\s*/\s*s\s*$"
TOLERANCE_PATTERN = rf"^\s*(>=|<=|==|>|<)\s*{_AMOUNT}(\s+for\s+{_NUMBER}\s*(us|ms|s|min|h))?\s*$"

_DURATION = re.compile(rf"({_NUMBER})\s*(us|ms|s|min|h)")
_RATE = re.compile(rf"({_NUMBER})\s*/\s*(s|min)")
_PERCENT = re.compile(rf"({_NUMBER})\s*%")
_SIZE = re.compile(rf"({_NUMBER})\s*(B|kB|MB|GB|KiB|MiB|GiB)")
_THROUGHPUT = re.compile(rf"({_NUMBER})\s*(B|kB|MB|GB|KiB|MiB|GiB)\s*/\s*s")
_TOLERANCE = re.compile(rf"(?P<compare>>=|<=|==|>|<)\s*(?P<amount>{_AMOUNT})(?:\s+for\s+(?P<held>.+))?")
_BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}


def duration(value: object) -> float:
    """Seconds from `10s`, `250ms`, `1.5min`; raises ValueError that says what is allowed."""
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{shown(value)} is not a duration; allowed: a number with a unit, as in 250ms, 10s, 2min, 1h")
    return float(match[1]) * _SECONDS[match[3]]


def rate(value: object) -> float:
    """Events per second from `20/s` or `90/min`; raises ValueError that says what is allowed."""
    match = _RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{shown(value)} is not a rate; allowed: a number per time, as in 20/s or 90/min")
    return float(match[1]) / _SECONDS[match[3]]


def percentage(value: object) -> float:
    """0 to 100 from `12.5%`; raises ValueError that says what is allowed."""
    match = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or float(match[1]) > 100:
        raise ValueError(f"{shown(value)} is not a percentage; allowed: 0% to 100%, as in 12.5%")
    return float(match[1])


def size(value: object) -> int:
    """Bytes from `64MB`, `10kB`, `1MiB`; raises ValueError that says what is allowed."""
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(
            f"{shown(value)} is not a size; allowed: a number with B, kB, MB, GB, KiB, MiB or GiB, as in 64MB"
        )
    return round(float(match[1]) * _BYTES[match[3]])


def throughput(value: object) -> float:
    """Bytes per second from `100kB/s`; raises ValueError that says what is allowed."""
    match = _THROUGHPUT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{shown(value)} is not a throughput; allowed: a size per second, as in 100kB/s or 2MiB/s")
    return float(match[1]) * _BYTES[match[3]]


def duration_text(seconds: float) -> str:
    """A duration as people write it: `250ms`, `1.5s`, `90s`."""
    for unit in ("s", "ms"):
        if seconds >= _SECONDS[unit] or seconds == 0:
            return f"{_number(seconds / _SECONDS[unit])}{unit}"
    return f"{_number(seconds / _SECONDS['us'])}us"


def rate_text(per_s: float) -> str:
    """A rate as people write it: `20/s`."""
    return f"{_number(per_s)}/s"


def percent_text(percent: float) -> str:
    """A percentage as people write it: `12.5%`."""
    return f"{_number(percent)}%"


def size_text(count: float) -> str:
    """A size as people write it: `64MB`, `1.5kB`."""
    fits = (unit for unit in ("GB", "MB", "kB") if count >= _BYTES[unit] and count % (_BYTES[unit] / 1000) == 0)
    unit = next(fits, "B")
    return f"{_number(count / _BYTES[unit])}{unit}"


def throughput_text(per_s: float) -> str:
    """A throughput as people write it: `100kB/s`."""
    return f"{size_text(per_s)}/s"


def _number(value: float) -> str:
    """Up to six decimals, without trailing zeros and without an exponent."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


_DURATION_SCHEMA = WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN, "examples": ["250ms", "10s"]})
_RATE_SCHEMA = WithJsonSchema({"type": "string", "pattern": RATE_PATTERN, "examples": ["20/s"]})
_PERCENT_SCHEMA = WithJsonSchema({"type": "string", "pattern": PERCENT_PATTERN, "examples": ["10%"]})

_SIZE_SCHEMA = WithJsonSchema({"type": "string", "pattern": SIZE_PATTERN, "examples": ["64MB"]})
_THROUGHPUT_SCHEMA = WithJsonSchema({"type": "string", "pattern": THROUGHPUT_PATTERN, "examples": ["100kB/s"]})

Duration = Annotated[
    float, BeforeValidator(duration), PlainSerializer(duration_text, when_used="json"), _DURATION_SCHEMA
]
Rate = Annotated[float, BeforeValidator(rate), _RATE_SCHEMA]
Percent = Annotated[
    float, BeforeValidator(percentage), PlainSerializer(percent_text, when_used="json"), _PERCENT_SCHEMA
]
Size = Annotated[int, BeforeValidator(size), PlainSerializer(size_text, when_used="json"), _SIZE_SCHEMA]
Throughput = Annotated[
    float, BeforeValidator(throughput), PlainSerializer(throughput_text, when_used="json"), _THROUGHPUT_SCHEMA
]

Unit = Literal["%", "s", "/s", ""]
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
}


@dataclass(frozen=True)
class Tolerance:
    """A bound that a measurement must keep: `>= 99.5%`, `< 800ms`, `< 50% for 10s`.

    `bound` is in the unit's base (percent, seconds, events per second, or a plain number); `for_s` is how long
    the sentence must be true before it counts (only in `abort_if`), 0 where it is left out.
    """

    text: str
    compare: str
    bound: float
    unit: Unit
    for_s: float = 0.0

    def holds(self, value: float) -> bool:
        """Whether a measured value, in the same unit, keeps the bound."""
        return _OPERATORS[self.compare](value, self.bound)

    def __str__(self) -> str:
        return self.text


def tolerance(value: object) -> Tolerance:
    """Parses a tolerance; raises ValueError that says what is allowed."""
    if isinstance(value, Tolerance):
        return value
    match = _TOLERANCE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(
            f"{shown(value)} is not a tolerance; allowed: a comparison (>=, >, <=, <, ==) and a value with its unit, "
            "as in '>= 99.5%', '< 800ms', '> 15/s', and in abort_if also '< 50% for 10s'"
        )
    compare, amount, held = match["compare"], match["amount"].strip(), match["held"]
    for_s = duration(held) if held else 0.0
    text = value.strip() if isinstance(value, str) else ""
    if amount.endswith("%"):
        return Tolerance(text, compare, percentage(amount), "%", for_s)
    if "/" in amount:
        return Tolerance(text, compare, rate(amount), "/s", for_s)
    if amount[-1].isalpha():
        return Tolerance(text, compare, duration(amount), "s", for_s)
    return Tolerance(text, compare, float(amount), "", for_s)
