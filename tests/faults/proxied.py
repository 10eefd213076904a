"""A web server behind a real Toxiproxy, and somebody who calls it: containers with compose's labels on the real engine.

Whether a fault acts is asked of the caller, whose requests go through the proxy and are timed in its own container.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chaos import faults
from chaos.faults.base import Evidence, Fault, Lease, Seen
from chaos.faults.proxy import ProxyFault
from chaos.system import System
from chaos.targets.base import LinkState, Terrain
from chaos.targets.compose import ComposeTarget
from chaos.targets.docker.containers import Project
from chaos.targets.docker.engine import connect
from tests.docker.small_project import SmallProject

TOXIPROXY = "ghcr.io/shopify/toxiproxy:2.12.0"
LISTEN = 25001
PAGE_BYTES = 2_000
_TRIED_WITHIN_S = 20.0
_WEB = f"""
import http.server
class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "{PAGE_BYTES}")
        self.end_headers()
        self.wfile.write(b"x" * {PAGE_BYTES})
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Page).serve_forever()
"""
_CALL = f"""
import http.client, json, time
began = time.monotonic()
got = 0
try:
    connection = http.client.HTTPConnection("toxiproxy", {LISTEN}, timeout=2)
    connection.request("GET", "/")
    got = len(connection.getresponse().read())
    said = "whole"
except ConnectionRefusedError:
    said = "refused"
except http.client.RemoteDisconnected:
    said = "closed"
except ConnectionResetError:
    said = "reset"
except TimeoutError:
    said = "timeout"
except (http.client.HTTPException, OSError) as error:
    said = type(error).__name__
print(json.dumps([said, time.monotonic() - began, got]))
"""
MANIFEST: dict[str, Any] = {
    "name": "proxied",
    "services": {
        "web": {"command": ["-"], "ports": {"http": 8080}, "ready": {"http": "/"}},
        "caller": {"command": ["-"], "ports": {}, "ready": {}},
    },
    "proxy": {
        "service": "toxiproxy",
        "clients": ["caller"],
        "listeners": {"web": {"port": "http", "listen": LISTEN}},
    },
}


class Proxied(SmallProject):
    """The project, and faults on what is called in it."""

    toxiproxy = TOXIPROXY

    def __init__(self, client: Any, logs: Path) -> None:
        super().__init__(client, logs)
        self.up("web", self._image, ["python3", "-c", _WEB])
        self.up("caller", self._image, ["sleep", "600"])
        loopback = dict.fromkeys((8474, LISTEN), ("127.0.0.1",))
        self.up("toxiproxy", TOXIPROXY, ["-host=0.0.0.0"], port_bindings=loopback)
        self.here = self.fresh()
        self.here.open_proxies()

    def up(self, service: str, image: str, command: list[str], *, offered: bool = True, **wanted: Any) -> None:
        """Starts a container that its peers find by the service's name."""
        api = self.client.api
        endpoint = api.create_endpoint_config(aliases=[service])
        identity = api.create_container(
            image,
            command,
            labels={
                "com.docker.compose.project": self.name,
                "com.docker.compose.service": service,
                "com.docker.compose.container-number": "1",
                "com.docker.compose.oneoff": "False",
                "chaos.allowed": str(offered).lower(),
            },
            ports=list(wanted.get("port_bindings", {})),
            host_config=api.create_host_config(network_mode=self.name, init=True, **wanted),
            networking_config=api.create_networking_config({self.name: endpoint}),
        )["Id"]
        api.start(identity)

    def fresh(self, manifest: Mapping[str, Any] = MANIFEST) -> ComposeTarget:
        """The project as a target that knows nothing yet, as another process would have it."""
        system = System.model_validate(manifest)
        project = Project(connect(), self.name)
        return ComposeTarget(Terrain(system, {}), project, run=self.run, allowed=False, logs=self._logs)

    def call(self) -> tuple[str, float, int]:
        """The caller asks for a page through the proxy: what came of it, the seconds it took, and its bytes."""
        code, out = self.here.run("caller", ["python3", "-c", _CALL], 10.0)
        assert code == 0, out
        said, seconds, got = json.loads(out)
        return said, seconds, got

    def state(self) -> LinkState:
        """What the Toxiproxy itself shows."""
        return self.here.proxy("web").state()


class On:
    """A fault on `web` while the context lasts."""

    def __init__(self, proxied: Proxied, word: str, *, service: str = "web", for_s: float = 30.0, **with_: Any) -> None:
        self.target = proxied.here
        self.fault: Fault = faults.fault_class(word).model_validate(with_, by_alias=True, by_name=False)
        self.lease = Lease(f"1-{word}-{service}", service, for_s, seed=1)
        self.seen: Seen = {}

    def __enter__(self) -> On:
        self.fault.prepare(self.target, self.lease)
        # As it comes back from the journal.
        self.seen = json.loads(json.dumps(dict(self.fault.before(self.target, self.lease))))
        self.fault.inject(self.target, self.lease, self.seen)
        assert self.active()
        return self

    def __exit__(self, *_: object) -> None:
        self.heal()
        self.heal()  # twice is harmless
        assert not self.active()

    def active(self) -> bool:
        """Whether the system says it is on."""
        return self.fault.is_active(self.target, self.lease, self.seen)

    def heal(self) -> None:
        """Takes it off."""
        self.fault.heal(self.target, self.lease, self.seen)

    def evidence(self) -> Evidence:
        """Its measured effect, once our own conversations are over: real faults last longer than these tests."""
        assert isinstance(self.fault, ProxyFault)
        for attempts in self.fault._attempts.values():
            attempts._thread.join(_TRIED_WITHIN_S)
        return self.fault.evidence(self.target, self.lease, self.seen)
