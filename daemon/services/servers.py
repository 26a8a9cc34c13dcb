"""What we remember of Plex servers and their players between restarts."""

from __future__ import annotations

from daemon.core.clock import Clock
from daemon.core.ids import PlayerId, ServerId
from daemon.data import plex_servers
from daemon.data.plex_servers import Capability, Route
from daemon.data.store import Store

__all__ = ["Capability", "Route", "Servers"]


class Servers:
    """Machine ids by the server's name in the configuration, and how each player can be controlled."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def machine_id(self, server: ServerId) -> str | None:
        """The identifier that the server told before; None for one never reached."""
        return await self._store.read(lambda tx: plex_servers.machine_id(tx, server))

    async def remember_machine_id(self, server: ServerId, identifier: str) -> None:
        """Say which server this name means. When it meant another one, that one's players are forgotten."""
        now = self._clock.now()
        await self._store.write(lambda tx: plex_servers.set_machine_id(tx, server, identifier, now))

    async def capability(self, server: ServerId, player_id: PlayerId) -> Capability | None:
        """What was found out about the player; None when it was never tried."""
        return await self._store.read(lambda tx: plex_servers.capability(tx, server, player_id))

    async def remember_capability(self, server: ServerId, player_id: PlayerId, found: Capability) -> None:
        """Store what was found out, replacing what was known."""
        await self._store.write(lambda tx: plex_servers.set_capability(tx, server, player_id, found))
