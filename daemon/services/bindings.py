"""Binding servers and libraries to guilds."""

from __future__ import annotations

from sqlalchemy import Connection

from daemon.core.clock import Clock
from daemon.core.events import BindingsChanged
from daemon.core.ids import GuildId
from daemon.data import bindings
from daemon.data.bindings import WHOLE, Binding
from daemon.data.store import Store
from daemon.services.events import Events
from daemon.services.visibility import VisibilityService

__all__ = ["WHOLE", "Binding", "Bindings"]


class Bindings:
    """Each change is announced, and counts at once."""

    def __init__(self, store: Store, clock: Clock, events: Events, visibility: VisibilityService) -> None:
        self._store = store
        self._clock = clock
        self._events = events
        self._visibility = visibility

    async def reach(self, guild_id: GuildId) -> frozenset[Binding] | None:
        """What is bound to the guild; None: everything, because nobody has bound anything yet."""
        return await self._store.read(lambda tx: bindings.reach(tx, guild_id))

    async def bind(self, guild_id: GuildId, binding: Binding) -> bool:
        """Let the guild see it; False when it did already by a binding of its own."""
        return await self._change(guild_id, binding, is_bind=True)

    async def unbind(self, guild_id: GuildId, binding: Binding) -> bool:
        """Take it back, a whole server with each of its libraries; False when nothing of it was bound."""
        return await self._change(guild_id, binding, is_bind=False)

    async def _change(self, guild_id: GuildId, binding: Binding, *, is_bind: bool) -> bool:
        now = self._clock.now()
        change = f"{'bound' if is_bind else 'unbound'} {binding.server} {binding.library}".strip()

        def unit(tx: Connection) -> bool:
            done = bindings.bind(tx, guild_id, binding, now) if is_bind else bindings.unbind(tx, guild_id, binding)
            if done:
                event = BindingsChanged(guild_id=guild_id, change=change, occurred_at=now)
                self._events.publish(tx, event, source="bindings")
            return done

        is_done = await self._store.write(unit)
        await self._visibility.changed()
        return is_done
