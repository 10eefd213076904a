"""A run that passes, made of plain data: every test changes one thing about it and looks at the verdict.

2 s of warm-up, 10 s of baseline, a fault of 10 s from t=12, recovery from t=22 to t=42; 20 orders and 40 page views a
second, evenly spaced, each answered after 20 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from chaos.judge import judge
from chaos.load.history import Operation
from chaos.model import Experiment, Invariant
from chaos.observe.samples import Sample
from chaos.reconcile.outcome import Reconciliation
from chaos.verdict import Check, Judgement, Verdict

Event = dict[str, Any]
BASELINE, FAULT, RECOVERY, END = 2.0, 12.0, 22.0, 42.0
LEASE = "1-payment.outage-payments"


def experiment(**changes: Any) -> Experiment:
    """The experiment; keys as in YAML, None leaves one out."""
    asked: dict[str, Any] = {
        "title": "Checkout survives a payment outage",
        "load": {"orders": "20/s", "browse": "40/s"},
        "phases": {"warmup": "2s", "baseline": "10s", "recovery": "20s"},
        "steady_state": {"orders.success_rate": ">= 99.5%", "orders.p99": "< 800ms"},
        "method": [{"fault": "payment.outage", "target": "payments", "with": {"mode": "refuse"}, "for": "10s"}],
        "while_faulty": {"orders.success_rate": ">= 99%", "orders.p99": "< 1500ms"},
        "recovers": {"within": "8s"},
        "invariants": ["orders.none_lost", "payments.charged_once"],
    } | changes
    return Experiment.model_validate({key: value for key, value in asked.items() if value is not None})


def journal() -> list[Event]:
    """The journal of a run that went as planned."""
    return [
        {"t": 0.0, "event": "run", "version": "1.2.3", "argv": ["chaos", "run", "x.yaml"], "seed": 7, "weak": [],
         "started": "2026-11-22T10:00:00Z", "platform": "Linux", "sandbox": "embedded"},
        {"t": 0.0, "event": "ready", "took_s": 0.0},
        {"t": 0.0, "event": "phase", "name": "warmup"},
        {"t": BASELINE, "event": "phase", "name": "baseline"},
        {"t": FAULT, "event": "phase", "name": "fault"},
        {"t": FAULT, "event": "intent", "lease": LEASE, "fault": "payment.outage", "target": "payments",
         "parameters": {"mode": "refuse"}, "for_s": 10.0, "seed": 7},
        {"t": FAULT, "event": "injected", "lease": LEASE, "active": True},
        {"t": RECOVERY, "event": "heal", "lease": LEASE},
        {"t": RECOVERY, "event": "healed", "lease": LEASE, "gone": True, "effective": True,
         "evidence": "412 of 412 requests refused", "measured": {"refused": 412}},
        {"t": RECOVERY, "event": "phase", "name": "recovery"},
        {"t": END, "event": "phase", "name": "afterwards"},
        {"t": END, "event": "load", "lag_p99_s": 0.002, "sent": 2520, "complete": True},
        {"t": END + 1, "event": "drained", "drained": True, "waited_s": 1.0},
        {"t": END + 2, "event": "records", "name": "orders", "rows": 840},
        {"t": END + 2, "event": "done"},
    ]  # fmt: skip


def operations() -> list[Operation]:
    """Everything that was due, in order."""
    found = []
    for kind, rate in (("orders", 20), ("browse", 40)):
        for number in range(int(END * rate)):
            due = number / rate
            found.append(Operation(0, kind, due, due, due + 0.02, "ok", 201, key=f"{kind}-{number}"))
    return [replace(each, op=op) for op, each in enumerate(sorted(found, key=lambda each: each.due))]


def reconciliation(**broken: Verdict) -> Reconciliation:
    """Both invariants kept, but for those named (with _ for the dot)."""
    checks = []
    for name in (Invariant.NONE_LOST, Invariant.CHARGED_ONCE):
        verdict = broken.get(name.replace(".", "_"), Verdict.PASSED)
        checks.append(Check(name, "invariant", "afterwards", verdict, "kept", "840 orders", f"{name}: {verdict}"))
    return Reconciliation(tuple(checks), (), {"orders": 840})


Change = Callable[[Operation], Operation | None]


@dataclass
class World:
    """All that `judge` gets."""

    experiment: Experiment = field(default_factory=experiment)
    journal: Sequence[Event] = field(default_factory=journal)
    operations: Sequence[Operation] = field(default_factory=operations)
    samples: Iterable[Sample] = ()
    reconciliation: Reconciliation | None = field(default_factory=reconciliation)

    def judge(self) -> Judgement:
        """The verdict."""
        return judge(
            self.experiment, self.journal, self.operations, self.samples, self.reconciliation, run="20261122-checkout"
        )

    def change(self, change: Change, start: float = 0.0, end: float = END, kind: str = "orders") -> World:
        """With each operation of a kind that was due in a span replaced; None drops it."""
        changed = [change(each) if each.kind == kind and start <= each.due < end else each for each in self.operations]
        return replace(self, operations=[each for each in changed if each is not None])

    def events(self, name: str, **keys: Any) -> World:
        """With the keys of each event of that name changed."""
        return replace(self, journal=[{**e, **keys} if e["event"] == name else e for e in self.journal])

    def without(self, *names: str) -> World:
        """Without the events of these names."""
        return replace(self, journal=[each for each in self.journal if each["event"] not in names])

    def adding(self, **event: Any) -> World:
        """With one more event, in its place by time, after those of the same time."""
        return replace(self, journal=sorted([*self.journal, event], key=lambda each: each["t"]))


def failed(each: Operation) -> Operation:
    """The same operation, refused by the system."""
    return replace(each, result="failed", status=503, error="503")


def timed_out(each: Operation) -> Operation:
    """The same operation, given up after 5 s."""
    return replace(each, result="unknown", status=None, error="timeout", end=each.due + 5)


def slow(seconds: float) -> Change:
    """Answered, but only after so long."""
    return lambda each: replace(each, end=each.due + seconds)


def every(nth: int, change: Change) -> Change:
    """Changes every n-th operation of its kind."""
    return lambda each: change(each) if int((each.key or "-0").rpartition("-")[2]) % nth == 0 else each


def named(judgement: Judgement, name: str, phase: str = "") -> Check:
    """The one check of that name, and of that phase where it is given."""
    (found,) = [check for check in judgement.checks if check.name == name and phase in ("", check.phase)]
    return found


def write_lines(path: Path, records: Iterable[Event]) -> None:
    """A JSON Lines file."""
    import json

    path.write_text("".join(json.dumps(record) + "\n" for record in records))
