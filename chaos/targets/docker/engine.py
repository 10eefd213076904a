"""How a Docker engine is reached, and the one place where its errors and those of its SDK become ours.

The engine is the one that DOCKER_HOST names, or else this machine's. Every call has a time limit, and the version of
the protocol is negotiated. Leaves out contexts of the docker command line, and ssh:// (a tunnel does: see the remedy).
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from requests.exceptions import RequestException, Timeout
from urllib3.exceptions import HTTPError

import docker
from chaos.errors import ChaosError, FaultError, SandboxError, Unsupported
from docker.errors import APIError, DockerException
from docker.utils import kwargs_from_env

CALL_WITHIN_S = 10.0
LOOPBACK = "127.0.0.1"
_SOCKET = "unix:///var/run/docker.sock"


class Refused(FaultError):
    """The engine is there and said no; `status` is that of HTTP: 404 no such thing, 409 not in this state."""

    def __init__(self, what: str, status: int) -> None:
        super().__init__(what, remedy="`docker ps -a` shows what is there")
        self.status = status


class Engine:
    """A Docker engine that answered; see `connect`."""

    def __init__(self, api: Any, address: str) -> None:
        self._api = api
        self.address = address

    @property
    def host(self) -> str:
        """The host at which ports are found that the engine publishes on all addresses."""
        if self.address.startswith("unix:"):
            return LOOPBACK
        return urlsplit(self.address).hostname or LOOPBACK

    @property
    def is_local(self) -> bool:
        """Whether it runs here, as far as its address tells: what it publishes on loopback is then reachable."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @contextmanager
    def doing(self, what: str) -> Iterator[Any]:
        """The SDK's low-level client, for one thing, named as in `stop web`; errors in there become a FaultError.

        A refusal of the engine becomes a Refused.
        """
        try:
            yield self._api
        except APIError as error:
            why = error.explanation or str(error)
            status = error.response.status_code if error.response is not None else 500
            raise Refused(f"the Docker engine would not {what}: {why}", status) from error
        except (DockerException, RequestException, HTTPError, OSError) as error:
            late = isinstance(error, Timeout) or any(isinstance(each, TimeoutError) for each in causes(error))
            why = f"it did not answer within {CALL_WITHIN_S:g} s" if late else f"it is gone ({causes(error)[-1]})"
            raise FaultError(
                f"the Docker engine at {self.address} could not {what}: {why}",
                remedy="`docker info` says whether it answers; `chaos heal` undoes what was on once it does",
            ) from error

    def subnets(self) -> list[ipaddress.IPv4Network]:
        """The IPv4 ranges of all networks on the engine."""
        with self.doing("list networks") as api:
            networks = api.networks()
        ranges = [
            each["Subnet"] for network in networks for each in network["IPAM"]["Config"] or [] if "Subnet" in each
        ]
        return [ipaddress.IPv4Network(each) for each in ranges if ":" not in each]

    def known_by(self) -> list[str]:
        """Its id and its host's name: whoever has neither is another engine. One of them may change by itself."""
        with self.doing("say who it is") as api:
            told = api.info()
        return [str(told[key]) for key in ("ID", "Name") if told.get(key)]

    def close(self) -> None:
        """Closes the connections; streams that are open stay so."""
        self._api.close()


def connect() -> Engine:
    """The engine of this environment. Raises SandboxError where none answers, Unsupported for an address of no use."""
    address = os.environ.get("DOCKER_HOST") or _SOCKET
    if address.startswith("ssh://"):
        host = urlsplit(address).hostname
        raise Unsupported(
            f"DOCKER_HOST is {address}: agents cannot be attached over ssh://",
            remedy=f"ssh -nNT -L 127.0.0.1:2375:/var/run/docker.sock {host} & export DOCKER_HOST=tcp://127.0.0.1:2375",
        )
    try:
        api = docker.APIClient(version="auto", timeout=CALL_WITHIN_S, **kwargs_from_env())
    except (DockerException, RequestException, HTTPError, OSError) as error:
        raise _unreachable(address, error) from error
    return Engine(api, address)


def causes(error: BaseException) -> list[BaseException]:
    """An error and those it came of, the first cause last: the SDK and its libraries wrap them several times."""
    found = [error]
    while (cause := found[-1].__cause__ or found[-1].__context__) is not None and cause not in found:
        found.append(cause)
    return found


def _unreachable(address: str, error: BaseException) -> ChaosError:
    came_of = causes(error)
    if any(isinstance(each, PermissionError) for each in came_of):
        return SandboxError(
            f"no permission to use the Docker engine at {address}",
            remedy="add yourself to the group of its socket (`sudo usermod -aG docker $USER`) and log in again",
        )
    named = "DOCKER_HOST names it" if os.environ.get("DOCKER_HOST") else "DOCKER_HOST is not set"
    return SandboxError(
        f"no Docker engine answers at {address}: {came_of[-1]}",
        remedy=f"start it (`sudo systemctl start docker`, or `sudo dockerd`) or name another one; {named}",
    )
