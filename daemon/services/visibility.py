"""What somebody may see of the libraries, asked from within a guild or in a direct message."""

from __future__ import annotations

from daemon.core.ids import GuildId, MemberId
from daemon.core.visibility import Visibility


class VisibilityService:
    """Everybody sees everything, as long as nothing can be bound to a guild and no account be linked."""

    async def of(self, member_id: MemberId, guild_id: GuildId | None) -> Visibility:
        """What the member may see there."""
        return Visibility()
