"""Runs inside a network namespace for a test: makes links there, and sockets that it hands to the test.

A socket stays in the namespace it was made in, whoever uses it. Commands come as JSON datagrams on the socket given as
stdin; the end of it ends the process, and with it the namespace.
"""

import json
import os
import socket
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute


def main() -> None:
    """Serves until the other end is closed."""
    control = socket.socket(fileno=os.dup(0))
    with IPRoute() as routes:
        routes.link("set", index=1, state="up")
        control.send(b"{}")
        while data := control.recv(4096):
            command = json.loads(data)
            made = obey(routes, command.pop("do"), command)
            if made is None:
                control.send(b"{}")
            else:
                socket.send_fds(control, [b"{}"], [made.fileno()])
                made.close()


def obey(routes: IPRoute, what: str, args: dict[str, Any]) -> socket.socket | None:
    """Carries out one command; returns the socket where one was asked for."""
    match what:
        case "socket":
            return socket.socket(args["family"], args["type"], args["proto"])
        case "veth":
            routes.link(
                "add", ifname=args["name"], kind="veth", peer={"ifname": args["peer"], "net_ns_pid": args["pid"]}
            )
        case "address":
            index = routes.link_lookup(ifname=args["name"])[0]
            routes.addr("add", index=index, address=args["address"], prefixlen=24)
            routes.link("set", index=index, state="up")
        case "gateway":
            routes.route("add", dst="default", gateway=args["address"])
        case "forward":
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    return None


if __name__ == "__main__":
    main()
