"""HTTP server of the daemon: /health/live, /health/ready, /health/startup, /health, /ping, /metrics and a page at /.

No request asks anybody: answers are rendered from what the health registry already knows, and kept until it changes.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog
from aiohttp import web

from daemon.core.limits import DRAIN_S, PROBE_AGAIN_S
from daemon.kernel.health import Health
from daemon.kernel.metrics import Metrics
from daemon.web.documents import health_document, ready_document, startup_document
from daemon.web.page import health_page

_LOG = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HEALTH_JSON = {"Content-Type": "application/health+json", "Cache-Control": "no-store"}
_JSON = {"Content-Type": "application/json", "Cache-Control": "no-store"}
_METRICS = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
_PAGE = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_SHUTDOWN_S = 1.0


class CannotListen(Exception):
    """The address cannot be listened at; the text is a sentence without its full stop, naming address and reason."""

    def __init__(self, address: str, error: OSError) -> None:
        taken = error.errno == errno.EADDRINUSE
        number = error.errno or 0  # negative for a name that cannot be resolved
        reason = os.strerror(number) if number > 0 else str(error)
        why = "is already in use by another program" if taken else f"cannot be listened at: {reason}"
        super().__init__(f"{address} {why}")
        self.is_taken = taken


class WebServer:
    """Serves health and metrics at `host`:`port`; port 0 takes a free one, known as `port` after `start`."""

    def __init__(
        self, health: Health, metrics: Metrics, *, host: str, port: int, version: str, started_at: datetime
    ) -> None:
        self._health = health
        self._metrics = metrics
        self._host = host
        self.port = port
        self._version = version
        self._started_at = started_at
        self._ready_seen = -1
        self._ready_body = b""
        self._ready_status = 503
        self._ready_headers = _JSON
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where the server is, `http://127.0.0.1:8420`."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}"

    async def start(self) -> None:
        """Begin to listen. Raises CannotListen."""
        runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        try:
            site = web.TCPSite(runner, self._host, self.port)
            await site.start()
        except OSError as error:
            await runner.cleanup()
            raise CannotListen(f"{self._host}:{self.port}", error) from None
        self._runner = runner
        self.port = runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the socket and every connection, requests under way get a second."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _application(self) -> web.Application:
        # No middleware: it would cost every request of /health/ready, and `_guarded` does its work where needed.
        app = web.Application()
        app.router.add_get("/health/ready", self._ready)
        app.router.add_get("/health/live", self._live)
        app.router.add_get("/health/startup", self._startup)
        app.router.add_get("/health", _guarded(self._whole))
        app.router.add_get("/ping", self._ping)
        app.router.add_get("/metrics", _guarded(self._expose))
        app.router.add_get("/", _guarded(self._page))
        return app

    async def _ready(self, _: web.Request) -> web.Response:
        if self._ready_seen != self._health.version:
            self._ready_seen = self._health.version
            report = self._health.report()
            is_ready, self._ready_body = ready_document(report)
            self._ready_status = 200 if is_ready else 503
            self._ready_headers = _JSON if is_ready else _come_back(DRAIN_S if report.is_draining else PROBE_AGAIN_S)
        return web.Response(body=self._ready_body, status=self._ready_status, headers=self._ready_headers)

    async def _startup(self, _: web.Request) -> web.Response:
        report = self._health.report()
        headers, status = (_JSON, 200) if report.has_started else (_come_back(PROBE_AGAIN_S), 503)
        return web.Response(body=startup_document(report), status=status, headers=headers)

    async def _live(self, _: web.Request) -> web.Response:
        if self._health.is_alive():
            return web.Response(body=b'{"status":"pass"}', headers=_HEALTH_JSON)
        return web.Response(
            body=b'{"status":"fail","output":"the event loop is stuck"}', status=503, headers=_HEALTH_JSON
        )

    async def _ping(self, _: web.Request) -> web.Response:
        return web.Response(body=b'{"status":"OK"}', headers=_JSON)

    async def _whole(self, _: web.Request) -> web.Response:
        report = self._health.report()
        body = health_document(report, version=self._version)
        return web.Response(body=body, status=503 if report.status == "fail" else 200, headers=_HEALTH_JSON)

    async def _expose(self, _: web.Request) -> web.Response:
        self._metrics.ready.set(self._health.ready()[0])
        # In a thread: it reads /proc for the process's own figures, and takes some milliseconds.
        return web.Response(body=await asyncio.to_thread(self._metrics.expose), headers=_METRICS)

    async def _page(self, _: web.Request) -> web.Response:
        page = health_page(self._health.report(), version=self._version, started_at=self._started_at)
        return web.Response(body=page.encode(), headers=_PAGE)


def _come_back(after_s: float) -> dict[str, str]:
    return {**_JSON, "Retry-After": str(round(after_s))}


def _guarded(handler: Handler) -> Handler:
    """`handler` whose crash is logged and answered with a plain 500, without a word about its cause."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except Exception:  # noqa: BLE001  a named border
            _LOG.exception("request_crashed", path=request.path)
            return web.Response(status=500, body=b'{"status":"fail","output":"internal error"}', headers=_JSON)

    return guarded
