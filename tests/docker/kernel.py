"""What this machine's kernel says of a container: whether it is frozen, its packet rules, and what it may use."""

from __future__ import annotations

import ctypes
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from chaos.agent import netlink
from chaos.agent import nftables as nft

_CLONE_NEWNET = 0x40000000
_LIMITS = {  # of cgroup v1, by its controller, and of v2, which has none
    "cpu": ["cpu.cfs_quota_us", "cpu.cfs_period_us"],
    "memory": ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"],
    "": ["cpu.max", "memory.max", "memory.swap.max"],
}
_libc = ctypes.CDLL(None, use_errno=True)


def frozen(pid: int) -> bool:
    """Whether the control group of a process is frozen, in either version of control groups."""
    for controllers, path in _groups(pid):
        if controllers == "freezer":
            return Path(f"/sys/fs/cgroup/freezer{path}/freezer.state").read_text().strip() != "THAWED"
        if controllers == "" and (state := Path(f"/sys/fs/cgroup{path}/cgroup.events")).exists():
            return "frozen 1" in state.read_text()
    return False


def limits(pid: int) -> dict[str, str]:
    """The limits of CPU and memory of a process's control group, as their files say; those that there are."""
    found = {}
    for controllers, path in _groups(pid):
        for controller in controllers.split(","):
            for name in _LIMITS.get(controller, []):
                if (file := Path(f"/sys/fs/cgroup/{controller}{path}/{name}")).exists():
                    found[name] = file.read_text().strip()
    return found


def tables(pid: int) -> list[str] | None:
    """The nftables tables in the network namespace of a process; None where only root may look."""
    if os.geteuid():
        return None
    with ThreadPoolExecutor(1) as threads:  # a thread of its own: it leaves our namespace for good
        return threads.submit(_tables, pid).result()


def _tables(pid: int) -> list[str]:
    with Path(f"/proc/{pid}/ns/net").open("rb") as namespace:
        if _libc.setns(namespace.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, netlink.NETLINK_NETFILTER) as asking:
        request = nft.dump_tables()
        asking.send(netlink.pack(request.kind, netlink.REQUEST | netlink.DUMP, 1, request.body))
        answers = list(netlink.unpack(asking.recv(netlink.RECEIVE_BYTES)))
    return [nft.table_name_of(answer.body) for answer in answers if answer.kind != netlink.DONE]


def _groups(pid: int) -> list[tuple[str, str]]:
    """The control groups of a process: which controllers, and where below their folders."""
    lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    return [(controllers, path) for _, controllers, path in (line.split(":", 2) for line in lines)]
