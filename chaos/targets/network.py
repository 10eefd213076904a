"""One network namespace a service, joined by a bridge: the embedded sandbox's own little network.

Made over netlink by pyroute2, so that no `ip` binary is needed. A namespace lives as long as its file descriptor is
open here; it outlives the service's processes, so a service that is started again has its address, and its agent.
"""

from __future__ import annotations

import ctypes
import os
import threading
from pathlib import Path

from pyroute2 import IPRoute

from chaos.errors import SandboxError

GATEWAY = "198.18.0.1"  # 198.18.0.0/15 is set aside for benchmarking (RFC 2544), so it is nobody's real network
_FIRST_HOST = 10
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class Bridge:
    """A bridge in this process's network namespace, and a namespace with `eth0` for every node added."""

    def __init__(self) -> None:
        self._ip = IPRoute()
        self._nodes: dict[str, int] = {}
        self._ip.link("set", index=1, state="up")
        self._ip.link("add", ifname="chaos0", kind="bridge")
        self._index = self._ip.link_lookup(ifname="chaos0")[0]
        self._ip.addr("add", index=self._index, address=GATEWAY, prefixlen=24)
        self._ip.link("set", index=self._index, state="up")
        filtered = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
        if filtered.exists():  # bridged packets need not pass this namespace's packet filter as well
            filtered.write_text("0")

    def add(self, name: str) -> str:
        """A new namespace for a service; returns its address."""
        number = len(self._nodes)
        address = f"198.18.0.{_FIRST_HOST + number}"
        port = f"port{number}"
        here = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            descriptor = _namespace(here, port, address)
        finally:
            os.close(here)
        index = self._ip.link_lookup(ifname=port)[0]
        self._ip.link("set", index=index, master=self._index, state="up")
        self._nodes[name] = descriptor
        return address

    def namespace(self, name: str) -> int:
        """The file descriptor of a service's namespace."""
        return self._nodes[name]


def _namespace(outer: int, port: str, address: str) -> int:
    """Makes a namespace whose `eth0` is joined to `port` in the namespace `outer`; returns its descriptor."""
    made: list[int] = []
    errors: list[OSError] = []

    def work() -> None:
        # unshare() acts on the calling thread only: this thread gets a new namespace, the process keeps its own.
        if _libc.unshare(_CLONE_NEWNET):
            errors.append(OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno())))
            return
        with IPRoute() as ip:
            ip.link("set", index=1, state="up")
            ip.link("add", ifname="eth0", kind="veth", peer={"ifname": port, "net_ns_fd": outer})
            index = ip.link_lookup(ifname="eth0")[0]
            ip.addr("add", index=index, address=address, prefixlen=24)
            ip.link("set", index=index, state="up")
            ip.route("add", dst="default", gateway=GATEWAY)
        made.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if not made:
        reason = errors[0] if errors else "netlink refused, see above"
        raise SandboxError(
            f"no network namespace for {address}: {reason}", remedy="`chaos doctor` says what is missing"
        )
    return made[0]
