"""What every request passes on its way: faults, the token, the log of requests, and the 404 for unknown routes."""

from __future__ import annotations

import asyncio
import re

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from simulators.plex.answers import ACCOUNT, Forbidden, NotThere, Refused, html_error
from simulators.plex.faults import Fault
from simulators.plex.queues import BadUri
from simulators.plex.server import SeenRequest, Server

CONTROL, ACCOUNT_FACE = "/__sim", "/_plex.tv"
OPEN_PATHS = frozenset({"/identity"})
# What only the owner may ask for; a friend's token gets 403.
_OWNERS_ONLY = re.compile(
    r"/(?:library|status/sessions.*|accounts.*|devices.*|activities.*|butler.*|:/prefs|transcode/sessions.*"
    r"|statistics/.*|security/.*|library/sections/[^/]+/(?:refresh|prefs)|library/metadata/\d+/(?:matches|refresh)"
    r"|updater/.*)/?"
)
# What only the owner may change; choosing streams, rating and marking as watched is everybody's own affair.
_OWNERS_TO_CHANGE = re.compile(r"/library/(?!parts/).*|/hubs/.*")
PIECES = 8  # a slow body comes in this many drips


class Gate:
    """The middleware of the server's port, or of one player's own port (`where` = `player:<id>`)."""

    def __init__(self, server: Server, where: str = "server") -> None:
        self._server = server
        self._where = where

    def middleware(self) -> Middleware:
        """For `web.Application(middlewares=[...])`."""

        @web.middleware
        async def pass_through(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith(CONTROL):
                return await handler(request)
            is_account = request.path.startswith(ACCOUNT_FACE)
            return await self._log(request, handler, "account" if is_account else self._where)

        return pass_through

    async def _log(self, request: web.Request, handler: Handler, where: str) -> web.StreamResponse:
        status, is_unknown = 0, request.match_info.http_exception is not None
        if is_unknown:
            self._server.unknown_routes.append(f"{request.method} {request.path}")
        try:
            fault = self._server.faults.strike(request.method, request.path_qs, where)
            response = await self._struck(request, handler, where, fault)
            status = response.status
            self._server.turns.pass_by(f"{request.method} {request.path_qs}")
            return response
        finally:
            self._server.requests.append(
                SeenRequest(
                    self._server.clock.now(), where, request.method, request.path, tuple(request.query.items()),
                    tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers),
                    status, is_unknown,
                )
            )  # fmt: skip

    async def _struck(
        self, request: web.Request, handler: Handler, where: str, fault: Fault | None
    ) -> web.StreamResponse:
        if fault is None:
            return await self._answer(request, handler, where)
        if fault.kind == "hold":
            await fault.held()
        if fault.kind == "latency":
            await asyncio.sleep(fault.delay_s)
        if fault.kind == "drop":
            return _cut(request)
        if fault.kind in ("status", "html", "empty", "garbage"):
            return _instead(fault)
        response = await self._answer(request, handler, where)
        if fault.kind == "drop_after":
            return _cut(request)
        if fault.kind in ("truncate", "slow_body") and isinstance(response, web.Response):
            body = response.body if isinstance(response.body, bytes) else b""
            if fault.kind == "truncate":
                return web.Response(status=response.status, body=body[: len(body) // 2], headers=_typed(response))
            return await _drip(request, response, body, fault.delay_s)
        return response

    async def _answer(self, request: web.Request, handler: Handler, where: str) -> web.StreamResponse:
        now = self._server.settle()
        if where == "server":
            if now < self._server.starting_until:
                return html_error(503)
            refusal = self._admit(request)
            if refusal:
                return html_error(refusal)
        try:
            return await handler(request)
        except (NotThere, web.HTTPNotFound, web.HTTPMethodNotAllowed):
            return html_error(404)
        except (Refused, BadUri):
            return html_error(400)
        except Forbidden:
            return html_error(403)

    def _admit(self, request: web.Request) -> int:
        """0 when the request may go on, else the status to refuse it with."""
        token = request.headers.get("X-Plex-Token") or request.query.get("X-Plex-Token") or ""
        account = self._server.account_of(token)
        if account is None or not account.is_shared:
            if request.path in OPEN_PATHS:
                request[ACCOUNT] = self._server.owner
                return 0
            return 401
        request[ACCOUNT] = account
        if account.is_owner:
            return 0
        is_change = request.method in ("PUT", "POST", "DELETE")
        is_refused = _OWNERS_ONLY.fullmatch(request.path) or (is_change and _OWNERS_TO_CHANGE.fullmatch(request.path))
        return 403 if is_refused else 0


def _instead(fault: Fault) -> web.Response:
    if fault.kind == "status":
        response = html_error(fault.status)
        if fault.status == 429:
            response.headers["Retry-After"] = "1"
        return response
    if fault.kind == "html":
        page = "<!doctype html><html><head><title>Router</title></head><body><h1>Please log in</h1></body></html>"
        return web.Response(text=page, content_type="text/html")
    if fault.kind == "garbage":
        return web.Response(body=b"\x00\x01<MediaContainer \x08size=\xff\xfe", content_type="text/xml")
    return web.Response(status=200)


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)


def _typed(response: web.Response) -> dict[str, str]:
    return {"Content-Type": response.headers.get("Content-Type", "text/xml;charset=utf-8")}


async def _drip(request: web.Request, response: web.Response, body: bytes, delay_s: float) -> web.StreamResponse:
    slow = web.StreamResponse(status=response.status, headers=_typed(response))
    slow.content_length = len(body)
    await slow.prepare(request)
    step = max(1, -(-len(body) // PIECES))
    for start in range(0, len(body), step):
        await asyncio.sleep(delay_s / PIECES)
        await slow.write(body[start : start + step])
    await slow.write_eof()
    return slow
