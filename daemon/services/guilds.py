"""What a guild's managers set."""

from __future__ import annotations

from daemon.core.clock import Clock
from daemon.core.ids import GuildId
from daemon.data import guilds
from daemon.data.store import Store


class Guilds:
    """Settings by key; a module's keys start with its id."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def setting(self, guild_id: GuildId, key: str) -> str | None:
        """The stored value, or None when nobody set it."""
        return await self._store.read(lambda tx: guilds.setting(tx, guild_id, key))

    async def set_setting(self, guild_id: GuildId, key: str, value: str) -> None:
        """Store or replace a setting; the key has 1 to 100 characters. The guild need not be known."""
        now = self._clock.now()
        await self._store.write(lambda tx: guilds.set_setting(tx, guild_id, key, value, now))
