"""A user's own compose file → the system under test: its services, their ports, their replicas.

Read as plain YAML, so that an experiment is checked without any engine. What only `docker compose` can resolve
(`include`, `extends`, variables) is not resolved here: at a run, what really runs is added by its labels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from chaos.model import ComposeProject
from chaos.system import Database, Proxy, Ready, Service, System

_PORTS = re.compile(r"(?:^|:)(\d{1,5})(?:-(\d{1,5}))?(?:/tcp)?$")  # the last part of HOST:PUBLISHED:PORTS
_RANGE_MAX = 1_000  # ports; more of them are hardly asked for one by one
_REPLICAS_MAX = 1_000
_NO_COMMAND = ["true"]  # its containers are started by whoever owns them


class NotACompose(ValueError):
    """The file cannot be read, or holds no services."""


def own_system(file: Path, wanted: ComposeProject, running: Mapping[str, Sequence[str]] | None = None) -> System:
    """The system that a compose file describes; `running` names the containers each service really has.

    A service with several containers is a set, whose members are called SERVICE-1, SERVICE-2 …; every other one is a
    service, and the set that holds it alone. One of a profile that is not up is left out. Raises NotACompose.
    """
    described = _services(file)
    running = running or {}
    services: dict[str, Service] = {}
    sets: dict[str, list[str]] = {}
    for name in dict.fromkeys([*described, *running]):
        entry = described.get(name, {})
        if running and name not in running and _optional(entry):
            continue
        members = sets[name] = list(running.get(name, ())) or _replicas(name, entry)
        for member in members:
            if member in services:
                raise NotACompose(f"{member} names a service and a replica of another; call one of them otherwise")
            services[member] = Service(
                command=_NO_COMMAND, ports=_ports(entry), ready=Ready(), role=str(entry.get("image", ""))
            )
    login = wanted.database
    return System(
        name=wanted.project,
        services=services,
        sets=sets,
        proxy=Proxy(service=wanted.toxiproxy) if wanted.toxiproxy else None,
        database=Database(name=login.name, user=login.user, password_from=login.password_from) if login else None,
    )


def _services(file: Path) -> dict[str, dict[str, object]]:
    try:
        document = yaml.load(file.read_text(), Loader=_Loader)
    except OSError as error:
        raise NotACompose(f"{file} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise NotACompose(f"{file} is not YAML: {' '.join(str(error).split())}") from error
    if isinstance(document, dict) and "include" in document:
        whole = f"docker compose -f {file.name} config > resolved.yml"
        raise NotACompose(f"{file} includes other files, which are not read here; name what `{whole}` writes")
    services = document.get("services") if isinstance(document, dict) else None
    if not isinstance(services, dict) or not services:
        raise NotACompose(f"{file} has no services, so it is no compose file")
    return {str(name): entry if isinstance(entry, dict) else {} for name, entry in services.items()}


def _optional(entry: Mapping[str, object]) -> bool:
    """Whether a project is whole without it: it belongs to a profile, or is to have no container."""
    return bool(entry.get("profiles")) or _count(entry) == 0


def _replicas(name: str, entry: Mapping[str, object]) -> list[str]:
    """What its containers are called, when there are as many as the file says."""
    count = _count(entry)
    return [name] if count < 2 else [f"{name}-{number}" for number in range(1, count + 1)]


def _count(entry: Mapping[str, object]) -> int:
    deploy = entry.get("deploy")
    wanted = entry.get("scale", deploy.get("replicas") if isinstance(deploy, dict) else None)
    if not isinstance(wanted, int):
        return 1
    if wanted > _REPLICAS_MAX:
        raise NotACompose(f"{wanted} containers of one service are too many; allowed: at most {_REPLICAS_MAX}")
    return wanted


def _ports(entry: Mapping[str, object]) -> dict[str, int]:
    """The TCP ports that its file names, called by their numbers; a service may listen on others as well."""
    found: dict[str, int] = {}
    for key in ("ports", "expose"):
        listed = entry.get(key)
        for each in listed if isinstance(listed, list) else []:
            text = f"{each.get('target')}/{each.get('protocol', 'tcp')}" if isinstance(each, dict) else str(each)
            if match := _PORTS.search(text):
                first = int(match[1])
                last = int(match[2] or first)
                found |= {str(port): port for port in range(first, min(last, first + _RANGE_MAX) + 1)}
    return found


class _Loader(yaml.SafeLoader):
    """Leaves out what compose's own tags (`!reset`, `!override`) say of a value, and takes the value as it stands."""


def _value(loader: _Loader, tag: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


_Loader.add_multi_constructor("!", _value)
