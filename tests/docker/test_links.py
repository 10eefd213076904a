"""The proxies of a real Toxiproxy: found by what they lead to, made once, and their errors told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chaos.errors import FaultError, Unsupported
from chaos.targets.base import Toxic
from chaos.targets.docker.links import Links
from chaos.targets.docker.toxiproxy import ToxiproxyApi
from tests.faults.proxied import LISTEN, MANIFEST, Proxied

pytestmark = pytest.mark.docker

OWN = {**MANIFEST, "proxy": {"service": "toxiproxy"}}


@pytest.fixture(scope="module")
def proxied(engine: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    """A web server behind a real Toxiproxy."""
    made = Proxied(engine, tmp_path_factory.mktemp("links"))
    yield made
    made.here.down()
    made.remove()


@pytest.fixture
def api(proxied: Proxied) -> ToxiproxyApi:
    """The control API."""
    return links(proxied).api()


def links(proxied: Proxied, manifest: Any = MANIFEST) -> Links:
    """The links of the project."""
    return proxied.fresh(manifest)._links()


def test_proxies_are_made_once(proxied: Proxied, api: ToxiproxyApi) -> None:
    api.add("web", Toxic("kept", "latency", "upstream", 0.5, {"latency": 7, "jitter": 1}))
    links(proxied).populate()
    [state] = api.proxies().values()
    assert [state.name, state.upstream, state.enabled] == ["web", "web:8080", True]
    [toxic] = state.toxics
    assert toxic == Toxic("kept", "latency", "upstream", 0.5, {"latency": 7, "jitter": 1})
    api.remove("web", "kept")
    api.remove("web", "kept")
    assert api.proxies()["web"].toxics == ()


def test_without_listeners_a_proxy_is_found_by_where_it_leads(proxied: Proxied, api: ToxiproxyApi) -> None:
    assert proxied.fresh(OWN).proxy("web").state().listen.endswith(f":{LISTEN}")
    with pytest.raises(FaultError, match="0 proxies of toxiproxy lead to caller"):
        proxied.fresh(OWN).proxy("caller")
    api.create("second", listen="0.0.0.0:25009", upstream="web:8080")
    with pytest.raises(FaultError, match="2 proxies of toxiproxy lead to web"):
        proxied.fresh(OWN).proxy("web")
    links(proxied, OWN).restart()
    assert links(proxied, OWN).api().proxies() == {}
    links(proxied).populate()


def test_a_reply_of_500_is_no_yes(api: ToxiproxyApi) -> None:
    with pytest.raises(FaultError, match="address already in use"):
        api.create("third", listen=f"0.0.0.0:{LISTEN}", upstream="web:8080")


@pytest.mark.parametrize(
    ("toxic", "why"),
    [
        (Toxic("x", "latency", "sideways", 1.0, {}), "stream was invalid"),
        (Toxic("x", "no_such", "upstream", 1.0, {}), "invalid toxic type"),
    ],
)
def test_what_it_refuses_is_told_in_its_words(api: ToxiproxyApi, toxic: Toxic, why: str) -> None:
    with pytest.raises(FaultError, match=why):
        api.add("web", toxic)
    with pytest.raises(FaultError, match="there is no proxy nowhere"):
        api.add("nowhere", Toxic("x", "latency", "upstream", 1.0, {}))


def test_one_that_is_not_there(proxied: Proxied) -> None:
    with pytest.raises(FaultError, match="could not list its proxies"):
        ToxiproxyApi("127.0.0.1:1").proxies()
    with pytest.raises(Unsupported, match="no Toxiproxy stands in project"):
        links(proxied, {key: value for key, value in MANIFEST.items() if key != "proxy"})
