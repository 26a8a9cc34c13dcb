"""Whether a member may: judged from what Discord sent with this very interaction, so a lost role counts at once."""

from __future__ import annotations

import discord

from daemon.core.access import Access
from daemon.core.errors import UserError
from daemon.core.ids import ModuleId
from integrations.discord.calls import AnyInteraction
from integrations.discord.surface import DiscordSurface

_REFUSALS = {
    Access.CONTROLLER: "Only members with Manage Server or a controller role may do that.",
    Access.OWNER: "Only the owners of this bot may do that.",
}


class Doorkeeper:
    """Holds the owners and the allowed guilds; `guilds` None lets every guild in."""

    def __init__(self, surface: DiscordSurface, owners: frozenset[int], guilds: frozenset[int] | None) -> None:
        self._surface = surface
        self._owners = owners
        self._guilds = guilds

    def check_guild(self, guild_id: int | None) -> None:
        """UserError when this bot does not serve the place."""
        if guild_id is None:
            raise UserError("This works in servers only, not in direct messages.", "no_server")
        if self._guilds is not None and guild_id not in self._guilds:
            raise UserError(
                "This bot does not serve this server; its owner decides which ones it does.", "other_server"
            )

    def check_access(self, interaction: AnyInteraction, access: Access, module: ModuleId | None) -> None:
        """UserError when the member may not."""
        if access is not Access.EVERYONE and not self._may(interaction, access, module):
            raise UserError(_REFUSALS[access], "not_allowed")

    def _may(self, interaction: AnyInteraction, access: Access, module: ModuleId | None) -> bool:
        if interaction.user.id in self._owners:
            return True
        if access is not Access.CONTROLLER:
            return False
        permissions = interaction.permissions
        if permissions.manage_guild or permissions.administrator:
            return True
        return isinstance(interaction.user, discord.Member) and any(
            # get_role() would need the guild's roles in the cache; the ids came with the interaction
            interaction.user._roles.has(role_id)
            for role_id in self._surface.controller_roles(module)
        )
