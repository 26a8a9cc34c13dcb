"""Every REST call to Discord, counted by bot and status."""

from __future__ import annotations

from types import SimpleNamespace

import aiohttp
import structlog

from daemon.kernel.metrics import Metrics

log = structlog.get_logger(__name__)

_PATH_PARTS = 4  # "/api/v10/interactions": what comes behind may be the token of an interaction


def trace(bot: str, metrics: Metrics) -> aiohttp.TraceConfig:
    """For a client's `http_trace`: counts answers by status and lost ones as "lost", and names the route of a 429."""
    config = aiohttp.TraceConfig()

    async def ended(_: aiohttp.ClientSession, __: SimpleNamespace, end: aiohttp.TraceRequestEndParams) -> None:
        metrics.discord_requests_total.labels(bot, str(end.response.status)).inc()
        if end.response.status == 429:
            route = "/".join(end.url.path.split("/")[:_PATH_PARTS])
            scope = end.response.headers.get("X-RateLimit-Scope", "")
            log.warning("discord_rate_limited", bot=bot, method=end.method, route=route, scope=scope)

    async def lost(_: aiohttp.ClientSession, __: SimpleNamespace, what: aiohttp.TraceRequestExceptionParams) -> None:
        metrics.discord_requests_total.labels(bot, "lost").inc()

    config.on_request_end.append(ended)
    config.on_request_exception.append(lost)
    return config
