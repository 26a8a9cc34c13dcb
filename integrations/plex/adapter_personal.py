"""Watched, not watched and rated, through plexapi, on the account whose token the server is given. Blocking."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plexapi.server import PlexServer

_LIBRARY = "com.plexapp.plugins.library"


def mark(server: PlexServer, keys: Collection[int], offsets_ms: Mapping[int, int], *, is_seen: bool) -> None:
    """Mark titles, and all below them, as watched or not; then have some be left where they were left before."""
    for key in keys:
        server.query("/:/scrobble" if is_seen else "/:/unscrobble", params={"key": key, "identifier": _LIBRARY})
    for key, offset_ms in offsets_ms.items():
        place = {"key": key, "identifier": _LIBRARY, "time": offset_ms, "state": "stopped"}
        server.query("/:/progress", params=place)


def rate(server: PlexServer, key: int, rating: float | None) -> None:
    """Rate a title from 0 to 10; None takes the rating away."""
    params = {"key": key, "identifier": _LIBRARY, "rating": -1 if rating is None else rating}
    server.query("/:/rate", method=server._session.put, params=params)
