"""The nouns of a judgement: what was checked, what was seen, and the verdict that follows.

Plain frozen dataclasses, so that `judge` can be pure and every report prints the same facts. Times are seconds
since the run started (`t`), latencies are seconds, rates are events per second, percentages 0 to 100.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from chaos.errors import Exit


class Verdict(StrEnum):
    """Three values, the worst wins; `inconclusive` is never a success."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"

    @staticmethod
    def worst(verdicts: Iterable[Verdict]) -> Verdict:
        """failed before inconclusive before passed; inconclusive for none, since nothing was proved."""
        seen = set(verdicts)
        for verdict in (Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.PASSED):
            if verdict in seen:
                return verdict
        return Verdict.INCONCLUSIVE

    @property
    def exit(self) -> Exit:
        """The exit code of a run with this verdict."""
        return {"passed": Exit.PASSED, "failed": Exit.FAILED, "inconclusive": Exit.INCONCLUSIVE}[self.value]


@dataclass(frozen=True)
class Check:
    """One sentence that was put to the test: a tolerance in a phase, an invariant, or a fault's evidence."""

    name: str  # "orders.success_rate", "payments.charged_once", "network.latency on storefront-1"
    kind: str  # "tolerance", "recovery", "invariant", "evidence", "abort", "run"
    phase: str  # "baseline", "fault", "recovery", "afterwards", "run"
    verdict: Verdict
    expected: str  # ">= 99%"
    measured: str  # "97.2% of 600"
    why: str  # one sentence a stranger understands
    samples: int = 0  # how many operations it rests on
    examples: tuple[str, ...] = ()  # up to five offending orders, operations or rows


@dataclass(frozen=True)
class Phase:
    """A part of the run, in seconds since its start."""

    name: str  # "warmup", "baseline", "fault", "recovery"
    start: float
    end: float


@dataclass(frozen=True)
class FaultWindow:
    """One fault on one service, as it really was."""

    lease: str
    fault: str
    target: str
    parameters: dict[str, Any]
    start: float | None  # None: it never was on
    end: float | None  # None: it never was healed
    healed: bool
    effective: bool
    evidence: str  # the measured effect in one sentence, or why there is none
    measured: dict[str, Any] = field(default_factory=dict)
    by_hand: str = ""  # where it was not healed: what a person can type
    left_on: bool = False  # not healed, or not known to be; False too where it ended with a sandbox that was cut short


@dataclass(frozen=True)
class StreamStats:
    """One stream of traffic within one phase."""

    stream: str  # "orders", "browse", or a probe's name
    phase: str
    ok: int
    failed: int
    unknown: int
    percentiles_s: dict[str, float]  # "p50", "p90", "p99", "max": latency of all that got a reply or timed out
    errors: dict[str, int] = field(default_factory=dict)  # "503", "timeout", "connection refused": how many


@dataclass(frozen=True)
class Bucket:
    """One second of one stream, for the chart; `t` is the second's start."""

    stream: str
    t: float
    ok: int
    failed: int
    unknown: int
    p50_s: float | None
    p99_s: float | None


@dataclass(frozen=True)
class LedgerRow:
    """One line of the reconciliation: how many there are of what, and where that was read."""

    what: str  # "orders answered ok", "orders in the database", "charges"
    count: int
    source: str  # "load history", "db-primary", "payments ledger"


@dataclass(frozen=True)
class Judgement:
    """All that is known about one run, as every report shows it."""

    run: str  # the run folder's name
    title: str
    description: str
    tags: tuple[str, ...]
    verdict: Verdict
    exit: Exit  # the verdict's code, outranked by NOT_HEALED, INTERRUPTED, NO_SANDBOX
    why: str  # the one sentence at the top: the worst check's reason, or what was proved
    checks: tuple[Check, ...]
    phases: tuple[Phase, ...]
    faults: tuple[FaultWindow, ...]
    stats: tuple[StreamStats, ...]
    buckets: tuple[Bucket, ...]
    ledger: tuple[LedgerRow, ...]
    time_to_recover_s: float | None  # measured from the end of the last fault; None: not recovered, or not known
    weak: tuple[str, ...]
    seed: int
    version: str
    argv: tuple[str, ...]
    started: str  # ISO 8601, UTC
    duration_s: float
    platform: str
    notes: tuple[str, ...] = ()  # "interrupted after 12.3 s", "the cache was not up", …
