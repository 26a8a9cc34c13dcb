"""Playlists through plexapi, on the account whose token the server is given. Blocking.

Only what is needed is asked: plexapi's own editing reads every entry of a playlist before it removes one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plexapi.server import PlexServer


def create(server: PlexServer, name: str, key: int, kind: str) -> int:
    """Make a playlist of a title, or of what plays below it; its rating key. `kind` is "video" or "audio"."""
    params = {"title": name, "type": kind, "smart": 0, "uri": _uri(server, key)}
    made = server.query("/playlists", method=server._session.post, params=params)
    found = "" if made is None or not len(made) else made[0].get("ratingKey", "")
    if not found.isdigit():
        raise ValueError("no playlist")
    return int(found)


def add(server: PlexServer, playlist: int, key: int) -> None:
    """Put a title, or what plays below it, at the end."""
    server.query(f"/playlists/{playlist}/items", method=server._session.put, params={"uri": _uri(server, key)})


def remove(server: PlexServer, playlist: int, entry: int) -> None:
    """Take one entry out, whatever else of the same title is in it."""
    server.query(f"/playlists/{playlist}/items/{entry}", method=server._session.delete)


def delete(server: PlexServer, playlist: int) -> None:
    """Throw a playlist away."""
    server.query(f"/playlists/{playlist}", method=server._session.delete)


def _uri(server: PlexServer, key: int) -> str:
    return f"{server._uriRoot()}/library/metadata/{key}"
