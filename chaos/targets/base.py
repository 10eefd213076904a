"""What a fault may ask of a target, whatever runs it: small capabilities, each a protocol.

A target lists the capabilities it has and says, for each it lacks, why and what to do about it. A fault names those
it needs, and `validate` refuses an experiment beforehand where one is missing. Leaves out how anything is done:
that is `embedded.py` and `compose.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from chaos.system import System


class Capability(StrEnum):
    """A thing that some targets can do and others cannot."""

    PROCESSES = "processes"  # kill, start, pause and look at a service's processes
    NETWORK = "network"  # drop packets in a service's own network namespace
    DELAY = "delay"  # hold packets back there; some kernels drop but cannot queue
    THIRD_PARTY = "third party"  # tell a third party to misbehave
    PROXY = "proxy"  # a Toxiproxy stands between services and those they call
    LIMITS = "limits"  # change what a service may use of CPU and memory


@dataclass(frozen=True)
class Refusal:
    """Why a capability is missing here, and what a person can do about it."""

    why: str
    remedy: str


@dataclass(frozen=True)
class Terrain:
    """What is known of a target before it is started: enough to validate and plan, changing nothing."""

    system: System
    missing: Mapping[Capability, Refusal]


@dataclass(frozen=True)
class ProcessState:
    """One process, as the kernel shows it."""

    pid: int
    state: str  # the letter of /proc/PID/stat: R, S, D running or waiting, T stopped, Z dead
    started: int  # clock ticks since boot; tells a process from a later one with the same pid


class Processes(Protocol):
    """Signals and starts the processes of services."""

    def kill(self, service: str) -> None:
        """SIGKILL to every process of the service; returns once they are gone. Harmless when none runs."""

    def start(self, service: str) -> None:
        """Starts the service unless it runs; does not wait until it serves."""

    def terminate(self, service: str) -> None:
        """The service's stop signal to its first process, which asks it to end; does not wait."""

    def pause(self, service: str) -> None:
        """SIGSTOP to every process of the service."""

    def resume(self, service: str) -> None:
        """SIGCONT to every process of the service; harmless when none is stopped."""

    def processes(self, service: str) -> list[ProcessState]:
        """The service's processes, its first one first; empty when none runs."""


class Agent(Protocol):
    """One service's network agent; see chaos/agent for the requests it takes."""

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Sends one request and returns the reply; raises FaultError when the agent refuses or is gone."""


class Network(Protocol):
    """Finds agents and addresses."""

    def agent(self, service: str) -> Agent:
        """The agent in the service's network namespace, started if none runs."""

    def host(self, service: str) -> str:
        """The service's address as its peers see it."""

    def hosts(self, service: str) -> list[str]:
        """Every address of the service that a peer may see; more than one where it is on several networks."""


class Http(Protocol):
    """Finds where a service listens."""

    def url(self, service: str, port: str) -> str:
        """`http://host:port` of one port of a service, reachable from here."""


class Sql(Protocol):
    """Finds how to log in to databases."""

    def dsn(self, service: str) -> str:
        """The connection string of a service's database; raises Unsupported where none is known."""


class Exec(Protocol):
    """Runs commands where a service runs."""

    def run(self, service: str, argv: Sequence[str], timeout_s: float) -> tuple[int, str]:
        """The exit code, and what it printed; raises TimeoutError when it took longer, and it is gone then."""


@dataclass(frozen=True)
class Toxic:
    """A disturbance of one direction of a proxy's connections, in Toxiproxy's words."""

    name: str
    kind: str  # latency, bandwidth, …
    stream: str  # upstream: what clients send; downstream: what they get
    toxicity: float  # the share of connections that meet it, 0 to 1; drawn for each connection
    attributes: Mapping[str, int]


@dataclass(frozen=True)
class LinkState:
    """A proxy, as its Toxiproxy shows it."""

    name: str
    listen: str  # host:port in the Toxiproxy's own network
    upstream: str  # host:port of the service that is called
    enabled: bool
    toxics: tuple[Toxic, ...]


class Link(Protocol):
    """The proxy through which one service is called. Every call has a time limit, and raises FaultError."""

    def state(self) -> LinkState:
        """What is on now."""

    def add(self, toxic: Toxic) -> None:
        """Puts a toxic on, for connections that are open too."""

    def remove(self, name: str) -> None:
        """Takes a toxic off; harmless when there is none of that name. A Toxiproxy that hangs over it is restarted."""

    def enable(self, enabled: bool) -> None:
        """Opens or closes the listener; closing ends its connections."""

    def doors(self) -> list[str]:
        """host:port of the listener as it may be reached from here, the most direct way first."""


class Proxies(Protocol):
    """Finds the proxies in front of services."""

    def proxy(self, service: str) -> Link:
        """The proxy through which a service is called, made if the manifest tells how; FaultError without one."""


@dataclass(frozen=True)
class Usage:
    """What a service uses of CPU and memory, as the kernel counted it since it was started."""

    periods: int  # in which it wanted CPU while it had a limit
    throttled: int  # those of them in which it got no more
    throttled_s: float  # how long its threads waited for that
    memory_bytes: int
    memory_held_bytes: int  # of them, what the kernel cannot free: no files
    memory_refused: int | None  # how often it met its memory limit; None where the kernel does not tell
    oom_killed: bool


class Limits(Protocol):
    """What one service may use; kept by the kernel, also when nobody of us is there any more."""

    def cpu(self) -> dict[str, int]:
        """The limit of CPU in the engine's own words, to be restored from."""

    def cpus(self) -> float:
        """The limit of CPU in CPUs; infinite where there is none."""

    def limit_cpu(self, cpus: float) -> None:
        """Allows so many CPUs."""

    def restore_cpu(self, was: Mapping[str, int]) -> None:
        """Puts back what `cpu` said."""

    def memory(self) -> dict[str, int]:
        """The limit of memory in the engine's own words, to be restored from."""

    def memory_bytes(self) -> float:
        """The limit of memory in bytes; infinite where there is none."""

    def limit_memory(self, limit: int) -> None:
        """Allows so many bytes, and no swap; raises FaultError where more is in use that cannot be freed."""

    def restore_memory(self, was: Mapping[str, int]) -> None:
        """Puts back what `memory` said."""

    def usage(self) -> Usage:
        """What it uses now."""


class Cgroups(Protocol):
    """Finds what services may use."""

    def limits(self, service: str) -> Limits:
        """The limits of a service."""


class Target(Processes, Network, Http, Sql, Exec, Proxies, Cgroups, Protocol):
    """A running system: every capability it has. Asking for a missing one raises Unsupported."""

    terrain: Terrain


class Sandbox(Target, Protocol):
    """A target as the conductor sees it: with a beginning and an end."""

    def up(self, *, interrupted: Callable[[], bool]) -> None:
        """Returns once every service serves, or when `interrupted` says so; raises SandboxError where one does not."""

    def down(self) -> None:
        """Ends what `up` began, and whatever else was started here; harmless when there is nothing."""

    def ended(self) -> dict[str, int]:
        """Services whose first process is not there, with its exit code."""

    def unready(self) -> list[str]:
        """The services that do not serve at this moment."""
