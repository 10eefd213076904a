"""The catalogue: one line per fault, its word and where it lives.

A fault's module is imported when its word is first asked for, so that a file is checked without loading the
faults it does not use. packets.py, processes.py, proxy.py and third_party.py hold what several faults share,
proxy_toxic.py, proxy_probe.py, proxy_attempts.py and proxy_words.py more of those of a proxy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chaos.faults.base import Fault

_CATALOGUE = {
    "process.kill": "process_kill:ProcessKill",
    "process.pause": "process_pause:ProcessPause",
    "process.restart": "process_restart:ProcessRestart",
    "network.latency": "network_latency:NetworkLatency",
    "network.loss": "network_loss:NetworkLoss",
    "network.partition": "network_partition:NetworkPartition",
    "payment.outage": "payment_outage:PaymentOutage",
    "payment.reply_lost": "payment_reply_lost:PaymentReplyLost",
    "proxy.latency": "proxy_latency:ProxyLatency",
    "proxy.bandwidth": "proxy_bandwidth:ProxyBandwidth",
    "proxy.timeout": "proxy_timeout:ProxyTimeout",
    "proxy.reset": "proxy_reset:ProxyReset",
    "proxy.slow_close": "proxy_slow_close:ProxySlowClose",
    "proxy.limit": "proxy_limit:ProxyLimit",
    "proxy.slice": "proxy_slice:ProxySlice",
    "proxy.down": "proxy_down:ProxyDown",
    "resource.cpu": "resource_cpu:ResourceCpu",
    "resource.memory": "resource_memory:ResourceMemory",
}


def words() -> list[str]:
    """The words of all faults, in the catalogue's order."""
    return list(_CATALOGUE)


def fault_class(word: str) -> type[Fault]:
    """The class behind a word; KeyError for a word that is not in the catalogue."""
    module, name = _CATALOGUE[word].split(":")
    found: type[Fault] = getattr(import_module(f"{__name__}.{module}"), name)
    return found
