"""Which seed a run uses: the one asked for, else the experiment's, else one drawn from the operating system.

Apart from `plan`, so that the plan stays pure. Whatever is drawn is recorded with the run.
"""

from __future__ import annotations

import secrets

from chaos.model import Experiment

_DRAWN_BITS = 32


def seed_for(experiment: Experiment, asked: int | None) -> int:
    """The seed of a run of this experiment; `asked` is the command line's."""
    for seed in (asked, experiment.seed):
        if seed is not None:
            return seed
    return secrets.randbits(_DRAWN_BITS)
