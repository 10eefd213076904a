"""Where a container is reached: by its peers, and from here. Pure: read from what the engine says of it.

Leaves out IPv6. Which of several networks a peer uses is not known: where one address must do, it is that on the
network that most of the project's containers share.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from chaos.errors import FaultError, Unsupported
from chaos.targets.docker.containers import Inspected
from chaos.targets.docker.engine import LOOPBACK

_EVERYWHERE = ("", "0.0.0.0", "::")


def networks_of(inspected: Inspected) -> dict[str, dict[str, Any]]:
    """The networks a container is on, by name."""
    return inspected["NetworkSettings"]["Networks"] or {}


def address_among(name: str, inspected: Inspected, others: Collection[Collection[str]]) -> str:
    """The address of a container on the network that most others are on; a fixed one also while it is down.

    `others` are the networks of each of them.
    """
    addresses = _addresses(name, inspected)
    return addresses[min(addresses, key=lambda each: (-sum(each in theirs for theirs in others), each))]


def addresses_of(name: str, inspected: Inspected) -> list[str]:
    """The addresses of a container on all its networks; fixed ones also while it is down. FaultError if it has none."""
    return list(_addresses(name, inspected).values())


def _addresses(name: str, inspected: Inspected) -> dict[str, str]:
    """Network → address, where it has one."""
    found = {}
    for network, endpoint in sorted(networks_of(inspected).items()):
        fixed = (endpoint.get("IPAMConfig") or {}).get("IPv4Address")
        if address := endpoint.get("IPAddress") or fixed:
            found[network] = str(address)
    if not found:
        raise FaultError(
            f"{name} has no address that its peers could be told apart by",
            remedy="start it, or give it a fixed one in the compose file (networks: … ipv4_address); it is on "
            + (", ".join(sorted(networks_of(inspected))) or "no network"),
        )
    return found


def address_from_here(name: str, inspected: Inspected, port: int, *, host: str, is_local: bool) -> str:
    """`host:port` that reaches a port of a container from this machine; `host` is the engine's.

    A published port wins, since it is there on every engine; raises Unsupported where there is no way in.
    """
    bindings = (inspected["NetworkSettings"].get("Ports") or {}).get(f"{port}/tcp") or []
    for binding in bindings:
        if binding["HostIp"] in _EVERYWHERE:
            return f"{host}:{binding['HostPort']}"
        if is_local or binding["HostIp"] == host:
            return f"{binding['HostIp']}:{binding['HostPort']}"
    if bindings:
        raise Unsupported(
            f"port {port} of {name} is published on {bindings[0]['HostIp']} of the engine's host {host} alone",
            remedy=f"publish it on an address that this machine reaches, as in `ports: ['{port}']`",
        )
    if is_local:
        if inspected["HostConfig"]["NetworkMode"] == "host":
            return f"{LOOPBACK}:{port}"
        for endpoint in networks_of(inspected).values():
            if endpoint.get("IPAddress"):
                return f"{endpoint['IPAddress']}:{port}"
    state = inspected["State"]["Status"]
    raise Unsupported(
        f"port {port} of {name} ({state}) cannot be reached from here",
        remedy=f"publish it in the compose file, as in `ports: ['127.0.0.1::{port}']`" if is_local else "publish it",
    )
