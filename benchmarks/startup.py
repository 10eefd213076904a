"""How long the commands take that people and editors wait for, against `python -c pass` in the same run.

Runs everything interleaved, so that a busy moment hits all alike, and compares medians. Exits with 1 where a ratio
is above its limit. The files' names may be given as arguments; the stock experiments are checked otherwise.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_ROUNDS = 21
_LIMITS = {"chaos --version": 12.0, "chaos check FILE": 25.0}


def main() -> int:
    """Prints the table; 1 where a limit is missed."""
    experiment = sys.argv[1] if len(sys.argv) > 1 else str(_ROOT / "experiments" / "payment-refused.yaml")
    commands = {
        "python -c pass": ["-c", "pass"],
        "chaos --version": ["-m", "chaos", "--version"],
        "chaos check FILE": ["-m", "chaos", "check", experiment],
    }
    took: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(_ROUNDS):
        for name, arguments in commands.items():
            took[name].append(_seconds(arguments))
    base = statistics.median(took["python -c pass"])
    sys.stdout.write(f"{'command':<18} {'median':>9} {'fastest':>9} {'ratio':>7} {'limit':>7}\n")
    missed = False
    for name, seconds in took.items():
        median, ratio, limit = statistics.median(seconds), statistics.median(seconds) / base, _LIMITS.get(name)
        missed |= limit is not None and ratio > limit
        row = f"{name:<18} {median * 1e3:>6.1f} ms {min(seconds) * 1e3:>6.1f} ms {ratio:>6.1f}x"
        sys.stdout.write(row + (f" {limit:>6.0f}x\n" if limit is not None else "\n"))
    return int(missed)


def _seconds(arguments: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        timeout=60,
    )
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
