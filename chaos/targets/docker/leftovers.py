"""Helper containers that an earlier run left behind, found by their labels, and their removal.

None should be there: they end with the run. But an engine that was restarted, or a run that is merely stopped, may
leave one.
"""

from __future__ import annotations

from dataclasses import dataclass

from chaos.targets.docker import helper_container
from chaos.targets.docker.engine import Engine
from chaos.targets.docker.helper_container import ROLE_LABEL, RUN_LABEL, TARGET_LABEL
from chaos.targets.docker.owner import OWNER_LABEL, Fate, fate


@dataclass(frozen=True)
class Leftover:
    """A helper container that is there."""

    identity: str
    role: str
    run: str
    target: str
    state: str  # the engine's word: running, created, exited …
    fate: Fate  # of the process that made it


def leftovers(engine: Engine, run: str | None) -> list[Leftover]:
    """The helper containers of a run, or of every run; those of a run that is still going on are among them."""
    labels = [ROLE_LABEL, RUN_LABEL if run is None else f"{RUN_LABEL}={run}"]
    with engine.doing("list helper containers") as api:
        rows = api.containers(all=True, filters={"label": labels})
    return [
        Leftover(
            row["Id"],
            row["Labels"][ROLE_LABEL],
            row["Labels"][RUN_LABEL],
            row["Labels"].get(TARGET_LABEL, ""),
            row["State"],
            fate(row["Labels"].get(OWNER_LABEL, "")),
        )
        for row in rows
    ]


def remove(engine: Engine, left: Leftover) -> None:
    """Ends and removes one; its rules go with it. Harmless when it is gone."""
    helper_container.remove(engine, left.identity)
