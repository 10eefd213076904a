"""A door into the sandbox: hands each connection on a loopback port to the shop's entrance.

The listening socket was made outside, in the user's network, and came in as a file descriptor; so the shop can be
opened in a browser although its own network is closed. Runs in a thread, and ends with the process.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress

_CHUNK = 65536


def open_page(descriptor: int, host: str, port: int) -> None:
    """Forwards connections from the inherited listening socket to `host:port` from now on."""
    listening = socket.socket(fileno=descriptor)
    thread = threading.Thread(target=lambda: asyncio.run(_serve(listening, host, port)), daemon=True, name="page")
    thread.start()


async def _serve(listening: socket.socket, host: str, port: int) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection(host, port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pipe(reader, inner_writer), _pipe(inner_reader, writer))

    server = await asyncio.start_server(handle, sock=listening)
    await server.serve_forever()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):  # one side hung up: the other is closed, which tells its peer
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()
