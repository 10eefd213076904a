"""The proxies that stand in front of services, found by the service that is called.

The shop's manifest lists a listener per service called, and those proxies are made over the API. For a system without
such a list, the proxies are those that the Toxiproxy has itself, told apart by the host they lead to.
"""

from __future__ import annotations

import time
from typing import Any

from chaos.errors import FaultError, SandboxError, Unsupported
from chaos.system import Proxy, System
from chaos.targets.base import LinkState, Processes, Toxic
from chaos.targets.docker.addresses import address_from_here, networks_of
from chaos.targets.docker.containers import Project
from chaos.targets.docker.toxiproxy import Hung, ToxiproxyApi

_ANSWERS_WITHIN_S = 10.0
_ASK_EVERY_S = 0.05


class Links:
    """The Toxiproxy of a project. `processes` is the project too: it does nothing to what was not offered."""

    def __init__(self, project: Project, system: System, processes: Processes) -> None:
        if system.proxy is None:
            raise Unsupported(
                f"no Toxiproxy stands in project {project.name}, as far as is known",
                remedy="name its service: `sandbox: {compose: …, project: …, toxiproxy: SERVICE}`",
            )
        self._project, self._system, self._processes = project, system, processes
        self._proxy: Proxy = system.proxy

    def populate(self) -> None:
        """Makes the proxies of the manifest that are not there; waits for the API to answer. Twice is harmless.

        For when a sandbox comes up: services connect through them at once. Raises SandboxError where it never answers.
        """
        deadline = time.monotonic() + _ANSWERS_WITHIN_S
        while True:
            try:
                self._make_missing()
                return
            except (FaultError, Unsupported) as error:
                if time.monotonic() > deadline:
                    raise SandboxError(
                        f"the Toxiproxy {self._proxy.service} has no proxies: {error.what}",
                        remedy=f"`docker compose -p {self._project.name} logs {self._proxy.service}`",
                    ) from error
            time.sleep(_ASK_EVERY_S)

    def link(self, service: str) -> ServiceLink:
        """The proxy through which a service is called; raises FaultError where there is none, or several."""
        if self._proxy.listeners:
            if service not in self._proxy.listeners:
                raise FaultError(
                    f"no proxy leads to {service}", remedy=f"one leads to each of {', '.join(self._proxy.listeners)}"
                )
            return ServiceLink(self, service)
        found = self.api().proxies().values()
        names = [state.name for state in found if state.upstream.rpartition(":")[0] == service]
        if len(names) != 1:
            others = ", ".join(f"{state.name} to {state.upstream}" for state in found) or "none"
            what = f"{len(names)} proxies of {self._proxy.service} lead to {service}"
            raise FaultError(f"{what}, where one is needed", remedy=f"it has these: {others}")
        return ServiceLink(self, names[0])

    def api(self) -> ToxiproxyApi:
        """Its control API, looked up anew: a port that is published anywhere changes with each start."""
        return ToxiproxyApi(self._address(self._proxy.api))

    def doors(self, port: int) -> list[str]:
        """Ways from here to a port of the Toxiproxy, the most direct one first.

        What the engine publishes goes through a relay of its own, which turns refusals and resets into plain ends.
        """
        container = self._container()
        doors = [self._address(port, container)]
        if self._project.engine.is_local:
            addresses = [each["IPAddress"] for each in networks_of(container).values() if each.get("IPAddress")]
            doors = [*(f"{address}:{port}" for address in addresses), *doors]
        return list(dict.fromkeys(doors))

    def state(self, name: str) -> LinkState:
        """A proxy as it is now; one of the manifest's that is not there is made."""
        if (found := self.api().proxies().get(name)) is None:
            self._make_missing()
            found = self.api().proxies().get(name)
        if found is None:
            raise FaultError(
                f"the Toxiproxy {self._proxy.service} has no proxy {name} any more",
                remedy="it was started again: make its proxies as they were made before",
            )
        return found

    def restart(self) -> None:
        """Kills and starts the Toxiproxy: then it has no toxic, and the proxies of the manifest or its own file."""
        self._processes.kill(self._proxy.service)
        self._processes.start(self._proxy.service)
        self.populate()

    def _make_missing(self) -> None:
        api = self.api()
        there = api.proxies()
        for service, listener in self._proxy.listeners.items():
            if service not in there:
                port = self._system.services[service].ports[listener.port]
                api.create(service, listen=f"0.0.0.0:{listener.listen}", upstream=f"{service}:{port}")

    def _container(self) -> Any:
        return self._project.container(self._proxy.service)

    def _address(self, port: int, container: Any = None) -> str:
        engine = self._project.engine
        found = container or self._container()
        return address_from_here(self._proxy.service, found, port, host=engine.host, is_local=engine.is_local)


class ServiceLink:
    """The proxy through which one service is called; see targets/base.py for the contract."""

    def __init__(self, links: Links, name: str) -> None:
        self._links, self._name = links, name

    def state(self) -> LinkState:
        """What is on now."""
        return self._links.state(self._name)

    def add(self, toxic: Toxic) -> None:
        """Puts a toxic on."""
        self._links.api().add(self._name, toxic)

    def remove(self, name: str) -> None:
        """Takes a toxic off. That can dead-lock the Toxiproxy for good, and only a fresh one is free of it then."""
        try:
            self._links.api().remove(self._name, name)
        except Hung:
            self._links.restart()

    def enable(self, enabled: bool) -> None:
        """Opens or closes the listener."""
        self._links.api().enable(self._name, enabled)

    def doors(self) -> list[str]:
        """Ways to the listener from here."""
        return self._links.doors(int(self.state().listen.rpartition(":")[2]))
