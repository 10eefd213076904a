"""Counts order by order: the load's history against the final reads of every system of record.

store.py    history and final reads as tables of a temporary database
rules.py    each invariant in SQL
ledger.py   the counts for the report
outcome.py  what it comes to

Pure: it reads the folder of final reads and nothing else. Linear in the number of orders, with bounded memory.
Whether a kept invariant proves anything in this run (orders placed, backlog drained) is for `judge`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from chaos.model import Invariant
from chaos.reconcile import ledger
from chaos.reconcile.outcome import NEEDS, Reconciliation
from chaos.reconcile.rules import RULES, Rule
from chaos.reconcile.store import Store
from chaos.verdict import Check, Verdict

if TYPE_CHECKING:
    from chaos.load.history import Operation

__all__ = ["Reconciliation", "reconcile"]

_EXAMPLES_MAX = 5


def reconcile(invariants: Sequence[Invariant], operations: Iterable[Operation], final: Path) -> Reconciliation:
    """Judges the invariants asked for, over the whole history and the folder of final reads.

    A read that is missing or damaged makes what rests on it inconclusive. Operations are read once.
    """
    store = Store(operations, final)
    try:
        return Reconciliation(
            checks=tuple(_check(invariant, store) for invariant in dict.fromkeys(invariants)),
            ledger=ledger.rows(store),
            rows=store.rows,
            notes=ledger.notes(store),
        )
    finally:
        store.close()


def _check(invariant: Invariant, store: Store) -> Check:
    rule = RULES[invariant]
    unread = [store.unread[name] for name in NEEDS[invariant] if name in store.unread]
    if unread:
        return _result(invariant, rule, Verdict.INCONCLUSIVE, "nothing", f"{invariant} is not known: {unread[0]}")
    subjects = store.count(rule.subject)
    broken, examples = _breaches(store, rule)
    if broken:
        times = "1 breach" if broken == 1 else f"{broken:,} breaches"
        why = f"{invariant} is broken, {times}: {examples[0]}"
        return _result(invariant, rule, Verdict.FAILED, times, why, subjects, examples)
    for query in rule.unknown:
        if row := store.connection.execute(query).fetchone():
            return _result(
                invariant, rule, Verdict.INCONCLUSIVE, str(row[0]), f"{invariant} is not known: {row[0]}", subjects
            )
    if not subjects:
        why = f"{invariant} is not known: there was not one {rule.subject_noun}"
        return _result(invariant, rule, Verdict.INCONCLUSIVE, "nothing to test it on", why)
    noun = rule.subject_noun if subjects == 1 else _plural(rule.subject_noun)
    return _result(
        invariant, rule, Verdict.PASSED, f"{subjects:,} {noun}", f"{rule.kept}: {subjects:,} {noun}", subjects
    )


def _breaches(store: Store, rule: Rule) -> tuple[int, tuple[str, ...]]:
    """How many there are, and the first of each kind in turn until there are five."""
    count = 0
    kinds: list[list[str]] = []
    for query in rule.breach:
        kinds.append([])
        for (text,) in store.connection.execute(query):
            count += 1
            if len(kinds[-1]) < _EXAMPLES_MAX:
                kinds[-1].append(text)
    mixed = [kind[rank] for rank in range(_EXAMPLES_MAX) for kind in kinds if rank < len(kind)]
    return count, tuple(mixed[:_EXAMPLES_MAX])


def _plural(noun: str) -> str:
    first, _, rest = noun.partition(" ")
    if first == "paid":  # "paid order"
        return f"{noun}s"
    return f"{first}s {rest}".strip()


def _result(
    invariant: Invariant,
    rule: Rule,
    verdict: Verdict,
    measured: str,
    why: str,
    samples: int = 0,
    examples: tuple[str, ...] = (),
) -> Check:
    return Check(
        name=invariant,
        kind="invariant",
        phase="afterwards",
        verdict=verdict,
        expected=rule.kept,
        measured=measured,
        why=why,
        samples=samples,
        examples=examples,
    )
