"""What we remember of Plex servers and their players between restarts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from daemon.core.clock import Clock
from daemon.core.events import ServerBack, ServerLost
from daemon.core.ids import PlayerId, ServerId
from daemon.data import plex_servers
from daemon.data.plex_servers import Capability, Route
from daemon.data.store import Store
from daemon.kernel.trace import current_trace_id, new_trace_id
from daemon.services.events import Events

__all__ = ["Capability", "Route", "Servers"]


class Servers:
    """Machine ids by the server's name in the configuration, whether it is lost, how each player can be controlled."""

    def __init__(self, store: Store, clock: Clock, events: Events) -> None:
        self._store = store
        self._clock = clock
        self._events = events

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

    async def mark_lost(self, server: ServerId, at: datetime, problem: str) -> None:
        """Publish that the server is lost since `at`, unless that is known; what was never there cannot be lost.

        `problem` completes "Plex ...". Of several processes that notice, and of one that is started again meanwhile,
        one says it.
        """
        event = ServerLost(server=server, problem=problem, occurred_at=at)
        trace_id = current_trace_id() or new_trace_id()

        def unit(tx: Connection) -> None:
            if plex_servers.set_lost(tx, server, at):
                self._events.publish(tx, event, source=f"plex {server}", trace_id=trace_id)

        await self._store.write(unit)

    async def mark_back(self, server: ServerId, at: datetime) -> None:
        """Publish that the server answers again, if it was lost."""
        trace_id = current_trace_id() or new_trace_id()

        def unit(tx: Connection) -> None:
            lost_at = plex_servers.set_back(tx, server)
            if lost_at is not None:
                event = ServerBack(server=server, lost_at=lost_at, occurred_at=at)
                self._events.publish(tx, event, source=f"plex {server}", trace_id=trace_id)

        await self._store.write(unit)
