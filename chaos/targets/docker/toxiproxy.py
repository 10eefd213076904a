"""The control API of a Toxiproxy, driven through toxiproxy-python: the only file that imports it.

The package (0.1.1) keeps host and port on a class, so that two servers would get in each other's way, waits for ever,
and takes a reply of 5xx for a yes. All three are mended here: calls are made one at a time, each under its own server,
with a time limit, and its status looked at. Errors become FaultError.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests
import toxiproxy.proxy
import toxiproxy.server
from toxiproxy.api import APIConsumer
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

from chaos.errors import FaultError
from chaos.targets.base import LinkState, Toxic

CALL_WITHIN_S = 3.0  # removing a toxic under load can dead-lock the server: then no call on that proxy ever returns
_ONE_SERVER_AT_A_TIME = threading.Lock()


class Hung(FaultError):
    """The server runs, but did not answer in time."""


class _Consumer(APIConsumer):  # type: ignore[misc]  # the package has no types
    """The package's way of asking, with a time limit, and with no status above 399 taken for a yes."""

    @classmethod
    def get(cls, url: str, params: Any = None, **kwargs: Any) -> Any:
        return _checked(super().get(url, params=params, timeout=CALL_WITHIN_S, **kwargs))

    @classmethod
    def post(cls, url: str, data: Any = None, json: Any = None, **kwargs: Any) -> Any:
        return _checked(super().post(url, data=data, json=json, timeout=CALL_WITHIN_S, **kwargs))

    @classmethod
    def delete(cls, url: str, **kwargs: Any) -> Any:
        return _checked(super().delete(url, timeout=CALL_WITHIN_S, **kwargs))


def _checked(reply: requests.Response) -> requests.Response:
    if not reply.ok:
        raise requests.HTTPError(f"status {reply.status_code}: {reply.text.strip()}", response=reply)
    return reply


# Its classes look the way of asking up in their own modules.
toxiproxy.proxy.APIConsumer = toxiproxy.server.APIConsumer = _Consumer


class ToxiproxyApi:
    """One Toxiproxy server; `address` is host:port of its control API."""

    def __init__(self, address: str) -> None:
        self._host, _, port = address.rpartition(":")
        self._port = int(port)

    def proxies(self) -> dict[str, LinkState]:
        """Every proxy with its toxics, by name."""
        with self._asked("list its proxies") as server:
            return {name: self._state(proxy) for name, proxy in server.proxies().items()}

    def create(self, name: str, *, listen: str, upstream: str) -> None:
        """Makes a proxy; harmless when there is one of that name."""
        with self._asked(f"make the proxy {name}") as server:
            try:
                server.create(upstream, name, listen=listen, enabled=True)
            except ProxyExists:
                return

    def add(self, proxy: str, toxic: Toxic) -> None:
        """Puts a toxic on a proxy."""
        with self._asked(f"put {toxic.kind} on {proxy}") as server:
            _existing(server, proxy).add_toxic(
                type=toxic.kind,
                name=toxic.name,
                stream=toxic.stream,
                toxicity=toxic.toxicity,
                attributes=dict(toxic.attributes),
            )

    def remove(self, proxy: str, toxic: str) -> None:
        """Takes a toxic off; harmless when it or its proxy is not there."""
        with self._asked(f"take {toxic} off {proxy}") as server:
            try:
                _existing(server, proxy).destroy_toxic(toxic)
            except NotFound:
                return

    def enable(self, proxy: str, enabled: bool) -> None:
        """Opens or closes a proxy's listener."""
        with self._asked(f"{'open' if enabled else 'close'} {proxy}") as server:
            found = _existing(server, proxy)
            found.enable() if enabled else found.disable()

    @contextmanager
    def _asked(self, what: str) -> Iterator[Any]:
        """The package's server object, meaning this server while the context lasts; its errors become ours."""
        where = f"the Toxiproxy at {self._host}:{self._port}"
        with _ONE_SERVER_AT_A_TIME:
            server = toxiproxy.server.Toxiproxy()
            _Consumer.host, _Consumer.port = self._host, self._port
            try:
                yield server
            except requests.Timeout as error:
                raise Hung(
                    f"{where} did not {what} within {CALL_WITHIN_S:g} s",
                    remedy="restart its container: that takes every toxic off",
                ) from error
            except (InvalidToxic, NotFound, ProxyExists) as error:
                said = error.args[0] if error.args else error
                text = said.decode(errors="replace").strip() if isinstance(said, bytes) else str(said)
                raise FaultError(f"{where} would not {what}: {text}") from error
            except (requests.RequestException, ValueError) as error:
                raise FaultError(f"{where} could not {what}: {error}") from error

    @staticmethod
    def _state(proxy: Any) -> LinkState:
        toxics = tuple(_toxic(vars(toxic)) for toxic in proxy.toxics().values())
        return LinkState(proxy.name, proxy.listen, proxy.upstream, bool(proxy.enabled), toxics)


def _existing(server: Any, name: str) -> Any:
    proxy = server.get_proxy(name)
    if proxy is None:
        raise NotFound(f"there is no proxy {name}")
    return proxy


def _toxic(fields: Mapping[str, Any]) -> Toxic:
    return Toxic(
        fields["name"], fields["type"], fields["stream"], float(fields["toxicity"]), dict(fields["attributes"])
    )
