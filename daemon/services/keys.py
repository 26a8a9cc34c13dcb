"""Keys of this installation: made once, kept in the database, the same after every restart."""

from __future__ import annotations

import secrets
import uuid

from daemon.core.clock import Clock
from daemon.data import keys
from daemon.data.store import Store


class Keys:
    """Each is made at its first use; of several processes on one database all get the same."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def component_key(self) -> bytes:
        """32 secret bytes that sign the ids of buttons and menus: what we posted long ago must still verify."""
        return await self._get_or_add("discord.component_key", secrets.token_bytes(32))

    async def plex_client_identifier(self) -> str:
        """What Plex knows this installation by; a new one would appear as a new device."""
        return (await self._get_or_add("plex.client_identifier", str(uuid.uuid4()).encode())).decode()

    async def _get_or_add(self, name: str, candidate: bytes) -> bytes:
        now = self._clock.now()
        return await self._store.write(lambda tx: keys.get_or_add(tx, name, candidate, now))
