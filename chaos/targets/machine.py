"""What this machine can do for the embedded sandbox, found out by trying, and what to do about the rest.

Tried in throw-away namespaces, so that nothing is changed. A machine that refuses namespaces still runs the shop on
loopback ports, without packet faults.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chaos.system import System
from chaos.targets.base import Capability, Refusal, Terrain

_ANSWER_WITHIN_S = 20.0
_ONLY_ON_DOCKER = {
    Capability.PROXY: Refusal("no Toxiproxy stands in the embedded sandbox", "run it with --sandbox compose"),
    Capability.LIMITS: Refusal("the embedded sandbox has no cgroups of its own", "run it with --sandbox compose"),
}
_APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
_DEBIAN_SWITCH = Path("/proc/sys/kernel/unprivileged_userns_clone")
_MAX_NAMESPACES = Path("/proc/sys/user/max_user_namespaces")


@dataclass(frozen=True)
class Machine:
    """The findings: None means it works, a Refusal says why not."""

    namespaces: Refusal | None
    packets: Refusal | None
    delays: Refusal | None
    details: dict[str, object]


def unshare_argv() -> list[str]:
    """The command that puts what follows it into namespaces of its own, the same way for root and for others.

    Inside, the user id is not 0, which PostgreSQL wants, and every capability is there, but only over what is inside.
    """
    who = ["--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else ["--map-current-user"]
    return [
        *("unshare", "--user", *who, "--keep-caps", "--net", "--mount", "--pid"),
        *("--fork", "--kill-child", "--mount-proc", "--"),
    ]


def survey() -> Machine:
    """Tries what the sandbox and the packet faults need; takes about a tenth of a second."""
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        refusal = Refusal("unshare and nsenter are not installed", "install the package util-linux")
        return Machine(refusal, refusal, refusal, {})
    trial = _run([*unshare_argv(), "true"])
    if trial.returncode:
        refusal = Refusal(_why_no_namespaces(trial.stderr), _remedy_for_namespaces(trial.stderr))
        return Machine(refusal, refusal, refusal, {"unshare": trial.stderr.strip()})
    probe = _run([*unshare_argv(), sys.executable, "-P", "-m", "chaos.agent", "--probe"])
    try:
        details: dict[str, object] = json.loads(probe.stdout)
    except json.JSONDecodeError:
        last = probe.stderr.strip().splitlines()[-1:] or ["no reason given"]
        refusal = Refusal(
            f"{sys.executable} cannot run inside a user namespace ({last[0]})",
            "root has no rights over other people's files in there: install chaos where everybody may read it",
        )
        return Machine(refusal, refusal, refusal, {"probe": probe.stderr.strip()})
    lacks = lacking_packets(details)
    return Machine(None, lacks.get(Capability.NETWORK), lacks.get(Capability.DELAY), details)


def lacking_packets(probed: Mapping[str, object]) -> dict[Capability, Refusal]:
    """What an agent cannot do in a kernel, by what its own probe found there."""
    if not (probed.get("nf_tables") and probed.get("owner") and probed.get("numgen")):
        refusal = Refusal(
            "the kernel has no nf_tables with owner flag and numgen for us",
            "load or build in nf_tables (Linux 5.12 or newer: CONFIG_NF_TABLES, CONFIG_NFT_NUMGEN)",
        )
        return {Capability.NETWORK: refusal, Capability.DELAY: refusal}
    if not probed.get("queue"):
        refusal = Refusal(
            "the kernel can queue no packets to a program",
            "load nfnetlink_queue and nft_queue (or xt_NFQUEUE with nft_compat)",
        )
        return {Capability.DELAY: refusal}
    return {}


def terrain(system: System, machine: Machine) -> Terrain:
    """What the embedded sandbox offers on this machine."""
    missing = dict(_ONLY_ON_DOCKER)
    if machine.packets:
        missing[Capability.NETWORK] = machine.packets
    if machine.delays:
        missing[Capability.DELAY] = machine.delays
    return Terrain(system, missing)


def _run(argv: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            argv, capture_output=True, text=True, timeout=_ANSWER_WITHIN_S, stdin=subprocess.DEVNULL, check=False
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(argv, 1, "", f"no answer within {_ANSWER_WITHIN_S:.0f} s")


def _why_no_namespaces(stderr: str) -> str:
    if _reads(_APPARMOR, "1"):
        return "AppArmor restricts user namespaces (kernel.apparmor_restrict_unprivileged_userns = 1)"
    if _reads(_DEBIAN_SWITCH, "0"):
        return "user namespaces are switched off (kernel.unprivileged_userns_clone = 0)"
    if _reads(_MAX_NAMESPACES, "0"):
        return "user namespaces are switched off (user.max_user_namespaces = 0)"
    last = stderr.strip().splitlines()[-1:] or ["no reason given"]
    if "option" in stderr:
        return f"unshare is too old: {last[0]}"
    return f"this machine refuses namespaces ({last[0]}); a container's seccomp profile does so by default"


def _remedy_for_namespaces(stderr: str) -> str:
    if "option" in stderr:
        return "install util-linux 2.36 or newer"
    if _reads(_APPARMOR, "1"):
        return "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
    if _reads(_DEBIAN_SWITCH, "0"):
        return "sudo sysctl kernel.unprivileged_userns_clone=1"
    if _reads(_MAX_NAMESPACES, "0"):
        return "sudo sysctl user.max_user_namespaces=10000"
    return "in a container: start it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined"


def _reads(path: Path, value: str) -> bool:
    return path.exists() and path.read_text().strip() == value
