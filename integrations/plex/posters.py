"""Posters, scaled by the server, checked and kept for a while."""

from __future__ import annotations

import structlog

from daemon.core.errors import UpstreamError
from daemon.core.media import Title, TitleKind
from daemon.services.cache import Cache, Missing, Region
from integrations.plex.http import ServerHttp

_log = structlog.get_logger(__name__)

POSTER_BYTES_MAX = 2 * 1024 * 1024
WIDTH_MAX = 1200
_KEPT_MAX = 400
_KEPT_S = 6 * 3600.0
_NONE_S = 300.0  # that something else than a picture comes is remembered for this long
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")  # JPEG, PNG
_SQUARE = frozenset({TitleKind.ARTIST, TitleKind.ALBUM, TitleKind.TRACK, TitleKind.PLAYLIST})


def posters_region(cache: Cache) -> Region[bytes]:
    """Where the posters of all servers are kept."""
    return cache.region("plex.posters", bytes, ttl_s=_KEPT_S, negative_ttl_s=_NONE_S, items_max=_KEPT_MAX)


class Posters:
    """Posters of one server; the path holds the time of the last change, so a kept poster is never outdated."""

    def __init__(self, http: ServerHttp, kept: Region[bytes], timeout_s: float) -> None:
        self._http = http
        self._kept = kept
        self._timeout_s = timeout_s
        # Of its own: a server that fails at pictures is well enough for everything else.
        self._breaker = http.new_breaker(f"plex:{http.server}:posters")

    async def fetch(self, title: Title, width: int) -> bytes | None:
        """JPEG or PNG at most `width` wide; None when the title has none or it cannot be had: a card does without."""
        path = title.thumb
        if path is None or not path.startswith("/") or path.startswith("//"):
            return None  # only what the server itself holds, never an address somewhere else
        width = max(1, min(width, WIDTH_MAX))
        height = width if title.kind in _SQUARE else width * 3 // 2
        try:
            return await self._kept.get(
                f"{self._http.server}:{width}x{height}:{path}", lambda: self._load(path, width, height)
            )
        except Missing:
            return None
        except UpstreamError as error:
            _log.info("plex_poster_missing", server=self._http.server, kind=error.kind.name.lower())
            return None

    async def _load(self, path: str, width: int, height: int) -> bytes:
        params: dict[str, str | int] = {"url": path, "width": width, "height": height, "minSize": 1, "upscale": 0}
        poster = await self._http.fetch(
            "/photo/:/transcode",
            params,
            decode=bytes,
            headers={"Accept": "image/jpeg, image/png"},
            timeout_s=self._timeout_s,
            bytes_max=POSTER_BYTES_MAX,
            breaker=self._breaker,
        )
        if not poster.startswith(_MAGIC):
            raise Missing("not a picture")
        return poster
