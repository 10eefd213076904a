"""A reply, or the lack of one → ok, failed or unknown. Pure, and the one place that knows aiohttp's errors.

A reply that says no, and a connection that was never made, are `failed`: no order can have come of them. Whatever went
wrong after something was sent is `unknown`: what was asked for may have been done. Leaves out sending.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Collection
from dataclasses import dataclass

import aiohttp

from chaos.load.history import OVERLOADED, TIMEOUT, Result
from chaos.load.spec import Reply

_OUR_OWN_LIMITS = (errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an operation ended; the fields are those of the history."""

    result: Result
    status: int | None = None
    error: str | None = None
    order_id: str | None = None
    amount_cents: int | None = None


def of_reply(status: int, body: bytes, *, ok: Collection[int], reply: Reply | None) -> Outcome:
    """What a whole reply means; `reply` says where an order's number and amount are, None for any other request.

    A yes that does not say which order it made is unknown: the customer cannot tell what was bought.
    """
    if status not in ok:
        return Outcome("failed", status, str(status))
    if reply is None:
        return Outcome("ok", status)
    try:
        told = json.loads(body)
        order_id, amount_cents = told[reply.order_id], told[reply.amount_cents]
    except (ValueError, KeyError, TypeError):
        return Outcome("unknown", status, "unreadable reply")
    return Outcome("ok", status, None, str(order_id), amount_cents)


def of_error(error: Exception) -> Outcome:
    """What it means that no whole reply came; `error` is what aiohttp raised."""
    if isinstance(error, TimeoutError):
        return Outcome("unknown", error=TIMEOUT)
    if isinstance(error, aiohttp.ClientConnectorError):  # nothing was sent
        number = error.os_error.errno
        if number in _OUR_OWN_LIMITS:
            return Outcome("failed", error=OVERLOADED)
        if number == errno.ECONNREFUSED:
            return Outcome("failed", error="connection refused")
        return Outcome("failed", error=f"cannot connect: {os.strerror(number) if number else error.os_error}")
    if isinstance(error, ConnectionResetError):  # aiohttp's ClientConnectionResetError among them
        return Outcome("unknown", error="connection reset")
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return Outcome("unknown", error="connection closed")
    if isinstance(error, aiohttp.ClientPayloadError):
        return Outcome("unknown", error="reply cut short")
    if isinstance(error, OSError) and error.errno:
        broken = "connection reset" if error.errno == errno.ECONNRESET else f"broken: {os.strerror(error.errno)}"
        return Outcome("unknown", error=broken)
    return Outcome("unknown", error=f"broken: {type(error).__name__}")
