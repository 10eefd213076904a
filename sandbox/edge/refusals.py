"""What the edge itself answers when no storefront does: plain words, and for an order whether money was taken.

JSON for programs, a small page for people. No storefront is needed to make it, so it stands by itself.
"""

from aiohttp import web

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Hearth &amp; Harbour</title><style>
body{{margin:0;background:#faf8f4;color:#26302e;font:16px/1.6 system-ui,sans-serif}}
main{{max-width:34rem;margin:15vh auto 0;padding:0 1.5rem}}h1{{font:600 1.7rem/1.25 Georgia,serif;margin:0 0 .8rem}}
a{{color:#1f5c54}}</style></head>
<body><main><h1>{title}</h1><p>{message}</p>
<p><a href="/">To the shop</a> · <a href="/status">Service status</a></p></main></body></html>
"""


def refuse(
    request: web.Request, status: int, title: str, message: str, *, money_taken: bool | None = False
) -> web.Response:
    """An error reply. `money_taken` None means that the order may have been recorded: the same key finds out safely."""
    headers = {"Retry-After": "2", "Cache-Control": "no-store"}
    if "text/html" in request.headers.get("Accept", ""):
        page = _PAGE.format(title=title, message=message)
        return web.Response(status=status, text=page, content_type="text/html", headers=headers)
    reply = {"error": message, "money_taken": money_taken}
    return web.json_response(reply, status=status, headers=headers)


def no_answer(request: web.Request, *, maybe_done: bool) -> web.Response:
    """Every try failed."""
    if request.method != "POST":
        return refuse(request, 503, "We cannot show this page right now", "Please try again in a moment.")
    if maybe_done:
        message = (
            "We did not get an answer in time, so your order may or may not have been recorded. Please send it again "
            "from the same page: it will not be placed or charged twice."
        )
        return refuse(request, 503, "We are not sure about your order", message, money_taken=None)
    message = "Your order was not placed and no money was taken. Please try again in a moment."
    return refuse(request, 503, "We could not take your order", message)


def too_busy(request: web.Request) -> web.Response:
    """Turned away before anything was done."""
    message = (
        "The shop is very busy at the moment. Nothing was ordered and no money was taken. Please try again shortly."
    )
    return refuse(request, 503, "One moment, please", message)


def too_fast(request: web.Request) -> web.Response:
    """This client sends more than its share."""
    return refuse(request, 429, "Too many requests", "Too many requests came from your address. Please slow down.")
