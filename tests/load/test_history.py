"""The history's reader: joins two lines into one operation, and knows what a cut-off or damaged file looks like."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos.errors import ChaosError
from chaos.load.history import Line, Operation, read

ORDER = {"op": 0, "kind": "orders", "due": 3.85, "key": "k", "lines": [{"sku": "SKU-0001", "quantity": 2}]}
ORDERED = {"op": 0, "end": 3.91, "sent": 3.86, "result": "ok", "status": 201, "order_id": "o", "amount_cents": 4998}
PAGE = {"op": 1, "kind": "browse", "due": 3.86, "path": "/"}
TIMED_OUT = {"op": 1, "end": 8.86, "sent": 3.87, "result": "unknown", "error": "timeout"}
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_lines(*lines: object, tail: str = "") -> Path:
        path = tmp_path / "history.jsonl"
        path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines) + tail)
        return path

    return write_lines


def test_two_lines_make_one_operation_in_the_order_they_ended(write: Write) -> None:
    page, order = read(write(ORDER, PAGE, TIMED_OUT, ORDERED))
    assert order == Operation(
        0, "orders", 3.85, 3.86, 3.91, "ok", 201, None, "k", (Line("SKU-0001", 2),), None, "o", 4998
    )
    assert page == Operation(1, "browse", 3.86, 3.87, 8.86, "unknown", None, "timeout", None, (), "/")


def test_an_operation_without_an_end_is_unknown(write: Write) -> None:
    page, order = read(write(ORDER, PAGE, TIMED_OUT))
    assert page.op == 1
    assert (order.result, order.error, order.end) == ("unknown", "never ended", None)
    assert order.lines == (Line("SKU-0001", 2),)


@pytest.mark.parametrize("length", [1, 20, len(json.dumps(ORDERED)) - 1, len(json.dumps(ORDERED))])
def test_a_last_line_that_was_cut_off_is_reported_and_not_counted(write: Write, length: int) -> None:
    notes: list[str] = []
    (order,) = read(write(ORDER, tail=json.dumps(ORDERED)[:length]), notes)
    assert order.error == "never ended"
    assert notes == ["history.jsonl: line 2 was cut off and is not counted"]


def test_a_whole_history_has_no_notes(write: Write) -> None:
    notes: list[str] = []
    assert len(list(read(write(ORDER, ORDERED), notes))) == 1
    assert notes == []
    assert list(read(write(), notes)) == []


@pytest.mark.parametrize(
    ("lines", "where", "what"),
    [
        (["rubbish", ORDER], 1, "Expecting value"),
        ([ORDER, "[]", ORDERED], 2, "not a line"),
        ([ORDER, "\x00\x01", ORDERED], 2, "not a line"),
        ([ORDER, ORDER], 2, "operation 0 came due twice"),
        ([ORDER, ORDERED, ORDERED], 3, "nothing is known of 0"),
        ([ORDERED], 1, "nothing is known of 0"),
        ([{"kind": "orders", "due": 1.0}], 1, "nothing is known of 'op'"),
        ([ORDER, {**ORDERED, "result": "fine"}], 2, "'fine' is not a result; allowed: ok, failed, unknown"),
        ([{"op": 0, "due": 1.0}], 1, "nothing is known of 'kind'"),
        ([{**ORDER, "op": []}], 1, "op cannot be []"),
        ([{**ORDER, "kind": 5}], 1, "kind cannot be 5"),
        ([{**ORDER, "key": 5}], 1, "key cannot be 5"),
        ([{**ORDER, "due": "soon"}], 1, "due cannot be 'soon'"),
        ([{**ORDER, "due": None}], 1, "due cannot be None"),
        ([{**ORDER, "due": 1e30}], 1, "due cannot be 1e+30: no time of a run"),
        ([{**ORDER, "due": -1}], 1, "due cannot be -1: no time of a run"),
        ([{**ORDER, "due": float("nan")}], 1, "due cannot be nan"),
        ([{**ORDER, "lines": [5]}], 1, "not a line"),
        ([{**ORDER, "lines": [{"sku": 5, "quantity": 1}]}], 1, "not a line of an order"),
        ([{**ORDER, "lines": [{"sku": "a", "quantity": "1"}]}], 1, "not a line of an order"),
        ([{**ORDER, "lines": None}], 1, "lines cannot be None"),
        ([ORDER, {**ORDERED, "sent": "3.9"}], 2, "sent cannot be '3.9'"),
        ([ORDER, {**ORDERED, "end": float("inf")}], 2, "end cannot be inf"),
        ([ORDER, {**ORDERED, "end": True}], 2, "end cannot be True"),
        ([ORDER, {**ORDERED, "result": []}], 2, "result cannot be []"),
        ([ORDER, {**ORDERED, "status": "201"}], 2, "status cannot be '201'"),
        ([ORDER, {**ORDERED, "error": {}}], 2, "error cannot be {}"),
        ([ORDER, {**ORDERED, "order_id": 7}], 2, "order_id cannot be 7"),
        ([ORDER, {**ORDERED, "amount_cents": 49.98}], 2, "amount_cents cannot be 49.98"),
        ([ORDER, "[" * 100_000], 2, "nested too deeply"),
        ([{**ORDER, "lines": [{"sku": "SKU-0001"}]}, ORDERED], 1, "nothing is known of 'quantity'"),
    ],
)
def test_anything_else_is_an_error_with_file_and_line(write: Write, lines: list[object], where: int, what: str) -> None:
    path = write(*lines)
    with pytest.raises(ChaosError) as caught:
        list(read(path))
    assert caught.value.what.startswith(f"{path}:{where}: ")
    assert what in caught.value.what
