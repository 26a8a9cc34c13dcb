"""What a person chose, kept for the next time."""

from __future__ import annotations

from daemon.core.clock import Clock
from daemon.core.ids import ProfileId
from daemon.data import people
from daemon.data.store import Store


class Profiles:
    """Preferences by key; a module's keys start with its id ("playback.player")."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def preference(self, profile_id: ProfileId, key: str) -> str | None:
        """The stored value, or None when the person never chose."""
        return await self._store.read(lambda tx: people.preference(tx, profile_id, key))

    async def set_preference(self, profile_id: ProfileId, key: str, value: str) -> None:
        """Store or replace a choice; the key has 1 to 100 characters."""
        now = self._clock.now()
        await self._store.write(lambda tx: people.set_preference(tx, profile_id, key, value, now))
