"""What this machine's kernel says of a container: whether it is frozen, and which packet rules are in its network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

_TABLES = """
import json, socket
from chaos.agent import netlink, nftables as nft
with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, netlink.NETLINK_NETFILTER) as asking:
    request = nft.dump_tables()
    asking.send(netlink.pack(request.kind, netlink.REQUEST | netlink.DUMP, 1, request.body))
    answers = list(netlink.unpack(asking.recv(netlink.RECEIVE_BYTES)))
print(json.dumps([nft.table_name_of(answer.body) for answer in answers if answer.kind != netlink.DONE]))
"""


def frozen(pid: int) -> bool:
    """Whether the control group of a process is frozen, in either version of control groups."""
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "freezer":
            return Path(f"/sys/fs/cgroup/freezer{path}/freezer.state").read_text().strip() != "THAWED"
        if controllers == "" and (state := Path(f"/sys/fs/cgroup{path}/cgroup.events")).exists():
            return "frozen 1" in state.read_text()
    return False


def tables(pid: int) -> list[str] | None:
    """The nftables tables in the network namespace of a process; None where only root may look."""
    if os.geteuid():
        return None
    argv = ["nsenter", f"--target={pid}", "--net", sys.executable, "-c", _TABLES]
    found: list[str] = json.loads(subprocess.run(argv, capture_output=True, check=True, timeout=10).stdout)
    return found
