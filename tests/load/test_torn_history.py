"""A history whose last line was cut off, in the folder of a run: its report must say so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chaos.folder import RunFolder
from chaos.run import conclude

EXPERIMENT = {
    "title": "Torn",
    "load": {"orders": "20/s"},
    "phases": {"baseline": "10s", "recovery": "20s"},
    "steady_state": {"orders.success_rate": ">= 99%"},
    "method": [{"fault": "payment.outage", "target": "payments", "for": "10s"}],
}
JOURNAL = [{"t": 0.0, "event": "run"}, {"t": 1.0, "event": "phase", "name": "baseline"}]
DUE = json.dumps({"op": 0, "kind": "orders", "due": 1.5, "key": "k", "lines": [{"sku": "SKU-0001", "quantity": 1}]})
ENDED = json.dumps({"op": 0, "end": 1.6, "sent": 1.5, "result": "ok", "order_id": "o", "amount_cents": 1})


@pytest.mark.parametrize(
    ("history", "notes"),
    [
        (f"{DUE}\n{ENDED}\n", ()),
        (f"{DUE}\n{ENDED[:20]}", ("history.jsonl: line 2 was cut off and is not counted",)),
    ],
    ids=["whole", "torn"],
)
def test_a_torn_history_is_told_in_the_report(tmp_path: Path, history: str, notes: tuple[str, ...]) -> None:
    run = RunFolder(tmp_path)
    run.experiment.write_text(json.dumps(EXPERIMENT))
    run.journal.write_text("".join(json.dumps(record) + "\n" for record in JOURNAL))
    run.history.write_text(history)
    judgement = conclude(run).judgement
    assert tuple(note for note in judgement.notes if "history" in note) == notes
    assert all(note in (tmp_path / "report.json").read_text() for note in notes)
