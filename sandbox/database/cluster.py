"""Makes a PostgreSQL cluster for the primary or for a standby, and clears what a killed server left behind.

A cluster is made under another name and renamed when whole, so that one killed half-way is not taken for a cluster. The
superuser cannot log in over the network: the shop's own role has no way to the machine's files or programs. Settings
stand in a file of their own, not on the command line, so that ALTER SYSTEM can change them. Data is kept through a
killed process, not through a power cut: `fsync` is off, because a sandbox lives no longer than its machine.
"""

import logging
import os
import shutil
import subprocess
import time
from pathlib import Path

from sandbox import settings
from sandbox.database import catalogue

log = logging.getLogger(__name__)

PRIMARY = "db-primary"
SUPERUSER = "postgres"
PRIMARY_WAIT_S = 60.0
OLD_SERVER_WAIT_S = 5.0

_ACCESS = """\
# database user address method. Whoever reaches the sandbox's own network is trusted, but never as superuser.
host shop,postgres shop 198.18.0.0/15 trust
host shop,postgres shop 127.0.0.0/8 trust
host replication shop 198.18.0.0/15 trust
host replication shop 127.0.0.0/8 trust
"""

_SETTINGS = """\
unix_socket_directories = ''
max_connections = 100
shared_buffers = 32MB
jit = off
fsync = off
full_page_writes = off
wal_level = replica
wal_log_hints = on
wal_keep_size = 512MB
max_wal_senders = 8
wal_sender_timeout = 5s
wal_receiver_timeout = 5s
wal_receiver_status_interval = 1s
wal_retrieve_retry_interval = 200ms
hot_standby = on
hot_standby_feedback = on
tcp_user_timeout = 5000
tcp_keepalives_idle = 5
tcp_keepalives_interval = 1
tcp_keepalives_count = 5
log_min_messages = warning
log_line_prefix = '%m [%p] %a '
"""


def make_primary(programs: Path, folder: Path) -> None:
    """A fresh cluster with the shop's schema and products in `folder`; CalledProcessError where a program fails."""
    new = _clear_new(folder)
    # Trust between local processes would let anybody on the machine in as superuser, but no local socket is opened.
    options = ("--no-sync", "--no-instructions", "--locale=C", "--encoding=UTF8", "--auth=trust")
    _run([programs / "initdb", *options, f"--username={SUPERUSER}", "-D", new])
    (new / "pg_hba.conf").write_text(_ACCESS, encoding="utf-8")
    schema = (Path(__file__).parent / "schema.sql").read_text(encoding="utf-8")
    _single_user(programs, new, "postgres", f"create database {_database()};\n\n")
    _single_user(programs, new, _database(), schema + catalogue.insert_sql())
    new.rename(folder)


def make_standby(programs: Path, folder: Path) -> None:
    """A copy of the primary's cluster in `folder`, waiting for the primary as long as `PRIMARY_WAIT_S`."""
    deadline = time.monotonic() + PRIMARY_WAIT_S
    while True:
        new = _clear_new(folder)
        copy: list[str | Path] = [
            programs / "pg_basebackup",
            "-d",
            _primary_conninfo(),
            "-c",
            "fast",
            "-N",
            "-X",
            "stream",
            "-D",
            new,
        ]
        try:
            _run(copy)
            break
        except subprocess.CalledProcessError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
    (new / "standby.signal").touch()
    new.rename(folder)


def configure(folder: Path, *, standby: bool) -> None:
    """Writes the settings for this start: addresses may have changed since the last one."""
    address = settings.own_address("sql")
    text = _SETTINGS + f"listen_addresses = '{address.host}'\nport = {address.port}\n"
    if standby:
        text += f"primary_conninfo = '{_primary_conninfo()}'\n"
    (folder / "shop.conf").write_text(text, encoding="utf-8")
    main = folder / "postgresql.conf"
    include = "include 'shop.conf'\n"
    if include not in main.read_text(encoding="utf-8"):
        with main.open("a", encoding="utf-8") as file:
            file.write(include)


def clear_after_kill(folder: Path) -> None:
    """Removes a stale postmaster.pid, once every process of the server that wrote it is gone.

    PostgreSQL would itself refuse to start while children of a killed postmaster live, and while another process
    happens to have the old one's number. Its processes are known by their working folder. SystemExit where a server
    lives on.
    """
    lock = folder / "postmaster.pid"
    if not lock.exists():
        return
    deadline = time.monotonic() + OLD_SERVER_WAIT_S
    while _in_use(folder):
        if time.monotonic() > deadline:
            raise SystemExit(f"another PostgreSQL server runs in {folder}")
        time.sleep(0.01)
    lock.unlink()


def _in_use(folder: Path) -> bool:
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or process.name == str(os.getpid()):
            continue
        try:
            if (process / "cwd").readlink() == folder.resolve():
                return True
        except OSError:
            continue  # it ended meanwhile, or belongs to somebody else and so cannot be this cluster's server
    return False


def _database() -> str:
    from sandbox.postgres import DATABASE  # psycopg is not needed for a restart, where start-up time counts most

    return DATABASE


def _primary_conninfo() -> str:
    primary = settings.address(PRIMARY, "sql")
    return (
        f"host={primary.host} port={primary.port} user=shop application_name={settings.service()} "
        "connect_timeout=2 tcp_user_timeout=5000 keepalives_idle=5 keepalives_interval=1 keepalives_count=5"
    )


def _clear_new(folder: Path) -> Path:
    new = folder.with_name(folder.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    return new


def _single_user(programs: Path, folder: Path, database: str, sql: str) -> None:
    """Runs statements without opening a port; each ends with a semicolon and an empty line."""
    _run(
        [programs / "postgres", "--single", "-j", "-c", "exit_on_error=on", "-c", "fsync=off", "-D", folder, database],
        sql,
    )


def _run(command: list[str | Path], given: str = "") -> None:
    result = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        log.warning("%s: %s", Path(command[0]).name, result.stderr.strip())
        result.check_returncode()
