"""Reads the load's history back: two lines per operation, joined into one `Operation`.

The generator writes an operation when it is due and again when it has ended, so a run that was cut short leaves
operations without an end: those are `unknown`, because the order may exist. Only operations in flight are held in
memory, however long the file is. Leaves out any judgement of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from chaos.errors import ChaosError

Result = Literal["ok", "failed", "unknown"]
_RESULTS = ("ok", "failed", "unknown")
NEVER_ENDED, STOPPED, TIMEOUT, OVERLOADED = "never ended", "stopped", "timeout", "generator overloaded"
"""The errors that are not the system's word: given up without an answer (the first three), and never sent."""
_T_MAX_S = 10 * 24 * 3600.0
_NUMBER = (int, float)
_DUE: Mapping[str, tuple[type, ...]] = {
    "op": (int,),
    "kind": (str,),
    "due": _NUMBER,
    "key": (str,),
    "lines": (list,),
    "path": (str,),
}
_ENDED: Mapping[str, tuple[type, ...]] = {
    "op": (int,),
    "end": _NUMBER,
    "sent": _NUMBER,
    "result": (str,),
    "status": (int,),
    "error": (str,),
    "order_id": (str,),
    "amount_cents": (int,),
}
"""Field → the types it can have; all but those that are needed may be null."""
_NEEDED = frozenset({"op", "kind", "due", "result", "lines"})
_TIMES = frozenset({"due", "end", "sent"})
_decode = json.JSONDecoder().decode  # json.loads would guess the encoding of each line, which takes as long again


class Line(NamedTuple):
    """One line of an order."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Operation:
    """One order, page view or request of the user's own; times are seconds since the run started."""

    op: int  # numbers operations in the order they came due, from 0
    kind: str  # "orders", "browse", or the name of a stream of `load.http`
    due: float
    sent: float | None  # None: it never left the generator
    end: float | None  # None: the generator died first
    result: Result
    status: int | None = None  # of the HTTP reply, if there was one
    error: str | None = None  # why there was no reply: "timeout", "connection refused", "connection reset", …
    key: str | None = None  # the idempotency key of an order
    lines: tuple[Line, ...] = ()  # what an order asked for
    path: str | None = None  # the page a browser asked for, or the path of a request
    order_id: str | None = None  # of an order that was answered ok
    amount_cents: int | None = None


def read(path: Path, notes: list[str] | None = None) -> Iterator[Operation]:
    """The operations of a history, in the order they ended; those that never ended come last.

    A last line that was cut off (the generator was killed while writing) is skipped, and a sentence about it is
    appended to `notes`. Anything else that is not a history raises ChaosError with file and line.
    """
    pending: dict[int, dict[str, Any]] = {}
    with path.open("rb") as file:
        for number, text in enumerate(file, start=1):
            if not text.endswith(b"\n"):
                if notes is not None:
                    notes.append(f"{path.name}: line {number} was cut off and is not counted")
                break
            try:
                record = _decode(text.decode())
                op = record["op"]
                if "due" in record:
                    _check(record, _DUE)
                    record["kind"]  # needed, and perhaps never asked for again
                    if op in pending:
                        raise ValueError(f"operation {op} came due twice")
                    pending[op] = record
                    continue
                _check(record, _ENDED)
                operation = _joined(pending.pop(op), record)
            except RecursionError as error:
                raise _rubbish(path, number, "it is nested too deeply") from error
            except KeyError as error:
                raise _rubbish(path, number, f"nothing is known of {error}") from error
            except (ValueError, TypeError, AttributeError) as error:
                raise _rubbish(path, number, str(error)) from error
            yield operation
    for op in sorted(pending):
        yield _joined(pending[op], {"result": "unknown", "error": NEVER_ENDED})


def _check(record: dict[str, Any], kinds: Mapping[str, tuple[type, ...]]) -> None:
    """Raises ValueError for a field that holds something else than it can, or a time that is none of a run."""
    for name, value in record.items():
        allowed = kinds.get(name)
        if allowed is None or (value is None and name not in _NEEDED):
            continue
        if type(value) not in allowed:
            raise ValueError(f"{name} cannot be {value!r}")
        if name in _TIMES and not 0 <= value <= _T_MAX_S:
            raise ValueError(f"{name} cannot be {value!r}: no time of a run")
        if name == "lines":
            for line in value:
                if type(line["sku"]) is not str or type(line["quantity"]) is not int:
                    raise ValueError(f"not a line of an order: {line!r}")


def _joined(due: dict[str, Any], ended: dict[str, Any]) -> Operation:
    result = ended["result"]
    if result not in _RESULTS:
        raise ValueError(f"{result!r} is not a result; allowed: {', '.join(_RESULTS)}")
    get = ended.get
    return Operation(
        due["op"],
        due["kind"],
        due["due"],
        get("sent"),
        get("end"),
        result,
        get("status"),
        get("error"),
        due.get("key"),
        tuple([Line(line["sku"], line["quantity"]) for line in due.get("lines", ())]),
        due.get("path"),
        get("order_id"),
        get("amount_cents"),
    )


def _rubbish(path: Path, number: int, what: str) -> ChaosError:
    return ChaosError(
        f"{path}:{number}: not a line of a load history: {what}",
        remedy="The file was changed or damaged after the run; the run cannot be judged from it.",
    )
