"""The invariants as checks: what the reconciliation found, and whether that can be believed.

A broken invariant is a fact. A kept one proves something only if orders were placed, the backlog had drained, and the
records were read in full; otherwise it is inconclusive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chaos.judge.timeline import Record, events, last
from chaos.judge.wording import seconds
from chaos.model import Invariant
from chaos.reconcile.outcome import NEEDS, Reconciliation
from chaos.verdict import Check, Verdict


def checks(
    invariants: Sequence[Invariant], reconciliation: Reconciliation | None, journal: Sequence[Record], orders_ok: int
) -> list[Check]:
    """One check per invariant that was asked for."""
    found: Mapping[str, Check] = {check.name: check for check in reconciliation.checks} if reconciliation else {}
    rows = reconciliation.rows if reconciliation else {}
    believed = []
    for invariant in dict.fromkeys(invariants):
        check = found.get(invariant)
        if check is None:
            believed.append(_never_read(invariant))
            continue
        unread = _unread(invariant, journal, rows)
        doubt = unread or (_doubt(journal, orders_ok) if check.verdict is Verdict.PASSED else "")
        if doubt:
            check = replace(check, verdict=Verdict.INCONCLUSIVE, why=f"{invariant} is not known: {doubt}")
        believed.append(check)
    return believed


def _never_read(invariant: Invariant) -> Check:
    return Check(
        name=invariant,
        kind="invariant",
        phase="afterwards",
        verdict=Verdict.INCONCLUSIVE,
        expected="kept",
        measured="nothing",
        why=f"{invariant} is not known: the systems of record were never read",
    )


def _unread(invariant: Invariant, journal: Sequence[Record], rows: Mapping[str, int]) -> str:
    """Why what an invariant rests on was not read in full, as far as the journal tells."""
    for record in events(journal, "records"):
        name = record.get("name")
        if name not in NEEDS[invariant]:
            continue
        if record.get("error"):
            return f"the {name} could not be read: {record['error']}"
        if "rows" in record and name in rows and rows[name] != record["rows"]:
            return f"{record['rows']:,} {name} were read, and the file holds {rows[name]:,}"
    return ""


def _doubt(journal: Sequence[Record], orders_ok: int) -> str:
    """Why a kept invariant proves nothing."""
    if not orders_ok:
        return "not one order was answered ok, so there was nothing to keep"
    drained = last(journal, "drained")
    if drained is None:
        return "nobody waited for the backlog to drain, so it may still change"
    if not drained.get("drained"):
        return f"the backlog had not drained after {seconds(float(drained.get('waited_s', 0)))}, so it may still change"
    return ""
