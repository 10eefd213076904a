"""Which links of the shop go through its proxy in a run: those that the plan's proxy faults name, and no other.

So a packet fault between two services acts on that very link. Pure: plan and system in, variables for the compose file
out. Services lay what they are told over the addresses they know.
"""

from __future__ import annotations

import json

from chaos.faults.proxy import ProxyFault
from chaos.plan import Plan
from chaos.system import System


def routes(plan: Plan, system: System) -> dict[str, str]:
    """`SHOP_ADDRESSES_<CLIENT>` → JSON `{service called: {port name: "proxy:port"}}`, for each client of a proxy."""
    proxy = system.proxy
    if proxy is None:
        return {}
    told: dict[str, dict[str, dict[str, str]]] = {}
    for step in plan.steps:
        if isinstance(step.fault, ProxyFault) and step.service in proxy.listeners:
            listener = proxy.listeners[step.service]
            for client in step.fault.clients(system):
                told.setdefault(client, {})[step.service] = {listener.port: f"{proxy.service}:{listener.listen}"}
    return {_variable(client): json.dumps(addresses) for client, addresses in told.items()}


def _variable(client: str) -> str:
    return f"SHOP_ADDRESSES_{client.upper().replace('-', '_')}"
