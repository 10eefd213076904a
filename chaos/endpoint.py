"""`SERVICE/PATH` or `SERVICE:PORT/PATH`, as in `load.http` and in http probes → the service, its port and the path.

Pure. Left out, the port is the one called http, or else the only one, unless its name says that it speaks something
else. Leaves out where that port is reached: that is for the target.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from chaos.system import System
from chaos.words import shown, suggest

_ENDPOINT = re.compile(r"(?P<service>[^:/]*)(?::(?P<port>[^/]*))?(?P<path>/.*)?", re.DOTALL)
_NOT_IN_A_PATH = re.compile(r"[\x00-\x20\x7f#]")
_HTTP = "http"


@dataclass(frozen=True)
class Endpoint:
    """A path on a port of a service."""

    service: str
    port: str  # its name in the manifest; in a system of a user's own that is its number
    path: str  # with its leading slash


def endpoint(text: str, system: System) -> Endpoint:
    """The endpoint that a text names; ValueError says what is wrong with it and what is allowed."""
    if re.match(r"[a-z]+://", text, re.IGNORECASE):
        raise ValueError(f"{shown(text)} is an address; write SERVICE/PATH or SERVICE:PORT/PATH")
    match = _ENDPOINT.fullmatch(text)
    assert match is not None  # every text fits, most of them with parts missing
    service, port, path = match["service"], match["port"], match["path"]
    if service in system.sets and service not in system.services:
        raise ValueError(f"{service} is a set; name one of its services: {', '.join(system.sets[service])}")
    if service not in system.services:
        raise ValueError(f"there is no service {service!r}{suggest(service, system.services)}")
    if path is None:
        raise ValueError(f"a path is missing; write {text}/PATH")
    if wrong := _NOT_IN_A_PATH.search(path):
        raise ValueError(f"a path cannot hold {shown(wrong[0])}; write %{ord(wrong[0]):02X} instead")
    return Endpoint(service, _port(service, port, system), path)


def _port(service: str, asked: str | None, system: System) -> str:
    ports = system.services[service].ports
    if asked is None:
        if _HTTP in ports:
            return _HTTP
        unnamed = [name for name in ports if name.isdecimal()]
        if len(ports) == len(unnamed) == 1:
            return unnamed[0]
        if len(unnamed) > 1:
            raise ValueError(f"{service} has several ports; write {service}:PORT/PATH with one of {', '.join(ports)}")
        able = [each for each, listed in system.services.items() if _HTTP in listed.ports]
        others = f"; allowed: {', '.join(able)}" if able else ""
        raise ValueError(f"{service} has no http port{others or _listed(system)}")
    found = next((name for name, number in ports.items() if asked in (name, str(number))), None)
    if found is None:
        allowed = dict.fromkeys([*ports, *map(str, ports.values())])
        raise ValueError(f"{service} has no port {asked!r}{suggest(asked, allowed) if ports else ''}{_listed(system)}")
    return found


def _listed(system: System) -> str:
    """Where ports are listed, for a system of a user's own: its compose file need not name those it listens on."""
    return "" if system.load is not None else "; list it under `expose` in the compose file"
