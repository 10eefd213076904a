"""Network namespaces for tests and benchmarks: made without root, with real links, gone when closed.

The test's own process stays where it is; it uses sockets that were made inside, and starts programs inside with
nsenter(1).
"""

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from chaos.agent import netlink
from chaos.agent import nftables as nft

ROOT = Path(__file__).resolve().parents[2]
INSIDE = Path(__file__).with_name("inside.py")
START_S_MAX = 10.0


class Namespace:
    """A network namespace, and the process inside that keeps it."""

    def __init__(self, within: int | None = None) -> None:
        """Makes it in a new user namespace, or in that of process `within`."""
        if within is None:
            enter = ["unshare", "--user", "--map-root-user", "--net"]
        else:
            enter = ["nsenter", f"--target={within}", "--user", "--preserve-credentials", "unshare", "--net"]
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(START_S_MAX)
        self._process = subprocess.Popen([*enter, sys.executable, str(INSIDE)], stdin=theirs.fileno())
        theirs.close()
        self.pid = self._process.pid
        if not self._control.recv(64):
            self.close()
            raise OSError("no network namespace could be made")

    def close(self) -> None:
        """Ends the process inside, and with it the namespace."""
        self._control.close()
        self._process.wait(START_S_MAX)

    def tell(self, what: str, **args: object) -> None:
        """Has a command of inside.py carried out."""
        self._control.send(json.dumps({"do": what, **args}).encode())
        if not self._control.recv(64):
            raise OSError(f"{what} failed inside the namespace: {args}")

    def socket(self, kind: int, family: int = socket.AF_INET, proto: int = 0) -> socket.socket:
        """A socket that lives in this namespace."""
        self._control.send(json.dumps({"do": "socket", "family": family, "type": kind, "proto": proto}).encode())
        _, descriptors, _, _ = socket.recv_fds(self._control, 64, 1)
        made = socket.socket(fileno=descriptors[0])
        made.settimeout(5.0)
        return made

    def tables(self) -> list[str]:
        """The names of the nftables tables here, asked of the kernel."""
        with self.socket(socket.SOCK_RAW, socket.AF_NETLINK, netlink.NETLINK_NETFILTER) as asking:
            request = nft.dump_tables()
            asking.send(netlink.pack(request.kind, netlink.REQUEST | netlink.DUMP, 1, request.body))
            answers = list(netlink.unpack(asking.recv(netlink.RECEIVE_BYTES)))
        return [nft.table_name_of(answer.body) for answer in answers if answer.kind != netlink.DONE]

    def popen(self, *argv: str, stdin: int | IO[bytes] = subprocess.PIPE) -> "subprocess.Popen[bytes]":
        """Starts a program inside."""
        enter = ["nsenter", f"--target={self.pid}", "--user", "--preserve-credentials", "--net"]
        return subprocess.Popen([*enter, *argv], stdin=stdin, stdout=subprocess.PIPE, cwd=ROOT)


class World(NamedTuple):
    """The target, where the agent runs, and two hosts that are its neighbours, each on a link of its own."""

    target: Namespace
    peer: Namespace
    other: Namespace


TARGET, PEER = "198.18.1.1", "198.18.1.2"
TARGET_TO_OTHER, OTHER = "198.18.2.1", "198.18.2.2"


@contextlib.contextmanager
def world() -> Iterator[World]:
    """Three namespaces and their links; OSError or CalledProcessError where the machine refuses them."""
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(contextlib.closing(Namespace()))
        peer = stack.enter_context(contextlib.closing(Namespace(target.pid)))
        other = stack.enter_context(contextlib.closing(Namespace(target.pid)))
        for host, ours, theirs, name in ((peer, TARGET, PEER, "eth0"), (other, TARGET_TO_OTHER, OTHER, "eth1")):
            target.tell("veth", name=name, peer="eth0", pid=host.pid)
            target.tell("address", name=name, address=ours)
            host.tell("address", name="eth0", address=theirs)
            host.tell("gateway", address=ours)
        target.tell("forward")
        yield World(target, peer, other)


class Agent:
    """An agent inside a namespace, spoken to as its users do."""

    def __init__(self, namespace: Namespace) -> None:
        self.process = namespace.popen(sys.executable, "-m", "chaos.agent")
        self.ready = self._reply()
        self._commands = 0

    def send(self, line: bytes) -> dict[str, Any]:
        """Sends a line as it is and returns the reply."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()
        return self._reply()

    def do(self, what: str, **args: object) -> dict[str, Any]:
        """Sends a command and returns the reply."""
        self._commands += 1
        reply = self.send(json.dumps({"id": self._commands, "do": what, **args}).encode())
        assert reply["id"] == self._commands
        return reply

    def add(self, action: str, *, fault: str = "f", for_s: float = 30.0, **args: object) -> float:
        """Adds a fault and returns since when it is in force."""
        reply = self.do("add", fault=fault, action=action, for_s=for_s, **args)
        assert reply["ok"], reply
        return float(reply["at"])

    def counters(self, fault: str = "f") -> dict[str, Any]:
        """What a fault has done."""
        reply = self.do("counters", fault=fault)
        assert reply["ok"], reply
        return reply

    def _reply(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        reply = json.loads(self.process.stdout.readline())
        assert isinstance(reply, dict)
        return reply

    def close(self) -> None:
        """Ends its stdin, and waits for it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(5.0)
        finally:
            self.process.kill()
            self.process.wait(5.0)
