"""How many samples a tolerance needs before it can be judged.

One rule for `validate`, which refuses phases that are too short, and for `judge`, which calls a verdict from fewer
inconclusive: there must be enough that a single bad sample cannot break a bound that the system keeps.
"""

from __future__ import annotations

import math

from chaos.metrics import metric
from chaos.units import Tolerance

SAMPLES_MIN = 20
_FOR_ALL_OR_NONE = 100  # a bound of 100% or 0% has no share to lose, so the usual rule gives no number
_FOR_A_VALUE = 3
_ROUNDING = 1e-6  # 1 / (1 - 0.95) is a hair above 20 in floating point


def needed(name: str, tolerance: Tolerance) -> int:
    """The number of samples that a tolerance on the metric `name` needs; ValueError for an unknown measure."""
    asked = metric(name)
    if asked.measure == "value":
        return _FOR_A_VALUE
    if asked.measure == "success_rate":
        # The share that the bound leaves over: failures for `>= 99%`, successes for `<= 1%`.
        bound = tolerance.bound / 100
        left = bound if tolerance.compare in ("<", "<=") else 1 - bound
        return _one_in(left) if left > 0 else _FOR_ALL_OR_NONE
    quantile = asked.quantile
    return SAMPLES_MIN if quantile is None else _one_in(1 - quantile)


def _one_in(share: float) -> int:
    return max(SAMPLES_MIN, math.ceil(1 / share - _ROUNDING))
