"""The nouns of an experiment file, typed and frozen; the JSON Schema of `chaos schema` comes from them.

Only shapes and units are checked here. Whether a target exists, a fault can run and a window fits is for
`validate`, which sees the whole experiment and the system it is meant for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from chaos.metrics import BROWSE, NAME, ORDERS, STREAMS
from chaos.units import TOLERANCE_PATTERN, Duration, Percent, Rate, Tolerance, tolerance
from chaos.words import shown


class Frozen(BaseModel):
    """Base of everything a file may hold: unknown keys are errors, values never change."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, arbitrary_types_allowed=True)


def by_key(choices: Mapping[str, type[BaseModel]]) -> Callable[[Any], str | None]:
    """Tells the members of a union apart by the one key that each alone has; tags are the keys in angle brackets."""

    def tag(value: object) -> str | None:
        if isinstance(value, str):
            return "<name>"
        for key, member in choices.items():
            if isinstance(value, member) or (isinstance(value, dict) and key in value):
                return f"<{key}>"
        return None

    return tag


Bound = Annotated[
    Tolerance,
    BeforeValidator(tolerance),
    WithJsonSchema(
        {"type": "string", "pattern": TOLERANCE_PATTERN, "examples": [">= 99.5%", "< 800ms", "> 15/s", "< 50% for 10s"]}
    ),
]
Tolerances = dict[str, Bound]
"""Metric name → the bound it must keep, as in `orders.p99: "< 800ms"`."""

Status = Annotated[int, Field(strict=True, ge=200, le=599)]
"""The status of an HTTP reply."""


class Invariant(StrEnum):
    """What must be true of the systems of record once all faults are healed and the backlog has drained."""

    NONE_LOST = "orders.none_lost"
    NONE_DOUBLED = "orders.none_doubled"
    CHARGED_ONCE = "payments.charged_once"
    SETTLED = "payments.settled"
    STOCK_CONSERVED = "stock.conserved"
    REPLICAS_AGREE = "replicas.agree"
    SHIPMENTS_MATCH = "shipments.match"


class HttpLoad(Frozen):
    """A stream of your own requests, whose measurements go by its name, as in read.p99."""

    name: str = Field(
        description="Names its measurements, as in read.success_rate.",
        json_schema_extra={"pattern": f"^{NAME}$", "not": {"enum": list(STREAMS)}},
    )
    url: str = Field(description="SERVICE/PATH or SERVICE:PORT/PATH; may hold {n} and {key}, as all its texts may.")
    rate: Rate = Field(description="Requests sent per second, as in 20/s.")
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] = Field(
        default="GET", description="The method of the request."
    )
    headers: dict[str, str] = Field(default_factory=dict, description="Headers to send.")
    json_: Any = Field(
        default=None,
        alias="json",
        description="A body sent as JSON. {n} is the request's number, {key} a text that no other request has; "
        "a text that is {n} alone becomes a number.",
    )
    body: str | None = Field(default=None, description="A body sent as it stands, in place of json.")
    ok: list[Status] | None = Field(
        default=None, min_length=1, description="The statuses that count as success; left out, every one below 400."
    )


class Load(Frozen):
    """Traffic while the experiment runs: open loop, so a slow reply never slows the clock."""

    orders: Rate = Field(default=0.0, description="Orders placed per second, as in 20/s; for the shop.")
    browse: Rate = Field(default=0.0, description="Pages and searches asked for per second, as in 40/s; for the shop.")
    http: list[HttpLoad] = Field(default_factory=list, description="Requests of your own, for any system.")
    timeout: Duration = Field(
        default=5.0, description="How long a customer waits; what has no reply by then is unknown."
    )

    @property
    def rates(self) -> dict[str, float]:
        """The streams that send anything, with their operations per second; the shop's own come first."""
        rates = {ORDERS: self.orders, BROWSE: self.browse} | {each.name: each.rate for each in self.http}
        return {name: rate for name, rate in rates.items() if rate > 0}


class Phases(Frozen):
    """How long each part of the run lasts; the fault phase lasts from the first fault to the end of the last."""

    warmup: Duration = Field(default=2.0, description="Traffic before anything is judged, to fill pools and caches.")
    baseline: Duration = Field(default=10.0, description="Traffic without faults; steady_state must hold here.")
    fault: Duration | None = Field(default=None, description="The fault phase; left out, it ends with the last fault.")
    recovery: Duration = Field(default=30.0, description="Traffic after the last fault has been healed.")


class OneOf(Frozen):
    """One member of a set, drawn with the experiment's seed."""

    one_of: str = Field(alias="one of", description="The set to draw from, as in storefronts.")


class AllOf(Frozen):
    """Every member of a set."""

    all_of: str = Field(alias="all of", description="The set, as in storefronts.")


class PercentOf(Frozen):
    """A share of a set, drawn with the experiment's seed; at least one member."""

    percent_of: str = Field(alias="percent of", description="The set to draw from.")
    percent: Percent = Field(description="The share of the set, as in 50%.")


Selector = Annotated[
    Annotated[str, Tag("<name>")]
    | Annotated[OneOf, Tag("<one of>")]
    | Annotated[AllOf, Tag("<all of>")]
    | Annotated[PercentOf, Tag("<percent of>")],
    Discriminator(
        by_key({"one of": OneOf, "all of": AllOf, "percent of": PercentOf}),
        custom_error_type="choice",
        custom_error_message="not a target; allowed: a service by name, {one of: SET}, {all of: SET}, "
        "{percent of: SET, percent: 50%}",
    ),
]


