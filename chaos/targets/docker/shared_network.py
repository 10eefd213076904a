"""Whether a container has its network to itself: an agent treats the packets of everybody in the namespace.

Those who share it did not offer themselves with it. Leaves out namespaces that were joined behind the engine's back.
"""

from __future__ import annotations

from chaos.errors import Unsupported
from chaos.targets.docker.containers import Inspected, Project, is_offered
from chaos.targets.docker.helper_container import ROLE_LABEL

_JOINS = "container:"


def refuse_shared_network(project: Project, service: str, container: Inspected, *, owned: bool) -> None:
    """Raises Unsupported where packets of a container cannot be told from those of somebody who was not offered."""
    mode = container["HostConfig"]["NetworkMode"]
    if mode == "host" or mode.startswith(_JOINS):
        whose = "the engine's host" if mode == "host" else f"another container ({mode[:22]})"
        raise _refused(f"{service} uses the network of {whose}", service)
    for name in _guests(project, container["Id"], owned=owned):
        raise _refused(f"the container {name} uses the network of {service}, and is not offered for faults", service)


def _guests(project: Project, identity: str, *, owned: bool) -> list[str]:
    """Who joined a container's network and was not offered; agents of ours are no guests."""
    with project.engine.doing("list containers") as api:
        rows = api.containers()
    return [
        row["Names"][0].removeprefix("/")
        for row in rows
        if row["HostConfig"]["NetworkMode"] == f"{_JOINS}{identity}"
        and ROLE_LABEL not in row["Labels"]
        and not is_offered(row["Labels"])
        and not (owned and project.has(row["Labels"]))
    ]


def _refused(what: str, service: str) -> Unsupported:
    return Unsupported(
        f"{what}: its packets cannot be told from those of others",
        remedy=f"give {service} a network of its own, or leave network faults on it out",
    )
