"""A compose project with a beginning and an end: the shop that a run brings up, or a project that runs already.

The shop is brought up by the compose program and taken down with all its data; a project of the user's own is only
looked at, and must be running. Leaves out what can be done to containers: that is `compose`.
"""

from __future__ import annotations

import hashlib
import ipaddress
import random
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from chaos.errors import ChaosError, SandboxError, UsageError
from chaos.targets.compose import ComposeTarget
from chaos.targets.compose_cli import compose
from chaos.targets.docker.containers import Project
from chaos.targets.docker.engine import Engine, connect
from chaos.targets.order import Order

_BUILD_WITHIN_S = 900.0  # the first time, with everything to be downloaded
_READY_WITHIN_S = 60.0
_DOWN_WITHIN_S = 60.0
_ASK_EVERY_S = 0.1
_LOG_LINES_SHOWN = 15
_NET_TRIES = 5
_NET_TAKEN = "Pool overlaps"  # the engine's words, in every version so far
_NETS = [f"198.18.{number}" for number in range(201, 256)]  # 198.18.0.0/15 is set aside for benchmarking


def open_target(order: Order) -> ComposeSandbox:
    """The target of a run on Docker, from what the run's folder says of it; starts nothing."""
    assert order.compose is not None
    return ComposeSandbox(order, connect())


class ComposeSandbox(ComposeTarget):
    """A project as the conductor sees it."""

    def __init__(self, order: Order, engine: Engine) -> None:
        assert order.compose is not None
        self._order, self._compose = order, order.compose
        super().__init__(
            order.terrain,
            Project(engine, order.compose.project),
            run=order.run,
            allowed=order.compose.owned,
            logs=order.folder / "logs",
        )
        self._done: frozenset[str] = frozenset()

    def up(self, *, interrupted: Callable[[], bool]) -> None:
        """Brings the shop up, or looks whether the user's project runs; returns once every service serves.

        Raises SandboxError with a service's last log lines where one does not.
        """
        if self._compose.ours:
            self._begin(interrupted)
            if self.terrain.system.proxy is not None and not interrupted():
                self.open_proxies()  # whoever is to call through them connects as soon as it starts
        else:
            self._done = frozenset(filter(self._has_done_its_work, super().ended()))
            if ended := self.ended():
                raise SandboxError(
                    f"of the project {self._compose.project} these do not run: {', '.join(ended)}",
                    remedy=f"docker compose -p {self._compose.project} -f {self._compose.file} up -d",
                )
        deadline = time.monotonic() + _READY_WITHIN_S
        while (waiting := self._waiting()) and not interrupted():
            for name in self.ended().keys() & set(waiting):
                raise SandboxError(
                    f"{name} ended while the shop came up:\n{self._said(name)}", remedy="its log is above"
                )
            if time.monotonic() > deadline:
                raise SandboxError(
                    f"{waiting[0]} was not ready within {_READY_WITHIN_S:.0f} s:\n{self._said(waiting[0])}",
                    remedy="`chaos doctor`; is the machine busy?",
                )
            time.sleep(_ASK_EVERY_S)

    def down(self) -> None:
        """Ends the agents, and the shop with its data; a user's own project stays."""
        super().down()
        if self._compose.ours:
            self._keep_logs()
            self._run("down", "-v", "--remove-orphans", "-t", "0", within_s=_DOWN_WITHIN_S)

    def ended(self) -> dict[str, int]:
        """As a target says, but for those that had done their work before the run."""
        return {name: code for name, code in super().ended().items() if name not in self._done}

    def unready(self) -> list[str]:
        """As a target says, but for those that had done their work before the run.

        Of a user's project also containers that came during the run: they were not there when the targets were chosen,
        and may have carried what was meant to be broken.
        """
        known = {*self.terrain.system.services, *self._done}
        came = [] if self._compose.ours else [name for name in self._project.running() if name not in known]
        return [*self._waiting(), *(f"{name} (which came during the run)" for name in came)]

    def _waiting(self) -> list[str]:
        return [name for name in super().unready() if name not in self._done]

    def _begin(self, interrupted: Callable[[], bool]) -> None:
        """Starts all services. Its network was free when it was looked for; another run may have been quicker."""
        for tries_left in reversed(range(_NET_TRIES)):
            try:
                self._run("up", "-d", within_s=_BUILD_WITHIN_S, interrupted=interrupted)
            except SandboxError as error:
                if _NET_TAKEN not in error.what or not tries_left:
                    raise
                environment = {**self._compose.environment, "SHOP_NET": _free_net(self._engine)}
                self._compose = replace(self._compose, environment=environment)
            else:
                return

    def _has_done_its_work(self, name: str) -> bool:
        """Whether it is a job that went well, such as a migration, and that nobody wants to be started again."""
        try:
            container = self._project.find(name)
        except UsageError:  # it was never brought up
            return False
        if container is None:
            return False
        state, restarts = container["State"], container["HostConfig"].get("RestartPolicy") or {}
        went_well = state["Status"] == "exited" and state["ExitCode"] == 0
        return went_well and restarts.get("Name") not in ("always", "unless-stopped")

    def _run(self, *words: str, within_s: float, interrupted: Callable[[], bool] = lambda: False) -> None:
        log = self._order.folder / "logs" / "compose.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        compose(
            self._compose.file,
            self._compose.project,
            words,
            # The program goes by contexts too: it shall not meet another engine than we do.
            environment={**self._compose.environment, "DOCKER_HOST": self._engine.address},
            log=log,
            within_s=within_s,
            interrupted=interrupted,
        )

    def _said(self, name: str) -> str:
        return self.log(name, lines=_LOG_LINES_SHOWN)

    def _keep_logs(self) -> None:
        """What the services wrote goes into the run's folder before their containers are removed, if it can."""
        for name in self.terrain.system.services:
            with suppress(ChaosError, OSError):  # never begun, for one, or the folder was removed
                (self._order.folder / "logs" / f"{name}.log").write_text(self.log(name))


def shop_environment(engine: Engine, run: str, weak: Iterable[str], code: Path) -> dict[str, str]:
    """What compose.sandbox.yml is filled in with: a network and a port that are free, and images of this very code."""
    return {
        "CHAOS_RUN": run,
        "SHOP_NET": _free_net(engine),
        "SHOP_PORT": str(_free_port()),
        "SHOP_WEAK": ",".join(weak),
        "SHOP_IMAGE_TAG": _digest(code),
        "SHOP_HEALTH_INTERVAL": "60s",  # we ask by ourselves, and each check of the engine costs CPU
    }


def _free_net(engine: Engine) -> str:
    """A network that none on the engine overlaps, drawn, so that runs begun together seldom want the same."""
    taken = engine.subnets()
    free = [net for net in _NETS if not any(_network(net).overlaps(each) for each in taken)]
    if not free:
        raise SandboxError(
            "no network of 198.18.201.0 to 198.18.255.0 is free", remedy="docker network ls; remove some"
        )
    return random.choice(free)


def _network(prefix: str) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network(f"{prefix}.0/24")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def _digest(folder: Path) -> str:
    """Names the images after what is in them, so that new code is built, and only that."""
    total = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            total.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes())
    return total.hexdigest()[:12]
