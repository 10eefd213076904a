"""What the reports read out of a Judgement in the same words: order of phases, marks, sentences about faults.

Pure look-ups; leaves out every format's own layout and escaping.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from chaos.errors import Exit
from chaos.metrics import BROWSE, ORDERS, STREAMS
from chaos.report import text
from chaos.verdict import Check, FaultWindow, Judgement, StreamStats, Verdict

MARKS = {Verdict.PASSED: "✓", Verdict.FAILED: "✗", Verdict.INCONCLUSIVE: "?"}
MEANINGS = {
    Verdict.PASSED: "Every check was measured and held.",
    Verdict.FAILED: "At least one check was measured and did not hold.",
    Verdict.INCONCLUSIVE: "Something could not be measured well enough to say. This is not a success.",
}
PHASES = {
    "run": "The run itself",
    "warmup": "Warm-up",
    "baseline": "Before the faults (baseline)",
    "fault": "While faults were on",
    "recovery": "After the last fault (recovery)",
    "afterwards": "Afterwards, in the books",
}
_ENDED = {
    Exit.NOT_HEALED: "a fault could not be taken off",
    Exit.INTERRUPTED: "the run was interrupted",
    Exit.NO_SANDBOX: "the system under test would not start, or went away",
}


def ended(judgement: Judgement) -> str:
    """How the run ended where that outranks its verdict (a fault left on, an interruption); empty otherwise."""
    return _ENDED.get(judgement.exit, "")


def why(judgement: Judgement) -> str:
    """The one sentence, without the verdict's word in front, which every report prints by itself."""
    return judgement.why.removeprefix(f"{judgement.verdict}: ")


def not_passed(checks: Iterable[Check]) -> list[Check]:
    """The checks that did not hold or could not be measured, the failed ones first."""
    found = [check for check in checks if check.verdict is not Verdict.PASSED]
    return sorted(found, key=lambda check: check.verdict is not Verdict.FAILED)


def by_phase(checks: Iterable[Check]) -> list[tuple[str, list[Check]]]:
    """The checks under the names of their phases, in the order of the run; unknown phases last, by their own name."""
    groups: dict[str, list[Check]] = {phase: [] for phase in PHASES}
    for check in checks:
        groups.setdefault(check.phase, []).append(check)
    return [(PHASES.get(phase, phase), group) for phase, group in groups.items() if group]


def streams(judgement: Judgement) -> list[str]:
    """The streams' names: orders first, then browsing, then a user's own requests and the probes as they come."""
    names = dict.fromkeys([*(each.stream for each in judgement.stats), *(each.stream for each in judgement.buckets)])
    return sorted(names, key=lambda name: {ORDERS: 0, BROWSE: 1}.get(name, 2))


def heading(stream: str) -> str:
    """A stream's name as a heading: the shop's with a capital, a user's own as it was written."""
    return stream.capitalize() if stream in STREAMS else stream


def stats_of(judgement: Judgement, stream: str) -> list[StreamStats]:
    """One stream's figures, in the order of the run's phases."""
    order = list(PHASES)
    found = [each for each in judgement.stats if each.stream == stream]
    return sorted(found, key=lambda each: order.index(each.phase) if each.phase in order else len(order))


def still_on(judgement: Judgement) -> list[FaultWindow]:
    """The faults that somebody must take off by hand: known to be on, or not known to be off though the run ended."""
    return [fault for fault in judgement.faults if fault.left_on]


def ended_with_sandbox(fault: FaultWindow) -> bool:
    """Whether nobody healed it because the run was cut short: what was on then ended with the sandbox."""
    return fault.start is not None and not fault.healed and not fault.left_on


def by_hand(fault: FaultWindow) -> str:
    """What a person can type to take the fault off; where nothing is known, that the service must be started again."""
    return fault.by_hand or f"# nothing is known that takes it off; start {fault.target} again"


def parameters(fault: FaultWindow) -> str:
    """`mode refuse, percent 50`; empty where the fault has none."""
    shown = {name: value for name, value in fault.parameters.items() if value not in (None, [], {}, "")}
    return ", ".join(f"{name} {_value(value)}" for name, value in shown.items())


def when(fault: FaultWindow) -> str:
    """`from 12.0 s to 42.1 s`, as it really was."""
    if fault.start is None:
        return "never on"
    if ended_with_sandbox(fault):
        return f"from {text.moment(fault.start)}, ended with the sandbox"
    if fault.end is None:
        return f"from {text.moment(fault.start)}, end not known"
    return f"from {text.moment(fault.start)} to {text.moment(fault.end)}"


def how_long(fault: FaultWindow) -> str:
    """The window's length, or a dash."""
    return text.duration(fault.end - fault.start if fault.start is not None and fault.end is not None else None)


def recovered(judgement: Judgement) -> str:
    """The time to recover in words; says so where the system did not recover or nobody measured."""
    if judgement.time_to_recover_s is not None:
        steady = text.duration(judgement.time_to_recover_s)
        return "at once" if judgement.time_to_recover_s == 0 else f"{steady} after the last fault ended"
    if any(check.kind == "recovery" and check.verdict is Verdict.FAILED for check in judgement.checks):
        return "not within the run"
    return "not measured"


def command(judgement: Judgement) -> str:
    """The exact command line, ready for a shell."""
    return shlex.join(text.one_line(word) for word in judgement.argv)


def command_with_seed(judgement: Judgement) -> str:
    """The command line that draws the same targets and the same load again; the same one where it names the seed."""
    if any(word == "--seed" or word.startswith("--seed=") for word in judgement.argv):
        return command(judgement)
    return f"{command(judgement)} --seed {judgement.seed}"


def counts(checks: Iterable[Check]) -> str:
    """`9 passed, 1 failed`; verdicts that nobody got are left out."""
    verdicts = [check.verdict for check in checks]
    parts = [f"{verdicts.count(verdict)} {verdict}" for verdict in Verdict if verdict in verdicts]
    return ", ".join(parts) or "no checks"


def _value(value: object) -> str:
    return " and ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
