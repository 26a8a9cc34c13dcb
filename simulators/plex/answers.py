"""From a request to its account and from an element to its response."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from simulators.plex.items import Item
from simulators.plex.render import El, Value, to_json, to_xml
from simulators.plex.server import Server
from simulators.plex.world import Account

ACCOUNT: web.RequestKey[Account] = web.RequestKey("account", Account)
UNKNOWN: web.RequestKey[bool] = web.RequestKey("unknown", bool)
PHRASES = {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests",
    498: "Invalid Token", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Gateway Timeout", 520: "Web Server Returned an Unknown Error", 522: "Connection Timed Out",
}  # fmt: skip


def account_of(request: web.Request) -> Account:
    """Who asks; the gate has put it there."""
    return request[ACCOUNT]


def wants_json(request: web.Request) -> bool:
    """Whether the asker prefers JSON; XML is the server's mother tongue."""
    return "application/json" in request.headers.get("Accept", "")


def reply(request: web.Request, root: El, *, status: int = 200) -> web.Response:
    """An element in the spelling that the request asks for."""
    if wants_json(request):
        return web.Response(text=to_json(root), status=status, content_type="application/json", charset="utf-8")
    return web.Response(text=to_xml(root), status=status, content_type="text/xml", charset="utf-8")


def nothing() -> web.Response:
    """200 without a body: what the server answers to most changes."""
    return web.Response(status=200)


def html_error(status: int) -> web.Response:
    """The page the server shows for an error, whatever format was asked for."""
    phrase = PHRASES.get(status, "Error")
    text = f"<html><head><title>{phrase}</title></head><body><h1>{status} {phrase}</h1></body></html>"
    return web.Response(status=status, text=text, content_type="text/html")


def container(children: Sequence[El] = (), **attrs: Value) -> El:
    """A MediaContainer with its size."""
    return El("MediaContainer", {"size": len(children), **attrs}, children)


def library_container(children: Sequence[El], **attrs: Value) -> El:
    """A MediaContainer as library answers carry it."""
    known: dict[str, Value] = {
        "allowSync": True,
        "identifier": "com.plexapp.plugins.library",
        "mediaTagPrefix": "/system/bundle/media/flags/",
        "mediaTagVersion": 1_737_563_967,
    }
    return El("MediaContainer", {"size": len(children), **known, **attrs}, children)


def window(request: web.Request) -> tuple[int, int] | None:
    """(start, size) asked for by header or query; None when not paged. ValueError when it is no number."""
    start = _either(request, "X-Plex-Container-Start")
    size = _either(request, "X-Plex-Container-Size")
    if start is None and size is None:
        return None
    return max(0, int(start or 0)), max(0, int(size)) if size is not None else 1_000_000


def _either(request: web.Request, name: str) -> str | None:
    return request.query.get(name) or request.headers.get(name)


def found_item(server: Server, request: web.Request, key: str) -> Item:
    """A title that exists and is shared with whoever asks; else the server's 404 page."""
    item = server.world.items.get(int(key)) if key.isascii() and key.isdigit() else None
    if item is None or not server.world.may_see(account_of(request), item):
        raise NotThere
    return item


class NotThere(Exception):
    """What was asked for does not exist; the gate answers with the 404 page."""


class Forbidden(Exception):
    """What was asked for is not allowed; the gate answers with the 403 page."""


class Refused(Exception):
    """The request makes no sense; the gate answers with the 400 page."""


def flag(request: web.Request, name: str) -> bool:
    """Whether a query parameter is on."""
    return request.query.get(name, "0") in ("1", "true")


def number(request: web.Request, name: str, default: int = 0) -> int:
    """A query parameter as a number; the 400 page when it is something else."""
    text = request.query.get(name)
    if text is None or text == "":
        return default
    try:
        return int(float(text))
    except (ValueError, OverflowError) as error:
        raise Refused from error


def with_paging(response: web.Response, start: int, total: int) -> web.Response:
    """Add the headers that the server puts on a page."""
    response.headers["X-Plex-Container-Start"] = str(start)
    response.headers["X-Plex-Container-Total-Size"] = str(total)
    return response
