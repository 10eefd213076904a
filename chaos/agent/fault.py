"""What a fault is asked to be: the `add` command checked, with every limit named.

Left out: what the kernel makes of it (rules.py), and IPv6 peers, which are refused by name.
"""

import math
import socket
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

ACTIONS = ("latency", "loss", "partition", "count")  # count does nothing to packets: it measures others' faults
DIRECTIONS = ("in", "out", "both")
NAME_BYTES_MAX = 120  # the kernel keeps the name beside the fault's expiry, in at most 256 bytes
PEERS_MAX = 1_000
PORTS_MAX = 1_000
DELAY_MS_MAX = 60_000.0
PERCENT_MIN = 0.0001  # one packet of a million
FOR_S_MIN, FOR_S_MAX = 0.05, 86_400.0  # the kernel counts a life in ticks of up to 10 ms
KEYS = ("fault", "action", "direction", "peers", "ports", "delay_ms", "jitter_ms", "percent", "for_s", "seed")


class Refused(Exception):
    """A command that will not be carried out; `allowed` says what would be."""

    def __init__(self, error: str, allowed: str) -> None:
        super().__init__(error)
        self.allowed = allowed


class Fault(NamedTuple):
    """A packet fault. Peers are IPv4 addresses of four bytes, none meaning all but loopback; no ports means all."""

    name: str
    action: str
    direction: str
    peers: tuple[bytes, ...]
    ports: tuple[int, ...]
    delay_ms: float
    jitter_ms: float
    percent: float
    for_s: float
    seed: int | None

    @property
    def inwards(self) -> bool:
        """Whether packets that come from peers are treated."""
        return self.direction != "out"

    @property
    def outwards(self) -> bool:
        """Whether packets that go to peers are treated."""
        return self.direction != "in"


def parse(command: Mapping[str, Any]) -> Fault:
    """The fault that an `add` command asks for; Refused, naming the key, where it is none."""
    unknown = sorted(set(command) - {"id", "do", *KEYS})
    if unknown:
        raise Refused(f"unknown key {unknown[0]!r}", ", ".join(KEYS))
    action = _word(command, "action", ACTIONS)
    percent = _number(command, "percent", 100.0, needed=action == "loss")
    if action == "loss" and percent < PERCENT_MIN:
        raise Refused(f"percent: {percent} is too little to be drawn", f"{PERCENT_MIN} to 100")
    delay_ms = _number(command, "delay_ms", DELAY_MS_MAX, needed=action == "latency")
    jitter_ms = _number(command, "jitter_ms", DELAY_MS_MAX)
    if action == "latency" and delay_ms + jitter_ms == 0:
        raise Refused("delay_ms: a latency of nothing", f"more than 0, at most {DELAY_MS_MAX:g} ms")
    for_s = _number(command, "for_s", FOR_S_MAX, needed=True)
    if for_s < FOR_S_MIN:
        raise Refused(f"for_s: {for_s} is too short", f"{FOR_S_MIN:g} to {FOR_S_MAX:g} s")
    seed = command.get("seed")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        _wrong("seed", seed, "a whole number, or null")
    return Fault(
        name=name_in(command),
        action=action,
        direction=_word(command, "direction", DIRECTIONS, default="both"),
        peers=tuple(dict.fromkeys(_address(peer) for peer in _list(command, "peers", PEERS_MAX))),
        ports=tuple(dict.fromkeys(_port(port) for port in _list(command, "ports", PORTS_MAX))),
        delay_ms=delay_ms,
        jitter_ms=jitter_ms,
        percent=percent,
        for_s=for_s,
        seed=seed,
    )


def name_in(command: Mapping[str, Any]) -> str:
    """The fault's name in any command."""
    name = command.get("fault")
    allowed = f"a name of 1 to {NAME_BYTES_MAX} bytes of UTF-8"
    if not isinstance(name, str):
        _wrong("fault", name, allowed)
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        _wrong("fault", name, allowed)
    if not 1 <= length <= NAME_BYTES_MAX:
        _wrong("fault", name, allowed)
    return name


def _word(command: Mapping[str, Any], key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
    word = command.get(key, default)
    if not isinstance(word, str) or word not in allowed:
        _wrong(key, word, ", ".join(allowed))
    return word


def _number(command: Mapping[str, Any], key: str, most: float, *, needed: bool = False) -> float:
    value = command.get(key)
    if value is None and not needed:
        return 0.0
    allowed = f"a number from 0 to {most:g}"
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most or math.isnan(value):
        _wrong(key, value, allowed)
    return float(value)


def _list(command: Mapping[str, Any], key: str, longest: int) -> list[Any]:
    values = command.get(key)
    if values is None:
        return []
    if not isinstance(values, list) or len(values) > longest:
        _wrong(key, values, f"a list of at most {longest}")
    return values


def _address(value: Any) -> bytes:
    try:
        return socket.inet_pton(socket.AF_INET, value)
    except (OSError, TypeError, ValueError):
        _wrong("peers", value, "IPv4 addresses as text, such as 198.18.0.20")


def _port(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65_535:
        _wrong("ports", value, "whole numbers from 1 to 65535")
    return value


def _wrong(key: str, value: object, allowed: str) -> NoReturn:
    shown = ascii(value)
    raise Refused(f"{key}: {shown if len(shown) <= 80 else shown[:77] + '...'} will not do", allowed)
