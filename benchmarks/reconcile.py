"""How long it takes to reconcile and to judge a large run, and how much memory: 100,000 operations against 1,000,000.

    python benchmarks/reconcile.py [SMALL LARGE]

Writes a consistent history and final reads to a temporary folder and works on each size in a process of its own, so
that its peak memory is its own. Times are CPU seconds, which other work on the machine disturbs less. The targets: time
grows no faster than the number of operations (a ratio of at most 13 for ten times as many), and memory hardly at all.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from chaos.judge import judge
from chaos.load.history import read
from chaos.model import Experiment, Invariant
from chaos.reconcile import Reconciliation, reconcile
from chaos.verdict import Verdict

SIZES = (100_000, 1_000_000)
RATE = 1000.0
SKUS = [f"SKU-{number:04d}" for number in range(200)]
TIME_RATIO_PER_SIZE_MAX = 1.3
MEMORY_RATIO_MAX = 2.0
MIB = 1024


def main() -> None:
    """Prints the table; exits with 1 where a target is missed."""
    small, large = (int(word) for word in sys.argv[1:3]) if len(sys.argv) > 2 else SIZES
    rows = {size: _in_a_process(size) for size in (small, large)}
    sys.stdout.write(f"{'operations':>12} {'read s':>8} {'reconcile s':>12} {'judge s':>8} {'peak MiB':>9}\n")
    for size, (read_s, reconcile_s, judge_s, peak_mib) in rows.items():
        sys.stdout.write(f"{size:>12,} {read_s:>8.2f} {reconcile_s:>12.2f} {judge_s:>8.2f} {peak_mib:>9.0f}\n")
    ratios = [after / before for before, after in zip(rows[small], rows[large], strict=True)]
    sys.stdout.write(f"{'ratio':>12} {ratios[0]:>8.1f} {ratios[1]:>12.1f} {ratios[2]:>8.1f} {ratios[3]:>9.1f}\n")
    most = large / small * TIME_RATIO_PER_SIZE_MAX
    fine = max(ratios[:3]) <= most and ratios[3] <= MEMORY_RATIO_MAX
    sys.stdout.write(
        f"{'target':>12} {'':>8} at most {most:.0f}, memory {MEMORY_RATIO_MAX:.0f}: {'reached' if fine else 'MISSED'}\n"
    )
    sys.exit(0 if fine else 1)


def _in_a_process(size: int) -> tuple[float, float, float, float]:
    ours, theirs = multiprocessing.Pipe()
    with tempfile.TemporaryDirectory(prefix="chaos-benchmark-") as folder:
        _write(Path(folder), size)
        process = multiprocessing.get_context("spawn").Process(target=_measure, args=(theirs, folder, size))
        process.start()
        theirs.close()
        figures: tuple[float, float, float, float] = ours.recv()
        process.join()
    return figures


def _measure(to: Connection, folder: str, size: int) -> None:
    final = Path(folder)
    history = final / "history.jsonl"
    began = time.process_time()
    for _ in read(history):
        pass
    done_reading = time.process_time()
    reconciliation = reconcile(list(Invariant), read(history), final)
    reconciled = time.process_time()
    judgement = _judged(reconciliation, history, size)
    judged = time.process_time()
    assert {check.verdict for check in reconciliation.checks} == {Verdict.PASSED}
    assert judgement is Verdict.PASSED
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB
    to.send((done_reading - began, reconciled - done_reading, judged - reconciled, peak_mib))


def _judged(reconciliation: Reconciliation, history: Path, size: int) -> Verdict:
    third = size / RATE / 3
    experiment = Experiment.model_validate(
        {
            "title": "benchmark",
            "load": {"orders": f"{RATE:.0f}/s"},
            "phases": {"warmup": "0s", "baseline": f"{third:.3f}s", "recovery": f"{third:.3f}s"},
            "steady_state": {"orders.success_rate": ">= 99.5%", "orders.p99": "< 800ms"},
            "method": [{"fault": "process.kill", "target": "db-replica-1", "for": f"{third:.3f}s"}],
            "recovers": {"within": "10s"},
            "invariants": list(Invariant),
        }
    )
    return judge(experiment, _journal(third, size), read(history), (), reconciliation, run="benchmark").verdict


def _journal(third: float, size: int) -> list[dict[str, Any]]:
    lease = {"lease": "1", "fault": "process.kill", "target": "db-replica-1", "for_s": third, "seed": 1}
    return [
        {"t": 0.0, "event": "phase", "name": "baseline"},
        {"t": third, "event": "phase", "name": "fault"},
        {"t": third, "event": "intent", **lease},
        {"t": third, "event": "injected", "lease": "1", "active": True},
        {"t": 2 * third, "event": "heal", "lease": "1"},
        {"t": 2 * third, "event": "healed", "lease": "1", "gone": True, "effective": True, "evidence": "7 killed"},
        {"t": 2 * third, "event": "phase", "name": "recovery"},
        {"t": 3 * third, "event": "phase", "name": "afterwards"},
        {"t": 3 * third, "event": "load", "lag_p99_s": 0.001, "sent": size, "complete": True},
        {"t": 3 * third, "event": "drained", "drained": True, "waited_s": 0.1},
        {"t": 3 * third, "event": "done"},
    ]


def _write(folder: Path, size: int) -> None:
    """A consistent world of so many orders."""
    sold: Counter[str] = Counter()
    names = ("history", "orders", "charges", "shipments")
    files = {name: (folder / f"{name}.jsonl").open("w") for name in names}
    for number in range(size):
        for name, record in _records(number, sold):
            files[name].write(json.dumps(record) + "\n")
    for file in files.values():
        file.close()
    stock = [{"sku": sku, "initial": 10_000_000, "remaining": 10_000_000 - sold[sku]} for sku in SKUS]
    servers = ("db-primary", "db-replica-1", "db-replica-2")
    replicas = [{"server": server, "table": "orders", "rows": size, "digest": "same"} for server in servers]
    for name, records in (("stock", stock), ("replicas", replicas)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))


def _records(number: int, sold: Counter[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    due, cents = number / RATE, 100 + number % 9000
    latency = 0.005 + number * 7919 % 100_000 / 1e6  # spread over 100 ms
    order_id, key = f"{number * 2654435761 % 2**64:016x}-{number}", f"key-{number * 40503 % 2**32:08x}-{number}"
    sku, quantity = SKUS[number % len(SKUS)], 1 + number % 3
    lines = [{"sku": sku, "quantity": quantity}]
    sold[sku] += quantity
    yield "history", {"op": number, "kind": "orders", "due": due, "key": key, "lines": lines}
    yield (
        "history",
        {"op": number, "end": round(due + latency, 6), "sent": due, "result": "ok", "status": 201,
         "order_id": order_id, "amount_cents": cents},
    )  # fmt: skip
    yield (
        "orders",
        {"idempotency_key": key, "order_id": order_id, "status": "paid", "amount_cents": cents, "lines": lines},
    )
    yield "charges", {"charge_id": f"c-{number}", "order_id": order_id, "amount_cents": cents, "status": "charged"}
    yield "shipments", {"shipment_id": f"s-{number}", "order_id": order_id}


if __name__ == "__main__":
    main()
