"""SERVICE:PORT/PATH: which port is meant, and what is said where none is."""

from __future__ import annotations

import pytest

from chaos.endpoint import Endpoint, endpoint
from chaos.shipped import load_system
from chaos.system import Ready, Service, System

SHOP = load_system()


def own(**ports: list[int]) -> System:
    """A system of a user's own, whose ports go by their numbers; a set comes with it."""
    services = {
        name: Service(command=["true"], ports={str(each): each for each in listed}, ready=Ready())
        for name, listed in ports.items()
    }
    return System(name="notes", services=services, sets={"webs": list(services)})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("edge/", Endpoint("edge", "http", "/")),
        ("payments/healthz", Endpoint("payments", "http", "/healthz")),  # it has another port, which is not called http
        ("payments:control/ledger", Endpoint("payments", "control", "/ledger")),
        ("payments:8090/ledger?a=b:c/d", Endpoint("payments", "control", "/ledger?a=b:c/d")),
        ("db-primary:5432/x", Endpoint("db-primary", "sql", "/x")),
    ],
)
def test_ports_of_the_shop(text: str, found: Endpoint) -> None:
    assert endpoint(text, SHOP) == found


def test_ports_of_a_system_of_ones_own() -> None:
    system = own(web=[8000], admin=[80, 443])
    assert endpoint("web/notes/{n}", system) == endpoint("web:8000/notes/{n}", system)
    assert endpoint("web/notes", system) == Endpoint("web", "8000", "/notes")
    assert endpoint("admin:443/", system) == Endpoint("admin", "443", "/")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "there is no service ''; allowed: db-primary"),
        ("/healthz", "there is no service ''"),
        ("edg/x", "there is no service 'edg'; did you mean 'edge'; allowed: "),
        ("storefronts/x", "storefronts is a set; name one of its services: storefront-1, storefront-2"),
        ("edge", "a path is missing; write edge/PATH"),
        ("edge:8080", "a path is missing; write edge:8080/PATH"),
        ("edge:80/x", "edge has no port '80'; did you mean '8080'; allowed: http, 8080"),
        (
            "payments:contrl/x",
            "payments has no port 'contrl'; did you mean 'control'; allowed: http, control, 8080, 8090",
        ),
        ("edge:/x", "edge has no port ''; allowed: http, 8080"),
        ("db-primary/x", "db-primary has no http port; allowed: payments, shipping, worker"),
        ("http://edge/x", "'http://edge/x' is an address; write SERVICE/PATH or SERVICE:PORT/PATH"),
        ("edge/a b", "a path cannot hold ' '; write %20 instead"),
        ("edge/a\nb", r"a path cannot hold '\n'; write %0A instead"),
        ("edge/a#b", "a path cannot hold '#'; write %23 instead"),
    ],
)
def test_what_is_none(text: str, what: str) -> None:
    with pytest.raises(ValueError) as caught:
        endpoint(text, SHOP)
    assert str(caught.value).startswith(what)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("admin/", "admin has several ports; write admin:PORT/PATH with one of 80, 443"),
        ("job/", "job has no http port; list it under `expose` in the compose file"),
        ("job:80/", "job has no port '80'; list it under `expose` in the compose file"),
        (
            "web:80/",
            "web has no port '80'; did you mean '8000'; allowed: 8000; list it under `expose` in the compose file",
        ),
    ],
)
def test_ports_that_a_compose_file_does_not_list(text: str, what: str) -> None:
    with pytest.raises(ValueError) as caught:
        endpoint(text, own(web=[8000], admin=[80, 443], job=[]))
    assert str(caught.value) == what
