"""What is asked of a server to look after its libraries, as blocking calls for the adapter's threads.

plexapi reads all libraries before it hands one out, to call the same address on it: one request is enough.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plexapi.server import PlexServer


def scan(section: str, *, force: bool = False) -> Callable[[PlexServer], None]:
    """Look for new files; with `force` fetch the metadata of everything again."""
    path = f"/library/sections/{section}/refresh"
    return lambda server: _send(server, "get", f"{path}?force=1" if force else path)


def cancel_scan(section: str) -> Callable[[PlexServer], None]:
    """Leave off looking for new files."""
    return lambda server: _send(server, "delete", f"/library/sections/{section}/refresh")


def analyze(section: str) -> Callable[[PlexServer], None]:
    """Look into every file again."""
    return lambda server: _send(server, "put", f"/library/sections/{section}/analyze")


def empty_trash(section: str) -> Callable[[PlexServer], None]:
    """Forget what has no file any more."""
    return lambda server: _send(server, "put", f"/library/sections/{section}/emptyTrash")


def cancel(uuid: str) -> Callable[[PlexServer], None]:
    """End something that runs in the background."""
    return lambda server: _send(server, "delete", f"/activities/{uuid}")


def _send(server: PlexServer, method: str, path: str) -> None:
    server.query(path, method=getattr(server._session, method))
