"""Errors as buyers see them: plain words, and whether money was taken. JSON for programs, a page for people.

A Problem is raised wherever a request cannot be served. The middleware here is the storefront's outermost edge:
whatever else goes wrong becomes a plain 500. Without `plain_errors` everything comes out raw, with its stack trace.
"""

import logging
import traceback
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from sandbox import protections
from sandbox.postgres import DatabaseUnavailableError

log = logging.getLogger(__name__)

_TITLES = {
    400: "That did not work",
    404: "Not found",
    405: "Not possible here",
    409: "Sold out",
    413: "Too large",
    500: "Something went wrong on our side",
    503: "We cannot do this right now",
}


class Problem(Exception):
    """A request that cannot be served: HTTP status, and a message for the buyer.

    `money_taken` None means that it is not known yet whether the order stands.
    """

    def __init__(self, status: int, message: str, *, money_taken: bool | None = False) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.money_taken = money_taken

    @property
    def title(self) -> str:
        """A heading for the page."""
        return _TITLES.get(self.status, "That did not work")


def wants_page(request: web.Request) -> bool:
    """Whether a person's browser asks, rather than a program."""
    return "text/html" in request.headers.get("Accept", "")


def middleware(page: Callable[[web.Request, Problem], Awaitable[web.Response]]) -> Middleware:
    """Turns everything that goes wrong into a plain answer; `page` renders it for people."""

    @web.middleware
    async def plainly(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Exception as error:
            if isinstance(error, web.HTTPException) and error.status < 400:
                raise
            if not protections.on("plain_errors"):
                return web.Response(status=500, text=traceback.format_exc())
            problem = _as_problem(request, error)
            if wants_page(request):
                return await page(request, problem)
            reply = {"error": problem.message, "money_taken": problem.money_taken}
            return web.json_response(reply, status=problem.status, headers={"Cache-Control": "no-store"})

    return plainly


def _as_problem(request: web.Request, error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, DatabaseUnavailableError):
        return Problem(503, "We cannot show this right now. Please try again in a moment.")
    if isinstance(error, web.HTTPNotFound):
        return Problem(404, "There is nothing at this address.")
    if isinstance(error, web.HTTPException):
        return Problem(error.status, error.reason)
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    unsure = None if request.method == "POST" else False
    return Problem(500, "Something went wrong on our side. Please try again in a moment.", money_taken=unsure)
