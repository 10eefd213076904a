"""Where an experiment is played: in the embedded sandbox, on the shop in containers, or on a user's own project.

Finds out what that place offers, and refuses before anything is begun what it does not. Leaves out bringing it up.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from chaos.errors import SandboxError, UsageError
from chaos.kind import Kind
from chaos.model import CommandProbe, ComposeProject
from chaos.plan import Plan
from chaos.shipped import load_system, shop_folder
from chaos.system import System
from chaos.systems import compose_path, own_project, system_of
from chaos.targets.base import Capability, Refusal
from chaos.targets.machine import survey, terrain
from chaos.targets.order import Compose
from chaos.words import suggest

Missing = Callable[[Collection[Capability]], Mapping[Capability, Refusal]]
"""Which of some capabilities a place lacks; asked for those that are needed, since finding out takes time."""


@dataclass(frozen=True)
class Site:
    """A place to play an experiment."""

    run: str  # tells what this run starts from what others do
    system: System
    missing: Missing
    namespaces: bool = False  # of the embedded sandbox
    compose: Compose | None = None


def find_site(path: Path, kind: Kind | None, owned: Collection[str]) -> Site:
    """The place that an experiment file and the command line ask for; `owned` are projects the user calls theirs.

    Raises InvalidExperiment, UsageError, and SandboxError where an engine or a project does not answer.
    """
    run = f"chaos-{secrets.token_hex(4)}"
    own = own_project(path)
    if own is not None:
        if kind is Kind.EMBEDDED:
            raise UsageError(
                f"{path} is about the compose project {own.project}", remedy="leave out --sandbox embedded"
            )
        return _own(run, path, own, own.project in owned)
    if kind is Kind.COMPOSE:
        return _shop_in_containers(run)
    machine = survey()
    offered = terrain(load_system(), machine)
    return Site(run, offered.system, lambda _: offered.missing, namespaces=machine.namespaces is None)


def _shop_in_containers(run: str) -> Site:
    from chaos.targets.compose_cli import find_compose
    from chaos.targets.docker.engine import connect
    from chaos.targets.docker.survey import lacking

    engine = connect()
    find_compose()
    file = shop_folder() / "compose.sandbox.yml"
    compose = Compose(file, run, ours=True, owned=True, engine=engine.known_by())
    return Site(run, load_system(), lambda needed: lacking(engine, needed, run=run), compose=compose)


def _own(run: str, path: Path, own: ComposeProject, owned: bool) -> Site:
    from chaos.targets.docker.containers import Project, projects
    from chaos.targets.docker.engine import connect
    from chaos.targets.docker.survey import lacking

    engine = connect()
    file = compose_path(path, own)
    running = Project(engine, own.project).names()
    if not running:
        others = suggest(own.project, projects(engine)).replace("allowed", "there are")
        raise SandboxError(
            f"no container of a compose project called {own.project} is there{others}",
            remedy=f"docker compose -p {own.project} -f {file} up -d",
        )
    system = system_of(path, running)
    compose = Compose(file, own.project, ours=False, owned=owned, engine=engine.known_by())
    return Site(run, system, lambda needed: lacking(engine, needed, run=run), compose=compose)


def settled(site: Site, plan: Plan) -> Compose | None:
    """The compose project as this plan needs it, where there is one.

    The shop is given a network and a port that are free, and its routes through the proxy. Raises UsageError where a
    target of the plan, its Toxiproxy, or a container in which a probe runs a command is a user's own and not offered.
    """
    if site.compose is None:
        return None
    from chaos.routes import routes
    from chaos.targets.compose_sandbox import shop_environment
    from chaos.targets.docker.containers import Project, check_offered
    from chaos.targets.docker.engine import connect

    engine = connect()
    if not site.compose.ours:
        project = Project(engine, site.compose.project)
        commanded = [probe.on for probe in plan.experiment.probes.values() if isinstance(probe, CommandProbe)]
        proxy = site.system.proxy
        proxies = [proxy.service for step in plan.steps if proxy is not None and Capability.PROXY in step.fault.needs]
        for name in dict.fromkeys([*(step.service for step in plan.steps), *proxies, *commanded]):
            check_offered(project, name, project.container(name), owned=site.compose.owned)
        return site.compose
    environment = shop_environment(engine, site.run, plan.experiment.weak, shop_folder() / "sandbox")
    return replace(site.compose, environment={**environment, **routes(plan, site.system)})
