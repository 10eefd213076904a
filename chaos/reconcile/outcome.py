"""What a reconciliation comes to, and which records each invariant rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chaos.model import Invariant
from chaos.verdict import Check, LedgerRow

NEEDS: Mapping[Invariant, tuple[str, ...]] = {
    Invariant.NONE_LOST: ("orders",),
    Invariant.NONE_DOUBLED: ("orders",),
    Invariant.CHARGED_ONCE: ("orders", "charges"),
    Invariant.SETTLED: ("orders",),
    Invariant.STOCK_CONSERVED: ("orders", "stock"),
    Invariant.REPLICAS_AGREE: ("replicas",),
    Invariant.SHIPMENTS_MATCH: ("orders", "shipments"),
}
"""Invariant → the final reads it cannot be judged without."""


@dataclass(frozen=True)
class Reconciliation:
    """One check per invariant that was asked for, the counts behind them, and how many rows each final read held."""

    checks: tuple[Check, ...]
    ledger: tuple[LedgerRow, ...]
    rows: Mapping[str, int]
    notes: tuple[str, ...] = field(default=())
