"""Failures of Plex sorted into the kinds of `daemon.core.errors`. Pure."""

from __future__ import annotations

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.ids import ServerId

_KINDS = {
    401: UpstreamKind.UNAUTHORIZED,
    403: UpstreamKind.FORBIDDEN,
    404: UpstreamKind.NOT_FOUND,
    429: UpstreamKind.BUSY,
    498: UpstreamKind.UNAUTHORIZED,  # plex.tv: the token has expired
    503: UpstreamKind.BUSY,  # a server that starts or maintains itself answers so
}
_OUTAGES = frozenset({UpstreamKind.UNREACHABLE, UpstreamKind.TIMED_OUT, UpstreamKind.BUSY, UpstreamKind.BROKEN})


def service_of(server: ServerId) -> str:
    """The server's name in messages for people: `Plex server attic`."""
    return f"Plex server {server}"


def kind_of_status(status: int) -> UpstreamKind | None:
    """What an HTTP status means; None for success. Redirects count as broken: they would carry the token elsewhere."""
    if 200 <= status < 300:
        return None
    return _KINDS.get(status, UpstreamKind.BROKEN)


def is_outage(error: BaseException) -> bool:
    """Whether the failure speaks of the server's health; a "not found" or "forbidden" shows that it answers."""
    return isinstance(error, UpstreamError) and error.kind in _OUTAGES


def looks_like_html(content_type: str, body: bytes) -> bool:
    """Whether an answer is a web page (a proxy's error page with status 200, say) instead of data."""
    start = body[:256].lstrip().lower()
    return start.startswith((b"<!doctype html", b"<html")) or (
        content_type.startswith("text/html")
        and not start.startswith((b"<?xml", b"<mediacontainer", b"<response", b"{"))
        and len(start) > 0
        and start != b"ok"
    )
