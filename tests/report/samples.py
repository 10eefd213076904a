"""Judgements as real runs give them, for the tests of every report and for looking at the pages.

Figures come from a seeded generator, so that every test sees the same ones.
"""

from __future__ import annotations

import random
from dataclasses import replace

from chaos.errors import Exit
from chaos.verdict import Bucket, Check, FaultWindow, Judgement, LedgerRow, Phase, StreamStats, Verdict

P, F, I = Verdict.PASSED, Verdict.FAILED, Verdict.INCONCLUSIVE  # noqa: E741 - short, for the tables below

PHASES = (
    Phase("warmup", 0.0, 2.0),
    Phase("baseline", 2.0, 12.0),
    Phase("fault", 12.0, 42.0),
    Phase("recovery", 42.0, 62.0),
)

OUTAGE = FaultWindow(
    lease="payment.outage-1",
    fault="payment.outage",
    target="payments",
    parameters={"mode": "refuse", "percent": 100},
    start=12.03,
    end=42.04,
    healed=True,
    effective=True,
    evidence="the payment gateway refused 598 of 598 requests while the fault was on, and none before or after",
    measured={"requests": 598, "refused": 598, "share": 1.0, "first_refused_t": 12.041},
)
LATENCY = FaultWindow(
    lease="network.latency-2",
    fault="network.latency",
    target="storefront-1",
    parameters={"delay": "50ms", "jitter": "5ms", "to": ["db-primary", "db-replica-1"], "direction": "both"},
    start=20.01,
    end=36.0,
    healed=True,
    effective=True,
    evidence="4,812 packets were held back for 25.1 ms each way at the median, 27.4 ms at p99",
    measured={"packets": 4812, "held_ms": {"p50": 25.1, "p99": 27.4, "max": 31.9}},
)


def buckets(seconds: int = 62, *, stream: str = "orders", rate: int = 20, hurt: float = 0.0) -> tuple[Bucket, ...]:
    """One stream, second by second; `hurt` is the share of requests that fail while the fault is on (12 s to 42 s)."""
    draw = random.Random(f"{stream}-{hurt}")
    rows = []
    for second in range(seconds):
        faulty = 12 <= second < 42
        failed = sum(draw.random() < hurt for _ in range(rate)) if faulty else 0
        unknown = min(rate - failed, 1) if faulty and hurt and draw.random() < 0.1 else 0
        p50 = draw.uniform(0.011, 0.016) * (4 if faulty else 1)
        p99 = p50 * draw.uniform(2.5, 6) * (4 if faulty and hurt else 1)
        rows.append(Bucket(stream, float(second), rate - failed - unknown, failed, unknown, p50, p99))
    return tuple(rows)


def stats(stream: str, phase: str, ok: int, failed: int = 0, unknown: int = 0, slow: float = 1.0) -> StreamStats:
    """One stream in one phase, with likely errors."""
    errors = {"503 payment service is away": failed, "timeout": unknown}
    percentiles = {"p50": 0.013 * slow, "p90": 0.024 * slow, "p99": 0.061 * slow, "max": 0.143 * slow}
    return StreamStats(stream, phase, ok, failed, unknown, percentiles, {k: n for k, n in errors.items() if n})


PASSED = Judgement(
    run="20261122-155503-checkout-survives-a-payment-gateway-outage",
    title="Checkout survives a payment-gateway outage",
    description="Orders are accepted while the gateway is down, and every customer is charged exactly once after it "
    "is back.",
    tags=("payments", "third-party", "C7"),
    verdict=P,
    exit=Exit.PASSED,
    why="passed: all 600 orders placed while the gateway was down were accepted, and each was charged exactly once",
    checks=(
        Check("orders.success_rate", "tolerance", "baseline", P, ">= 99.5%", "100% of 200", "it held", 200),
        Check("orders.p99", "tolerance", "baseline", P, "< 800ms", "61 ms over 200", "it held", 200),
        Check("orders.success_rate", "tolerance", "fault", P, ">= 99%", "100% of 600", "it held", 600),
        Check("orders.p99", "tolerance", "fault", P, "< 1500ms", "244 ms over 600", "it held", 600),
        Check("payment.outage on payments", "evidence", "fault", P, "a measured effect", "598 refused", "it had one"),
        Check("network.latency on storefront-1", "evidence", "fault", P, "a measured effect", "4,812 held back", "yes"),
        Check("recovers", "recovery", "recovery", P, "within 20 s", "after 2.50 s", "it recovered in time", 400),
        Check("orders.none_lost", "invariant", "afterwards", P, "0 violations", "0 of 1,240", "it held", 1240),
        Check("orders.none_doubled", "invariant", "afterwards", P, "0 violations", "0 of 1,240", "it held", 1240),
        Check("payments.charged_once", "invariant", "afterwards", P, "0 violations", "0 of 1,240", "it held", 1240),
        Check("stock.conserved", "invariant", "afterwards", P, "0 violations", "0 of 24 products", "it held", 24),
        Check("replicas.agree", "invariant", "afterwards", P, "same rows", "3 servers agree", "it held", 3),
    ),
    phases=PHASES,
    faults=(OUTAGE, LATENCY),
    stats=(
        stats("orders", "baseline", 200),
        stats("orders", "fault", 600, slow=4),
        stats("orders", "recovery", 400),
        stats("browse", "baseline", 400),
        stats("browse", "fault", 1197, 3, slow=2),
        stats("browse", "recovery", 800),
    ),
    buckets=buckets() + buckets(stream="browse", rate=40, hurt=0.004),
    ledger=(
        LedgerRow("orders asked for", 1240, "load history"),
        LedgerRow("… answered ok", 1240, "load history"),
        LedgerRow("… answered no", 0, "load history"),
        LedgerRow("… without an answer", 0, "load history"),
        LedgerRow("orders in the database", 1240, "db-primary"),
        LedgerRow("charges", 1240, "payments ledger"),
        LedgerRow("shipments", 1240, "shipping ledger"),
        LedgerRow("units sold", 2481, "db-primary"),
    ),
    time_to_recover_s=2.5,
    weak=(),
    seed=20261111,
    version="0.1.0",
    argv=("chaos", "run", "experiments/payment-outage.yaml", "--sandbox", "embedded"),
    started="2026-11-22T15:55:03.214Z",
    duration_s=74.8,
    platform="Linux 6.18.0 x86_64, Python 3.11.2, 2 cores",
)

