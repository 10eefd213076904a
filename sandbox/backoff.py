"""How long to wait before trying again: doubling, bounded, and with jitter so that callers do not return in step."""

import random


def delay_s(tries: int, *, first_s: float, longest_s: float) -> float:
    """The wait after `tries` failed tries (1 or more), in seconds: half to all of `first_s` doubled for each further
    try.
    """
    assert tries >= 1, tries
    # The exponent is bounded because 2.0**2000 does not fit a float, and an outbox row may well be tried that often.
    bound_s = min(longest_s, first_s * 2.0 ** min(tries - 1, 32))
    return random.uniform(bound_s / 2, bound_s)
