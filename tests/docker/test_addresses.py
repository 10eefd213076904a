"""Where containers are reached, by their peers and from here."""

from __future__ import annotations

import pytest

from chaos.errors import FaultError, Unsupported, UsageError
from chaos.targets.docker.addresses import address_from_here
from chaos.targets.docker.engine import Engine, connect
from tests.docker.small_project import PORT, SmallProject

ANYWHERE, LOOPBACK = "0.0.0.0", "127.0.0.1"


def published(host_ip: str) -> dict[str, object]:
    """What an engine says of a container that publishes port 80."""
    return {
        "State": {"Status": "running"},
        "HostConfig": {"NetworkMode": "shop"},
        "NetworkSettings": {
            "Ports": {"80/tcp": [{"HostIp": host_ip, "HostPort": "32768"}]},
            "Networks": {"shop": {"IPAddress": "198.18.0.9"}},
        },
    }


@pytest.mark.parametrize("host_ip", ["", ANYWHERE, "::"])
@pytest.mark.parametrize(("host", "local"), [(LOOPBACK, True), ("build.example", False)])
def test_a_port_published_everywhere_is_found_at_the_engines_host(host_ip: str, host: str, local: bool) -> None:
    assert address_from_here("web", published(host_ip), 80, host=host, is_local=local) == f"{host}:32768"


def test_a_port_published_on_loopback_is_found_only_where_the_engine_is() -> None:
    assert address_from_here("web", published(LOOPBACK), 80, host=LOOPBACK, is_local=True) == "127.0.0.1:32768"
    with pytest.raises(Unsupported, match=r"on 127\.0\.0\.1 of the engine's host build\.example alone") as caught:
        address_from_here("web", published(LOOPBACK), 80, host="build.example", is_local=False)
    assert "ports: ['80']" in caught.value.remedy


def test_an_unpublished_port_is_found_at_the_container_only_where_the_engine_is() -> None:
    assert address_from_here("web", published(ANYWHERE), 81, host=LOOPBACK, is_local=True) == "198.18.0.9:81"
    with pytest.raises(Unsupported, match="port 81 of web"):
        address_from_here("web", published(ANYWHERE), 81, host="build.example", is_local=False)


@pytest.mark.docker
def test_a_published_port_is_looked_up_each_time(small: SmallProject) -> None:
    small.add("web", port_bindings={PORT: (LOOPBACK,)})
    target = small.target()
    for _ in range(2):
        bound = small.client.api.inspect_container(target._project.container("web")["Id"])
        port = bound["NetworkSettings"]["Ports"][f"{PORT}/tcp"][0]["HostPort"]
        assert target.url("web", "http") == f"http://127.0.0.1:{port}"
        target.kill("web")
        target.start("web")
    target.kill("web")
    with pytest.raises(Unsupported, match="exited"):
        target.url("web", "http")


@pytest.mark.docker
def test_a_port_without_a_name_is_an_error(small: SmallProject) -> None:
    small.add("web")
    with pytest.raises(UsageError, match="no port called 'ssh'"):
        small.target().url("web", "ssh")


@pytest.mark.docker
def test_a_fixed_address_is_known_while_the_container_is_down(small: SmallProject) -> None:
    small.add("web", address=77)
    small.add("cache")
    target = small.target()
    assert target.host("web") == f"{small.subnet}.77"
    assert target.host("cache").startswith(f"{small.subnet}.")
    for name in ("web", "cache"):
        target.kill(name)
    assert target.host("web") == f"{small.subnet}.77"
    with pytest.raises(FaultError, match="cache has no address") as caught:
        target.host("cache")
    assert "ipv4_address" in caught.value.remedy


@pytest.mark.docker
def test_the_address_is_the_one_on_the_network_that_others_share(small: SmallProject) -> None:
    identity = small.add("web", network_mode="bridge")
    small.client.api.connect_container_to_network(identity, small.network, ipv4_address=f"{small.subnet}.78")
    small.add("cache")
    assert small.target().host("web") == f"{small.subnet}.78"


@pytest.mark.docker
def test_another_host_of_the_engine_changes_where_things_are(small: SmallProject) -> None:
    small.add("web", port_bindings={PORT: (ANYWHERE,)})
    here = connect()
    elsewhere = Engine(here._api, "tcp://build.example:2376")
    port = small.target(here).url("web", "http").rpartition(":")[2]
    assert small.target(elsewhere).url("web", "http") == f"http://build.example:{port}"
