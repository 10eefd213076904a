"""The control port of a third party: `PUT`, `GET` and `DELETE /fault`, and `GET /ledger`, whatever the public port
does.

It stands for the third party's back office, which a fault of its public interface does not reach.
"""

import json
from contextlib import AsyncExitStack
from pathlib import Path

from aiohttp import web

from sandbox import serve, settings
from sandbox.third_party import fault
from sandbox.third_party.ledger import Ledger
from sandbox.third_party.public_port import PublicPort

CHUNK_BYTES = 1 << 16


async def open_ports(public: web.Application, ledger: Ledger, stack: AsyncExitStack) -> None:
    """Opens the public port (`http`) with `public` on it, and the control port (`control`)."""
    public.router.add_get("/healthz", _healthy)
    port = PublicPort(public, settings.own_address("http"))
    control = web.Application()
    control.add_routes(_Routes(port, ledger.path).table())
    await serve.listen(control, settings.own_address("control"), stack)
    await port.open(stack)


class _Routes:
    def __init__(self, port: PublicPort, ledger: Path) -> None:
        self._port = port
        self._ledger = ledger

    def table(self) -> list[web.RouteDef]:
        return [
            web.put("/fault", self._set),
            web.delete("/fault", self._clear),
            web.get("/fault", self._state),
            web.get("/ledger", self._stream_ledger),
            web.get("/healthz", _healthy),
        ]

    async def _set(self, request: web.Request) -> web.Response:
        try:
            asked = fault.parse(await request.json())
        except json.JSONDecodeError:
            return web.json_response({"error": "the body is not JSON"}, status=400)
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        await self._port.set_fault(asked)
        return await self._state(request)

    async def _clear(self, request: web.Request) -> web.Response:
        await self._port.clear_fault()
        return await self._state(request)

    async def _state(self, _request: web.Request) -> web.Response:
        return web.json_response(self._port.state())

    async def _stream_ledger(self, request: web.Request) -> web.StreamResponse:
        """All entries as JSON lines. Entries are written whole between two steps of the loop, so no line is torn."""
        reply = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await reply.prepare(request)
        with self._ledger.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                await reply.write(chunk)
        await reply.write_eof()
        return reply


async def _healthy(_request: web.Request) -> web.Response:
    return web.Response(text="ok\n")
