"""How each kind of probe is asked. Whatever goes wrong is a reading too: not ok, and why.

Leaves out when: that is `observer`.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

import aiohttp
import psycopg

from chaos.endpoint import endpoint
from chaos.errors import ChaosError
from chaos.load.history import TIMEOUT
from chaos.load.outcome import of_error
from chaos.model import CommandProbe, HttpProbe, Probe, SqlProbe
from chaos.observe.number import number
from chaos.targets.base import Target

_STATES_NOT_RUNNING = "TtZX"  # stopped by a signal or a debugger, dead


@dataclass(frozen=True, slots=True)
class Reading:
    """What one asking found."""

    ok: bool
    value: float | None = None
    error: str | None = None


def ask(probe: Probe, target: Target, timeout_s: float) -> Reading:
    """Asks once; takes at most `timeout_s` seconds, except where the target itself takes longer to run a command."""
    try:
        if isinstance(probe, HttpProbe):
            return asyncio.run(_http(probe, target, timeout_s))
        if isinstance(probe, SqlProbe):
            return _sql(probe, target, timeout_s)
        if isinstance(probe, CommandProbe):
            return _command(probe, target, timeout_s)
        return _state(probe.state, target)
    except TimeoutError:
        return Reading(False, error=TIMEOUT)
    except aiohttp.ClientError as error:
        return Reading(False, error=of_error(error).error)
    except ChaosError as error:
        return Reading(False, error=error.what)
    except (OSError, ValueError, psycopg.Error) as error:
        return Reading(False, error=str(error))


async def _http(probe: HttpProbe, target: Target, timeout_s: float) -> Reading:
    asked = endpoint(probe.http, target.terrain.system)
    timeout = aiohttp.ClientTimeout(total=timeout_s, ceil_threshold=math.inf)
    url = target.url(asked.service, asked.port) + asked.path
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.get(url, allow_redirects=False) as response,
    ):
        await response.read()
    return Reading(True) if response.status < 400 else Reading(False, error=str(response.status))


def _sql(probe: SqlProbe, target: Target, timeout_s: float) -> Reading:
    return Reading(True, number(target.dsn(probe.on), probe.sql, timeout_s))


def _command(probe: CommandProbe, target: Target, timeout_s: float) -> Reading:
    code, printed = target.run(probe.on, probe.command, timeout_s)
    return Reading(code == 0, _number_in(printed), None if code == 0 else f"exit code {code}")


def _number_in(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _state(service: str, target: Target) -> Reading:
    processes = target.processes(service)
    if any(process.state not in _STATES_NOT_RUNNING for process in processes):
        return Reading(True)
    return Reading(False, error="every process is stopped" if processes else "no process")
