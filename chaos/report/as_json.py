"""report.json: the whole Judgement, for programs; `load` reads it back.

The dataclasses of `chaos.verdict` are the schema (docs/report-json.md explains the fields) and enums are their values.
What JSON or UTF-8 cannot write is replaced: a number that is not finite by null, half a surrogate pair (as in an
argument that was no UTF-8) by U+FFFD. Fields that a newer version added are skipped on reading.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from chaos.verdict import Judgement

FORMAT = 1
_SURROGATES = re.compile("[\ud800-\udfff]")


def render(judgement: Judgement) -> str:
    """The report as JSON text, in ASCII and ending with a line feed, `format` first."""
    fields = _writable(asdict(judgement))
    return json.dumps({"format": FORMAT, **fields}, indent=1, allow_nan=False) + "\n"


def load(report: str | bytes) -> Judgement:
    """The Judgement that `render` wrote; ValueError where the text is no report or one of another format."""
    fields = json.loads(report)
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise ValueError(f"not a report of format {FORMAT}")
    return _adapter().validate_python({name: value for name, value in fields.items() if name != "format"})


def _writable(value: Any) -> Any:
    if isinstance(value, dict):
        return {_writable(str(name)): _writable(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_writable(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
    return value if value is None or isinstance(value, int) else _writable(str(value))


@cache
def _adapter() -> TypeAdapter[Judgement]:
    return TypeAdapter(Judgement)
