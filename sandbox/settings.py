"""What a service is told from outside: its name, everybody's addresses, and a folder for its data.

`SHOP_SERVICE` own name, `SHOP_ADDRESSES` JSON `{service: {port name: "host:port"}}`, `SHOP_BIND` host to listen on,
`SHOP_DATA` folder. Without `SHOP_ADDRESSES`, or where it is empty, hosts are the services' names and ports those of
`shop.yaml`, as compose files want it. Addresses without the service's own are laid over these, port by port: a compose
file names only the links that go another way, as through a proxy. Names of switched-off protections are read in
`protections`.
"""

import json
import os
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Address(NamedTuple):
    """Where a port of a service is found."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The address as the start of an HTTP URL, without a slash at the end."""
        return f"http://{self.host}:{self.port}"


def service() -> str:
    """This service's own name; KeyError without `SHOP_SERVICE`."""
    return os.environ["SHOP_SERVICE"]


def address(name: str, port: str) -> Address:
    """Where service `name` listens with its port called `port`; KeyError where there is no such port."""
    return _addresses()[name][port]


def services(prefix: str) -> list[str]:
    """The names of all services that start with `prefix`, in the order of the addresses given."""
    return [name for name in _addresses() if name.startswith(prefix)]


def own_address(port: str) -> Address:
    """Where this service is to listen: its own entry, on `SHOP_BIND` if that is set."""
    own = address(service(), port)
    return Address(os.environ.get("SHOP_BIND", own.host), own.port)


def data_folder() -> Path:
    """The folder this service keeps its data in; made by whoever starts the service."""
    return Path(os.environ["SHOP_DATA"])


@cache
def _addresses() -> dict[str, dict[str, Address]]:
    given = _parse(os.environ.get("SHOP_ADDRESSES") or "{}")
    if os.environ.get("SHOP_SERVICE") in given:
        return given  # whoever gives a service its own address gives all it needs, and reading shop.yaml takes time
    addresses = _names_as_hosts()
    for name, ports in given.items():
        addresses.setdefault(name, {}).update(ports)
    return addresses


def _parse(text: str) -> dict[str, dict[str, Address]]:
    addresses: dict[str, dict[str, Address]] = {}
    for name, ports in json.loads(text).items():
        addresses[name] = {}
        for port_name, place in ports.items():
            host, _, number = place.rpartition(":")
            addresses[name][port_name] = Address(host, int(number))
    return addresses


def _names_as_hosts() -> dict[str, dict[str, Address]]:
    import yaml  # only needed here, and start-up counts

    shop = yaml.safe_load((Path(__file__).parent / "shop.yaml").read_text(encoding="utf-8"))
    return {
        name: {port_name: Address(name, number) for port_name, number in entry["ports"].items()}
        for name, entry in shop["services"].items()
    }
