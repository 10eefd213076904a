"""`python -m sandbox.database primary|standby`: prepares the cluster if there is none, then becomes the postmaster.

The process that was started *is* then PostgreSQL's postmaster, so killing, pausing or restarting it is the real thing.
PostgreSQL refuses to run as uid 0, and so does this.
"""

import logging
import os
import sys

from sandbox import settings
from sandbox.database import binaries, cluster


def main() -> None:
    """Runs a server in the role given; SystemExit where that cannot be."""
    if sys.argv[1:] not in (["primary"], ["standby"]):
        raise SystemExit("usage: python -m sandbox.database primary|standby")
    if os.geteuid() == 0:
        raise SystemExit("PostgreSQL does not run as root; start it as an ordinary user or in a user namespace")
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format=f"{settings.service()} %(levelname)s %(message)s")
    standby = sys.argv[1] == "standby"
    programs = binaries.folder()
    folder = settings.data_folder() / "pgdata"
    if not folder.exists():
        (cluster.make_standby if standby else cluster.make_primary)(programs, folder)
    cluster.clear_after_kill(folder)
    cluster.configure(folder, standby=standby)
    # PostgreSQL finds its other files from the path it was called by.
    os.execv(programs / "postgres", [str(programs / "postgres"), "-D", str(folder)])


if __name__ == "__main__":
    main()
