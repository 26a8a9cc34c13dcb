"""What a person chose, kept for the next time."""

from __future__ import annotations

from collections.abc import Mapping

from daemon.core.clock import Clock
from daemon.core.ids import MemberId, ProfileId
from daemon.core.limits import NAME_CHARS_MAX
from daemon.core.text import clamp, plain
from daemon.data import people
from daemon.data.store import Store


class Profiles:
    """Preferences by key; a module's keys start with its id ("playback.player")."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def of_member(self, member_id: MemberId) -> ProfileId | None:
        """The profile of a Discord member; None for somebody we have not met."""
        return await self._store.read(lambda tx: people.profile_of(tx, member_id))

    async def name(self, profile_id: ProfileId) -> str | None:
        """What the person is called."""
        return await self._store.read(lambda tx: people.name_of(tx, profile_id))

    async def ensure_members(self, members: Mapping[MemberId, str]) -> list[ProfileId]:
        """The profiles of these members, given with their names; made for those we have not met."""
        now = self._clock.now()
        known = {one: clamp(plain(name), NAME_CHARS_MAX) or str(one) for one, name in members.items()}
        return await self._store.write(
            lambda tx: [people.ensure_member(tx, one, name, now) for one, name in sorted(known.items())]
        )

    async def preference(self, profile_id: ProfileId, key: str) -> str | None:
        """The stored value, or None when the person never chose."""
        return await self._store.read(lambda tx: people.preference(tx, profile_id, key))

    async def set_preference(self, profile_id: ProfileId, key: str, value: str) -> None:
        """Store or replace a choice; the key has 1 to 100 characters."""
        now = self._clock.now()
        await self._store.write(lambda tx: people.set_preference(tx, profile_id, key, value, now))
