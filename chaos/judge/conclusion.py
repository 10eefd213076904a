"""The verdict over all checks, the exit code, and the one sentence at the top.

The worst check wins, with one exception: a failed check counts only if nothing else can have caused it. Where the
baseline was unsteady, the generator late or no fault on, what is broken cannot be blamed on the faults, and the check
becomes inconclusive with both reasons. Nothing here ever turns anything into a success.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from chaos.errors import Exit
from chaos.judge.evidence import Faults
from chaos.judge.recovery import Recovery
from chaos.judge.timeline import Record, last
from chaos.judge.wording import counted, seconds
from chaos.verdict import Check, Verdict

_MEASURED = frozenset({"tolerance", "recovery", "abort"})
_AFTERWARDS = frozenset({"recovery", "invariant"})
_ALL = _MEASURED | _AFTERWARDS
_FIRST = {"run": 0, "evidence": 1, "abort": 2, "tolerance": 3, "recovery": 4, "invariant": 5}
"""Which reason comes first where several checks share the verdict."""


@dataclass(frozen=True)
class Doubt:
    """Something other than the faults that can have broken checks of these kinds."""

    why: str
    undermines: frozenset[str]


@dataclass(frozen=True)
class Conclusion:
    """What it all comes to."""

    verdict: Verdict
    exit: Exit
    why: str
    checks: tuple[Check, ...]


def doubts(
    *,
    baseline: Sequence[Check],
    course: Check,
    generator: Check,
    history: Check,
    faults: Faults,
    answered: Sequence[Check],
    died: str,
    overran: str,
    broke_off: bool,
) -> list[Doubt]:
    """Every reason not to blame the faults for what was broken, the most fundamental first.

    `answered` are the checks that a user's own requests succeeded before any fault. `died` says which service ended by
    itself, `overran` which phase lasted too long; empty: none did.
    """
    found = []
    unsteady = next((check for check in baseline if check.verdict is not Verdict.PASSED), None)
    ended_early = course.verdict is not Verdict.PASSED and course.why != overran
    if ended_early and (broke_off or not baseline):
        found.append(Doubt(course.why, _ALL))
    if unsteady is not None:
        nothing = "" if faults.windows else "; nothing was injected"
        found.append(Doubt(unsteady.why + nothing, _ALL))
    elif not baseline:
        found.append(Doubt("there was no baseline to compare with", _ALL))
    found += [Doubt(check.why, _MEASURED) for check in answered if check.verdict is not Verdict.PASSED]
    if faults.not_put_on:  # another fault, that did go on, can still have broken something
        found.append(Doubt(faults.not_put_on, frozenset() if faults.effective else _MEASURED))
    if overran:
        found.append(Doubt(overran, _MEASURED))
    if ended_early and baseline and not broke_off:
        found.append(Doubt(course.why, _AFTERWARDS))
    if history.verdict is not Verdict.PASSED:
        found.append(Doubt(history.why, _ALL))
    if generator.verdict is not Verdict.PASSED:
        found.append(Doubt(generator.why, _MEASURED))
    if died:
        found.append(Doubt(died, _MEASURED))
    if not faults.effective and unsteady is None:
        nothing_on = next((check.why for check in faults.checks), "no fault was put on")
        found.append(Doubt(nothing_on, _MEASURED))
    for window in faults.left_on:
        found.append(Doubt(f"{window.fault} on {window.target} is not known to be gone", _AFTERWARDS))
    return found


def conclude(
    checks: Iterable[Check],
    found: Sequence[Doubt],
    journal: Sequence[Record],
    faults: Faults,
    recovery: Recovery | None,
    traffic: str,
) -> Conclusion:
    """The verdict, and why; `checks` in the order in which a report shows them. `traffic` is how much came due while
    faults were on, in words.
    """
    trusted = []
    spared: Check | None = None  # the first that was broken but cannot be blamed on the faults
    for check in checks:
        doubt = next((doubt for doubt in found if check.kind in doubt.undermines), None)
        if check.verdict is Verdict.FAILED and doubt is not None:
            spared = spared or check
            why = f"{check.why}; but that cannot be blamed on the faults: {doubt.why}"
            check = replace(check, verdict=Verdict.INCONCLUSIVE, why=why)  # noqa: PLW2901
        trusted.append(check)
    verdict = Verdict.worst(check.verdict for check in trusted)
    if verdict is Verdict.PASSED and found:
        verdict = Verdict.INCONCLUSIVE
    proved = verdict is Verdict.PASSED
    why = _proved(trusted, recovery, traffic) if proved else _blamed(verdict, trusted, found, spared)
    return Conclusion(verdict, _exit(verdict, journal, faults), f"{verdict}: {why}", tuple(trusted))


def _exit(verdict: Verdict, journal: Sequence[Record], faults: Faults) -> Exit:
    codes = [verdict.exit]
    if faults.left_on:
        codes.append(Exit.NOT_HEALED)
    if last(journal, "interrupted"):
        codes.append(Exit.INTERRUPTED)
    if error := last(journal, "error"):
        code = error.get("exit")
        codes.append(Exit(code) if code in (Exit.INVALID, Exit.NO_SANDBOX, Exit.NOT_HEALED) else Exit.INCONCLUSIVE)
    return Exit.worst(codes)


def _blamed(verdict: Verdict, checks: Sequence[Check], found: Sequence[Doubt], spared: Check | None) -> str:
    guilty = sorted((check for check in checks if check.verdict is verdict), key=lambda check: _FIRST[check.kind])
    if verdict is Verdict.FAILED:
        names = ", ".join(check.name for check in guilty[1:])
        return guilty[0].why + (f"; also broken: {names}" if names else "")
    if found:
        return found[0].why + (f"; {spared.why}, which therefore proves nothing" if spared else "")
    others = f"; and {counted(len(guilty) - 1, 'more check')} could not be judged" if len(guilty) > 1 else ""
    return guilty[0].why + others


def _proved(checks: Sequence[Check], recovery: Recovery | None, traffic: str) -> str:
    faults = [check.name for check in checks if check.kind == "evidence"]
    under = f"{counted(len(checks), 'check')} held, with {' and '.join(faults[:3])}"
    more = f" and {counted(len(faults) - 3, 'more fault')}" if len(faults) > 3 else ""
    sent = f" over {traffic}" if traffic else ""
    steady = ""
    if recovery is not None and recovery.time_s is not None:
        after = f"{seconds(recovery.time_s)} after the last fault" if recovery.time_s else "at once"
        steady = f"; steady again {after}"
    return under + more + sent + steady
