"""The player that somebody used last: what is meant when they name none."""

from __future__ import annotations

from typing import Final

from daemon.core.ids import MemberId, ProfileId
from daemon.core.media import PlayerRef
from daemon.services.profiles import Profiles

LAST_PLAYER: Final = "playback.player"  # the preference

_MEMBERS_MAX = 10_000  # whose last player is kept in memory


class LastPlayers:
    """One for the process, whichever module plays. Who types has no profile yet: then it is what memory knows."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles
        self._known: dict[MemberId, str | None] = {}

    async def of(self, member_id: MemberId, profile_id: ProfileId | None) -> str | None:
        """The reference of the player as text; None when there was none."""
        if member_id not in self._known and profile_id is not None:
            self._note(member_id, await self._profiles.preference(profile_id, LAST_PLAYER))
        return self._known.get(member_id)

    async def remember(self, member_id: MemberId, profile_id: ProfileId | None, ref: PlayerRef) -> None:
        """They use this one now."""
        if profile_id is not None and await self.of(member_id, profile_id) != str(ref):
            await self._profiles.set_preference(profile_id, LAST_PLAYER, str(ref))
            self._note(member_id, str(ref))

    def _note(self, member: MemberId, player: str | None) -> None:
        self._known[member] = player
        while len(self._known) > _MEMBERS_MAX:
            del self._known[next(iter(self._known))]
