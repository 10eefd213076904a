"""The nouns of a system under test, read from its manifest (`sandbox/shop.yaml` for the shop that comes along).

A manifest says which services there are and how to start them, which sets they form, how the load talks to them and
how their records are read at the end. It is data, so that this program never imports the shop, nor the shop it.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from chaos.model import Frozen


class Ready(Frozen):
    """How to tell that a service serves: one of the three; none: that it runs."""

    sql: str | None = Field(default=None, description="A query whose one value must be true.")
    http: str | None = Field(default=None, description="A path on the service's http port that must answer 200.")
    tcp: str | None = Field(default=None, description="The name of a port that must accept connections.")


class Service(Frozen):
    """One service: how it is started and where it listens."""

    command: list[str] = Field(min_length=1, description="The program; the word python stands for this interpreter.")
    ports: dict[str, int] = Field(description="Port names to numbers.")
    ready: Ready
    after: list[str] = Field(default_factory=list, description="Services that must be ready before this one starts.")
    role: str = Field(default="", description="What it is, for people.")
    stop_signal: Literal["SIGTERM", "SIGINT"] = Field(default="SIGTERM", description="How it is asked to end.")
    env: dict[str, str] = Field(default_factory=dict, description="Further variables of its environment.")


class PortOf(Frozen):
    """A port of a service."""

    service: str
    port: str


class Read(Frozen):
    """Where one kind of record is read: SQL on a database, or JSON Lines over HTTP."""

    on: str = Field(description="The service asked.")
    sql: str | None = None
    http: str | None = None
    port: str = Field(default="http", description="The port asked over HTTP.")


class Records(Frozen):
    """How the final state is read from every system of record."""

    orders: Read
    stock: Read
    charges: Read
    shipments: Read
    tables: list[str] = Field(description="Tables on which primary and replicas must agree.")
    primary: str = "db-primary"
    replicas: str = Field(default="replicas", description="The set of standbys.")


class Database(Frozen):
    """How to log in to the system's databases."""

    name: str
    user: str
    password_from: str = Field(default="", description="The environment variable that holds the password.")


class ThirdParty(Frozen):
    """A third party that can be told to misbehave."""

    control: str = Field(description="The name of the port of its fault control.")


class Listener(Frozen):
    """Where a Toxiproxy listens for those who call one service."""

    port: str = Field(description="The port of the service that is called.")
    listen: int = Field(description="The port on the Toxiproxy that leads to it.")


class Proxy(Frozen):
    """A Toxiproxy that can stand between services and those they call; where it runs at all."""

    service: str = Field(description="The service that it runs as.")
    api: int = Field(default=8474, description="The port of its control API.")
    clients: list[str] = Field(default_factory=list, description="The services that can be told to call through it.")
    listeners: dict[str, Listener] = Field(
        default_factory=dict, description="Service called → how it is reached; empty: as its own API says."
    )


class System(Frozen):
    """A whole manifest. Without `load`, `records` and what goes with them it is a system of a user's own."""

    name: str
    entrance: PortOf | None = None
    services: dict[str, Service]
    sets: dict[str, list[str]] = Field(default_factory=dict)
    third_parties: dict[str, ThirdParty] = Field(default_factory=dict)
    proxy: Proxy | None = None
    database: Database | None = None
    protections: dict[str, str] = Field(default_factory=dict)
    load: dict[str, Any] | None = Field(default=None, description="How requests look; see chaos/load.")
    records: Records | None = None
    drained: Read | None = None

    def members(self, name: str) -> list[str]:
        """The services behind a name: itself for a service, its members for a set; KeyError for neither."""
        return [name] if name in self.services else self.sets[name]
