"""What this kernel can do, found out by trying: `python -m chaos.agent --probe`.

Rules are tried in batches that the kernel checks in full and never commits, so that nothing is left and nothing is
touched for a moment. Each answer is of this network namespace and this process's rights: without CAP_NET_ADMIN
everything is false.

Left out: why something is missing; `chaos doctor` speaks of that.
"""

import contextlib
import os
from typing import Any

from . import netlink
from . import nftables as nft
from .nfqueue import QUEUE_VOID, Listener

_CHAIN = "try"


def probe() -> dict[str, Any]:
    """What works here, by name."""
    found: dict[str, Any] = {
        "nf_tables": False,
        "owner": False,
        "numgen": False,
        "queue": None,
        "dup": False,
    }
    with contextlib.suppress(OSError), contextlib.closing(netlink.Socket(netlink.NETLINK_NETFILTER)) as sock:
        found["nf_tables"] = _accepted(sock, flags=0)
        found["owner"] = _accepted(sock)
        found["numgen"] = _accepted(sock, nft.random_below(1, 2))
        found["queue"] = queue_expression(sock)
        found["dup"] = can_duplicate(sock)
    return found


def queue_expression(sock: netlink.Socket) -> str | None:
    """How rules can queue packets to this process: "nft", "xtables", or None where they cannot."""
    try:
        with contextlib.closing(Listener()) as listener:
            listener.bind()
    except OSError:
        return None
    if _accepted(sock, nft.queue(QUEUE_VOID, bypass=True)):
        return "nft"
    return "xtables" if _accepted(sock, nft.xtables_queue(QUEUE_VOID, bypass=True)) else None


def can_duplicate(sock: netlink.Socket) -> bool:
    """Whether rules can copy a packet."""
    return _accepted(sock, nft.payload(nft.NETWORK, 16, 4), nft.duplicate())


def _accepted(sock: netlink.Socket, *expressions: bytes, flags: int = nft.OWNER) -> bool:
    table = f"chaos-probe-{os.getpid()}"
    requests = [nft.new_table(table, flags), nft.base_chain(table, _CHAIN, nft.HOOK_OUT, 0)]
    try:
        sock.send(nft.batch([*requests, nft.new_rule(table, _CHAIN, expressions)], commit=False))
    except OSError:
        return False
    return True
