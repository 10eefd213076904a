"""How far a count of random events may stray: the exact binomial interval."""

import math


def interval(trials: int, probability: float, confidence: float) -> tuple[int, int]:
    """The least and most of `trials` that count; each tail beyond has at most half of what `confidence` leaves."""
    tail = (1 - confidence) / 2
    return _quantile(trials, probability, tail), _quantile(trials, probability, 1 - tail)


def _quantile(trials: int, probability: float, share: float) -> int:
    below = 0.0
    for count in range(trials + 1):
        below += math.exp(
            math.lgamma(trials + 1)
            - math.lgamma(count + 1)
            - math.lgamma(trials - count + 1)
            + count * math.log(probability)
            + (trials - count) * math.log1p(-probability)
        )
        if below >= share:
            return count
    return trials
