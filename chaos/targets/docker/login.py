"""How to log in to a database in a container of the user's own: as its environment says.

The variables are those of PostgreSQL's official image. Leaves out passwords kept in files (POSTGRES_PASSWORD_FILE):
`sandbox: {database: …}` names the variable of one.
"""

from __future__ import annotations

from typing import NamedTuple

from chaos.errors import Unsupported
from chaos.system import Database
from chaos.targets.docker.containers import Inspected


class Login(NamedTuple):
    """A database, its role, and the password, if one is asked for."""

    database: Database
    password: str | None


def login_of(service: str, inspected: Inspected) -> Login:
    """What POSTGRES_DB, POSTGRES_USER and POSTGRES_PASSWORD say; Unsupported where there is none of them."""
    variables = dict(text.partition("=")[::2] for text in inspected["Config"].get("Env") or [])
    if not any(name.startswith("POSTGRES_") for name in variables):
        raise Unsupported(
            f"how to log in to {service} is not known: its container has no variable POSTGRES_USER or POSTGRES_DB",
            remedy="say it in the experiment: sandbox: {…, database: {name: …, user: …, password_from: VARIABLE}}",
        )
    user = variables.get("POSTGRES_USER") or "postgres"
    return Login(Database(name=variables.get("POSTGRES_DB") or user, user=user), variables.get("POSTGRES_PASSWORD"))


def sql_port(ports: dict[str, int]) -> str:
    """The name of the port that speaks SQL: the one called so, or PostgreSQL's own, or the only one."""
    if "sql" in ports:
        return "sql"
    if len(ports) == 1:
        return next(iter(ports))
    return next(name for name, number in {**ports, "5432": 5432}.items() if number == 5432)