class Act(Frozen):
    """One fault on one or more services, for a while."""

    fault: str = Field(description="The fault's word, as in network.latency; `chaos faults` lists them.")
    target: Selector = Field(
        description="A service by name, or {one of: SET}, {all of: SET}, {percent of: SET, percent: 50%}."
    )
    with_: dict[str, Any] = Field(
        default_factory=dict, alias="with", description="The fault's parameters; `chaos faults NAME` lists them."
    )
    at: Duration = Field(default=0.0, description="When the fault starts, counted from the start of the fault phase.")
    for_: Duration = Field(alias="for", description="How long it lasts.")


class Recovers(Frozen):
    """How soon the system must be steady again."""

    within: Duration = Field(description="Steady this soon after the last fault ends, and from then on.")


class HttpProbe(Frozen):
    """Asks a service over HTTP; a reply below 400 counts as success, its time as latency."""

    http: str = Field(description="SERVICE/PATH, as in storefront-1/healthz.")
    every: Duration = Field(default=1.0, description="How often.")


class SqlProbe(Frozen):
    """Asks a database for one number."""

    sql: str = Field(description="A query that returns one number or truth value.")
    on: str = Field(description="The database service to ask.")
    every: Duration = Field(default=1.0, description="How often.")


class CommandProbe(Frozen):
    """Runs a command where a service runs; exit code 0 counts as success, a number it prints as its value."""

    command: list[str] = Field(min_length=1, description="The program and its arguments.")
    on: str = Field(description="The service where it runs: in its network, on Docker in its container.")
    every: Duration = Field(default=1.0, description="How often.")


class StateProbe(Frozen):
    """Looks whether a service's process runs; running counts as success."""

    state: str = Field(description="The service to look at.")
    every: Duration = Field(default=1.0, description="How often.")


Probe = Annotated[
    Annotated[HttpProbe, Tag("<http>")]
    | Annotated[SqlProbe, Tag("<sql>")]
    | Annotated[CommandProbe, Tag("<command>")]
    | Annotated[StateProbe, Tag("<state>")],
    Discriminator(
        by_key({"http": HttpProbe, "sql": SqlProbe, "command": CommandProbe, "state": StateProbe}),
        custom_error_type="choice",
        custom_error_message="not a probe; allowed: a mapping with one of the keys http, sql, command, state",
    ),
]


class Login(Frozen):
    """How to log in to the databases of a system of one's own."""

    name: str = Field(min_length=1, description="The database.")
    user: str = Field(min_length=1, description="The role.")
    password_from: str = Field(default="", description="The environment variable of this command that holds it.")


_PROJECT = "^[a-z0-9][a-z0-9_-]*$"


def _project_name(name: str) -> str:
    if not re.fullmatch(_PROJECT, name):
        raise ValueError(
            f"{shown(name)} cannot name a compose project; allowed: small letters, digits, _ and -, no _ or - first"
        )
    return name


class ComposeProject(Frozen):
    """A system of your own: a compose project that is running already."""

    compose: str = Field(min_length=1, description="Its compose file, as seen from the folder of this one.")
    project: Annotated[str, AfterValidator(_project_name)] = Field(
        json_schema_extra={"pattern": _PROJECT},
        description="Its name, as `docker compose ls` shows it; often the folder's.",
    )
    database: Login | None = Field(
        default=None, description="For probes with sql; left out, POSTGRES_USER and so on of the container are taken."
    )
    toxiproxy: str | None = Field(default=None, description="The service that is a Toxiproxy, for the proxy faults.")


SandboxOf = Annotated[
    Annotated[Literal["shop"], Tag("<name>")] | Annotated[ComposeProject, Tag("<compose>")],
    Discriminator(
        by_key({"compose": ComposeProject}),
        custom_error_type="choice",
        custom_error_message="not a sandbox; allowed: shop, {compose: FILE, project: NAME}",
    ),
]


class Experiment(Frozen):
    """A whole experiment file, version 1."""

    title: str = Field(min_length=1, description="The hypothesis in a few words, as in 'Checkout survives …'.")
    description: str = Field(default="", description="What is expected and why, for the reader of the report.")
    tags: list[str] = Field(
        default_factory=list, description="Words to select by; catalogue IDs such as C7 among them."
    )
    sandbox: SandboxOf = Field(
        default="shop",
        description="What is attacked: shop, which comes with this program, or {compose: FILE, project: NAME}.",
    )
    seed: int | None = Field(
        default=None,
        ge=0,
        lt=2**63,
        strict=True,
        description="Makes every random choice repeatable; drawn and recorded if left out.",
    )
    weak: list[str] = Field(default_factory=list, description="Protections of the shop that are switched off.")
    load: Load = Field(description="The traffic.")
    phases: Phases = Field(default_factory=Phases, description="How long each part lasts.")
    probes: dict[str, Probe] = Field(
        default_factory=dict, description="Measurements of your own, each usable in tolerances by its name."
    )
    steady_state: Tolerances = Field(
        min_length=1, description="What normal is: must hold in the baseline, or nothing is injected."
    )
    method: list[Act] = Field(min_length=1, description="The faults, on a flat timeline.")
    while_faulty: Tolerances | None = Field(
        default=None, description="The hypothesis under fault; steady_state itself where left out."
    )
    recovers: Recovers | None = Field(default=None, description="How soon the system must be steady again.")
    invariants: list[Invariant] = Field(
        default_factory=list, description="What must be true of the systems of record afterwards."
    )
    abort_if: Tolerances = Field(
        default_factory=dict, description="Heal at once when one of these is true while faults are on."
    )
