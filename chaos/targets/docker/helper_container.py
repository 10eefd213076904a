"""A container of ours beside a target: joins one of its namespaces, has few rights, is small, and is gone when it ends.

Its standard input is ours alone (StdinOnce): when this process ends, however it ends, the engine closes it. A label
holds the run's id, so that whatever is left can be found. Never privileged; the target's own image is not touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chaos.errors import FaultError
from chaos.targets.docker.engine import Engine, Refused
from chaos.targets.docker.owner import OWNER_LABEL, owner
from chaos.targets.docker.stream import Stream

RUN_LABEL = "chaos.run"
ROLE_LABEL = "chaos.role"
TARGET_LABEL = "chaos.target"
_MEMORY = "128m"  # an agent needs 20 MB, and what it holds back of packets
_PROCESSES_MAX = 16
# Longer than any fault that an agent takes on. It ends with our connection; this is for when we are stopped for good.
_LIFE_S = 25 * 3600


@dataclass(frozen=True)
class Helper:
    """What is to be started, and beside whom."""

    image: str
    argv: Sequence[str]
    role: str  # a word for people, and for finding it again
    run: str  # the id of the run
    target: str  # the name of the service's container, for people
    joins: Mapping[str, str]  # network_mode or pid_mode, each with `container:ID`
    rights: Sequence[str]  # the only capabilities it has


def start(engine: Engine, helper: Helper) -> tuple[str, Stream]:
    """Starts it, and returns its id and its streams; raises FaultError, and leaves nothing, where it cannot be."""
    with engine.doing(f"make the {helper.role} of {helper.target}") as api:
        identity: str = api.create_container(
            helper.image,
            ["timeout", "-s", "KILL", str(_LIFE_S), *helper.argv],
            stdin_open=True,
            detach=False,  # with standard input open this sets StdinOnce, on which the undoing rests
            labels={
                ROLE_LABEL: helper.role,
                RUN_LABEL: helper.run,
                TARGET_LABEL: helper.target,
                OWNER_LABEL: owner(),
            },
            host_config=_host_config(api, helper),
        )["Id"]
    try:
        with engine.doing(f"start the {helper.role} of {helper.target}") as api:
            if not api.inspect_container(identity)["Config"]["StdinOnce"]:
                raise FaultError(
                    f"the {helper.role} of {helper.target} would outlive this run: the engine did not set StdinOnce",
                    remedy="use a Docker engine of 20.10 or later",
                )
            attached = api.attach_socket(identity, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
            stream = Stream(attached)
            try:
                api.start(identity)
            except BaseException:
                stream.close()
                raise
    except BaseException:
        remove(engine, identity)
        raise
    return identity, stream


def remove(engine: Engine, identity: str) -> None:
    """Ends and removes a container of ours; harmless when it is gone, or about to be."""
    try:
        with engine.doing("remove a helper container") as api:
            api.remove_container(identity, force=True, v=True)
    except Refused as refused:
        if refused.status not in (404, 409):  # gone, or being removed at this moment
            raise


def _host_config(api: Any, helper: Helper) -> Any:
    return api.create_host_config(
        **helper.joins,
        **({} if "network_mode" in helper.joins else {"network_mode": "none"}),
        auto_remove=True,
        cap_drop=["ALL"],
        cap_add=list(helper.rights),
        security_opt=["no-new-privileges"],
        read_only=True,
        mem_limit=_MEMORY,
        memswap_limit=_MEMORY,
        pids_limit=_PROCESSES_MAX,
        log_config={"type": "none"},
    )
