"""Judgements of runs that went wrong, hostile texts and long runs; `ALL` has these and the usual ones by name."""

from __future__ import annotations

from dataclasses import replace

from chaos.errors import Exit
from chaos.verdict import Check, Judgement, LedgerRow, Phase, Verdict
from tests.report.samples import FAILED, INCONCLUSIVE, OUTAGE, PASSED, PHASES, buckets

I = Verdict.INCONCLUSIVE  # noqa: E741 - as in samples.py

NOT_HEALED = replace(
    FAILED,
    exit=Exit.NOT_HEALED,
    why="process.pause on worker could not be taken off: the worker is still stopped",
    faults=(
        replace(
            OUTAGE,
            fault="process.pause",
            target="worker",
            parameters={},
            end=None,
            healed=False,
            evidence="the process was in state T (stopped) from 12.1 s on",
            measured={"state": "T"},
            left_on=True,
            by_hand="chaos heal runs/20261122-160114-twin-payment-outage-without-deferral\nkill -CONT 4711",
        ),
    ),
)

INTERRUPTED = replace(
    PASSED,
    verdict=I,
    exit=Exit.INTERRUPTED,
    why="inconclusive: interrupted by SIGINT after 23.4 s; every fault was healed",
    checks=(
        *PASSED.checks[:2],
        Check(
            "the run", "run", "run", I, "runs to its end", "interrupted", "SIGINT after 23.4 s: the rest was not seen"
        ),
    ),
    phases=(PHASES[0], PHASES[1], Phase("fault", 12.0, 23.4)),
    faults=(replace(OUTAGE, end=23.5),),
    buckets=buckets(23),
    ledger=(),
    time_to_recover_s=None,
    duration_s=25.1,
    notes=("interrupted after 23.4 s",),
)

EVIL = (
    "<script>alert('x')</script>\x1b[2J\x1b[31mPASSED\x1b[0m \u202egnp.exe\u202c \x00\x07\r\n"
    "# heading | cell ![i](http://evil.example/p.png) [b]bold[/b] @octocat {{ 7*7 }} ]]> \ud800 日本語 🧨 &amp;"
)
HOSTILE = replace(
    FAILED,
    run="20261122-\u202eevil",
    title=EVIL,
    description=EVIL * 3,
    tags=(EVIL, "b"),
    why=EVIL,
    checks=tuple(
        replace(check, name=f"{check.name}{EVIL}", expected=EVIL, measured=EVIL, why=EVIL, examples=(EVIL, "x" * 500))
        for check in FAILED.checks
    ),
    faults=tuple(
        replace(
            fault,
            fault="f" * 300,
            target=EVIL,
            parameters={EVIL: EVIL, "n": [EVIL]},
            evidence=EVIL,
            measured={EVIL: {EVIL: EVIL}, "not_a_number": float("nan")},
            healed=False,
            left_on=True,
            by_hand=EVIL,
        )
        for fault in FAILED.faults
    ),
    stats=tuple(replace(each, errors={EVIL: 3}, stream=each.stream + EVIL) for each in FAILED.stats),
    buckets=tuple(replace(each, stream=each.stream + EVIL) for each in FAILED.buckets),
    ledger=(LedgerRow(EVIL, 3, EVIL),),
    weak=(EVIL,),
    argv=("chaos", "run", EVIL),
    version=EVIL,
    platform=EVIL,
    notes=(EVIL,),
)

NOTHING = Judgement(
    run="empty",
    title="Nothing came of it",
    description="",
    tags=(),
    verdict=I,
    exit=Exit.NO_SANDBOX,
    why="the sandbox would not start: db-primary ended at once",
    checks=(),
    phases=(),
    faults=(),
    stats=(),
    buckets=(),
    ledger=(),
    time_to_recover_s=None,
    weak=(),
    seed=0,
    version="0.1.0",
    argv=("chaos", "run", "x.yaml"),
    started="2026-11-22T15:55:03Z",
    duration_s=0.0,
    platform="Linux",
)

LONG = replace(
    PASSED,
    title="An hour of orders",
    phases=(Phase("baseline", 0.0, 600.0), Phase("fault", 600.0, 3000.0), Phase("recovery", 3000.0, 3600.0)),
    faults=tuple(replace(OUTAGE, lease=f"x-{n}", start=600.0 + 80 * n, end=760.0 + 80 * n) for n in range(25)),
    buckets=tuple(bucket for name in ("orders", "browse", "lag") for bucket in buckets(3600, stream=name)),
)

ALL = {
    "passed": PASSED,
    "failed": FAILED,
    "inconclusive": INCONCLUSIVE,
    "not_healed": NOT_HEALED,
    "interrupted": INTERRUPTED,
    "hostile": HOSTILE,
    "nothing": NOTHING,
    "long": LONG,
}