FAILED = replace(
    PASSED,
    run="20261122-160114-twin-payment-outage-without-deferral",
    title="Checkout survives a payment-gateway outage (twin: payment is not deferred)",
    verdict=F,
    exit=Exit.FAILED,
    why="failed: orders.success_rate was 71.33% of 600 while faults were on, and must be >= 99%",
    checks=(
        *PASSED.checks[:2],
        Check(
            "orders.success_rate",
            "tolerance",
            "fault",
            F,
            ">= 99%",
            "71.33% of 600",
            "while faults were on 172 of 600 orders were not answered ok: 168 times 503 payment service is away, "
            "4 times timeout",
            600,
            ("op 412 due 12.05 s: 503 payment service is away", "op 413 due 12.10 s: 503 payment service is away"),
        ),
        Check(
            "orders.p99", "tolerance", "fault", F, "< 1500ms", "2.01 s over 600", "one in a hundred took longer", 600
        ),
        *PASSED.checks[4:7],
        *PASSED.checks[7:9],
        Check(
            "payments.charged_once",
            "invariant",
            "afterwards",
            F,
            "0 violations",
            "3 of 1,068",
            "3 orders were charged twice: the customers paid double",
            1068,
            tuple(f"order 8f0c2a1e-{n:04d}: 2 charges of 49.98, asked for once" for n in (3, 17, 40)),
        ),
        *PASSED.checks[10:],
    ),
    stats=(
        stats("orders", "baseline", 200),
        stats("orders", "fault", 428, 168, 4, slow=33),
        stats("orders", "recovery", 400),
        *PASSED.stats[3:],
    ),
    buckets=buckets(hurt=0.28) + buckets(stream="browse", rate=40, hurt=0.004),
    ledger=(
        LedgerRow("orders asked for", 1240, "load history"),
        LedgerRow("… answered ok", 1068, "load history"),
        LedgerRow("… answered no", 168, "load history"),
        LedgerRow("… without an answer", 4, "load history"),
        LedgerRow("orders in the database", 1070, "db-primary"),
        LedgerRow("charges", 1073, "payments ledger"),
        LedgerRow("shipments", 1070, "shipping ledger"),
        LedgerRow("units sold", 2140, "db-primary"),
    ),
    weak=("deferred_payment", "idempotency"),
    argv=("chaos", "run", "experiments/twins/payment-outage.yaml", "--seed", "20261111"),
    notes=("2 orders were answered with an error, yet they exist; they were charged correctly",),
)

INCONCLUSIVE = replace(
    PASSED,
    title="Reads fall back when a replica is cut off",
    verdict=I,
    exit=Exit.INCONCLUSIVE,
    why="inconclusive: network.partition on db-replica-1 dropped no packet, so nothing was put to the test",
    checks=(
        *PASSED.checks[:4],
        Check(
            "network.partition on db-replica-1",
            "evidence",
            "fault",
            I,
            "a measured effect",
            "0 packets dropped",
            "nothing was sent to or from db-replica-1 while the fault was on",
        ),
        Check("lag.p99", "tolerance", "fault", I, "< 50ms", "12 samples", "a p99 needs at least 100 samples", 12),
    ),
    faults=(
        replace(
            OUTAGE,
            fault="network.partition",
            target="db-replica-1",
            parameters={"to": [], "direction": "both"},
            effective=False,
            evidence="no packet matched: nothing was sent to or from db-replica-1 while the fault was on",
            measured={"dropped": 0},
        ),
    ),
    ledger=(),
    time_to_recover_s=None,
)
