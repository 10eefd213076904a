"""Whether a service serves, asked from outside the way its manifest says: a query, a page, or an open port."""

from __future__ import annotations

import http.client
import os
import socket
from urllib.parse import urlsplit

import psycopg

from chaos.system import Database, Ready

_ASK_WITHIN_S = 1.0
_STATEMENT_MS = 60_000  # the longest are digests of whole tables


def is_ready(ready: Ready, urls: dict[str, str], database: Database | None) -> bool:
    """One question, answered within two seconds; anything but a clear yes is a no."""
    if ready.sql is not None:
        assert database is not None, "a manifest whose services are asked by SQL says how to log in"
        return bool(_sql(ready.sql, urls["sql"], database))
    if ready.http is not None:
        return _http(ready.http, urls["http"])
    return _tcp(urls[ready.tcp or "http"])


def dsn(url: str, database: Database, *, password: str | None = None) -> str:
    """The connection string of a database that listens at `url`; a server that freezes is not waited for long."""
    address = urlsplit(url)
    if database.password_from:
        password = os.environ.get(database.password_from)
    return psycopg.conninfo.make_conninfo(
        host=address.hostname,
        port=address.port,
        dbname=database.name,
        user=database.user,
        password=password,
        connect_timeout=2,
        tcp_user_timeout=5000,
        application_name="chaos",
        options=f"-c statement_timeout={_STATEMENT_MS}",
    )


def _sql(query: str, url: str, database: Database) -> object:
    try:
        with psycopg.connect(dsn(url, database), autocommit=True) as connection:
            row = connection.execute(query.encode()).fetchone()
    except psycopg.Error:
        return None
    return row[0] if row else None


def _http(path: str, url: str) -> bool:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_ASK_WITHIN_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _tcp(url: str) -> bool:
    address = urlsplit(url)
    try:
        socket.create_connection((address.hostname or "", address.port or 0), timeout=_ASK_WITHIN_S).close()
    except OSError:
        return False
    return True
