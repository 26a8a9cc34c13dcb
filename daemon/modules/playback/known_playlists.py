"""The playlists of the servers as they were last seen: the mirror holds none."""

from __future__ import annotations

import asyncio

import structlog

from daemon.core.errors import UpstreamError, UserError
from daemon.core.ids import PlayerId, ServerId
from daemon.core.media import Title
from integrations.plex import LiveTitles, Plex

log = structlog.get_logger(__name__)

_REST_S = 2.0  # between two readings, of however many who type


class KnownPlaylists:
    """Kept in memory, so that nobody who types waits for Plex; what is out of date is newer at the next keystroke.

    They are those of the account of each server's token, and span its libraries: who sees a server whole sees them.
    """

    def __init__(self, plex: Plex, live: LiveTitles) -> None:
        self._plex = plex
        self._live = live
        self._playlists: dict[ServerId, tuple[Title, ...]] = {}
        self._wanted = asyncio.Event()

    def recall(self) -> list[Title]:
        """The playlists of all servers as last seen; has them read anew for the next time."""
        self._wanted.set()
        return [title for titles in self._playlists.values() for title in titles]

    def note_change(self, server: ServerId, player_id: PlayerId | None) -> None:
        """A server came up or went down; what a single player does makes no difference here."""
        if player_id is None:
            self._wanted.set()

    async def follow(self) -> None:
        """Read at once, and then whenever somebody has typed or a server has changed, for ever."""
        while True:
            self._wanted.clear()
            servers = [state.server for state in self._plex.server_states()]
            await asyncio.gather(*(self._read(server) for server in servers))
            await asyncio.sleep(_REST_S)
            await self._wanted.wait()

    async def _read(self, server: ServerId) -> None:
        try:
            self._playlists[server] = await self._live.playlists(server)
        except (UpstreamError, UserError) as error:  # what was known stays known
            log.debug("playlists_unread", server=server, problem=str(error))
