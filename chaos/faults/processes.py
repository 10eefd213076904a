"""What the process faults share: how they count."""

from __future__ import annotations


def count(processes: int) -> str:
    """`1 process`, `7 processes`."""
    return f"{processes} process" + ("" if processes == 1 else "es")
