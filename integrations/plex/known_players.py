"""The players as they were last seen, for lists that appear while somebody types."""

from __future__ import annotations

import asyncio

from daemon.core.ids import PlayerId, ServerId
from daemon.core.media import Player
from integrations.plex.plex import Plex


class KnownPlayers:
    """Kept in memory, so that nobody who types waits for Plex; what is out of date is newer at the next keystroke."""

    def __init__(self, plex: Plex) -> None:
        self._plex = plex
        self._players: tuple[Player, ...] = ()
        self._wanted = asyncio.Event()

    def recall(self) -> tuple[Player, ...]:
        """The players as last seen, controllable ones first; has them looked up anew for the next time."""
        self._wanted.set()
        return self._players

    def note_change(self, server: ServerId, player_id: PlayerId | None) -> None:
        """A server came up or went down; what a single player does makes no difference here."""
        if player_id is None:
            self._wanted.set()

    async def follow(self) -> None:
        """Look at once, and then whenever somebody has typed or a server has changed, for ever."""
        while True:
            self._wanted.clear()
            roster = await self._plex.roster()
            silent = [player for player in self._players if player.ref.server in roster.failures]
            self._players = (*roster.players, *silent)
            await self._wanted.wait()
