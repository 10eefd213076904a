"""Every error this program raises on purpose, as one tree; each knows its exit code and what to do next.

    ChaosError
    ├── InvalidExperiment   2    the file is wrong: a list of Problems, each with file:line:column
    ├── UsageError          2    the command line asks for something that does not exist
    ├── Unsupported         3    the file is right, but this machine or target cannot do it
    ├── SandboxError        5    the sandbox or the target system would not start, or went away
    ├── Interrupted       130    the user ended it before anything was begun
    └── FaultError               one fault could not be …
        ├── InjectFailed    3    … injected: the experiment proves nothing
        └── HealFailed      4    … healed: the target is not as it was, see `remedy`

Third-party errors are mapped to these where they are caught; `cli` maps these to exit codes and nothing else does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of every command."""

    PASSED = 0
    FAILED = 1
    INVALID = 2
    INCONCLUSIVE = 3
    NOT_HEALED = 4
    NO_SANDBOX = 5
    INTERRUPTED = 130

    @staticmethod
    def worst(codes: Iterable[Exit]) -> Exit:
        """The one code that stands for several runs; 0 for none."""
        return min(codes, key=_WORST_FIRST.index, default=Exit.PASSED)


_WORST_FIRST = [
    Exit.NOT_HEALED,
    Exit.INTERRUPTED,
    Exit.INVALID,
    Exit.NO_SANDBOX,
    Exit.FAILED,
    Exit.INCONCLUSIVE,
    Exit.PASSED,
]


class ChaosError(Exception):
    """What went wrong in one sentence, and in `remedy` what to do next."""

    exit = Exit.INVALID

    def __init__(self, what: str, *, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what}\n  {self.remedy}" if self.remedy else self.what


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong in a file; lines and columns count from 1."""

    file: str
    line: int
    column: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.what}"


class InvalidExperiment(ChaosError):
    """The file is wrong; `problems` has every error in it, in the file's order."""

    exit = Exit.INVALID

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UsageError(ChaosError):
    """The command line names something that does not exist."""

    exit = Exit.INVALID


class Unsupported(ChaosError):
    """The experiment is well formed, but this machine or target cannot do what it asks."""

    exit = Exit.INCONCLUSIVE


class SandboxError(ChaosError):
    """The sandbox or target system would not start, or ended by itself."""

    exit = Exit.NO_SANDBOX


class Interrupted(ChaosError):
    """Ctrl-C or SIGTERM before anything was begun, so there is nothing to heal or to judge."""

    exit = Exit.INTERRUPTED


class FaultError(ChaosError):
    """Something about one fault."""

    exit = Exit.INCONCLUSIVE


class InjectFailed(FaultError):
    """The fault could not be put on."""


class HealFailed(FaultError):
    """The fault could not be taken off; `remedy` is what a person can type."""

    exit = Exit.NOT_HEALED
