"""Slash commands of linking and privacy. Every answer is private."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from daemon.core.access import Access
from daemon.core.limits import AUTOCOMPLETE_CHOICES_MAX
from daemon.core.text import fold
from daemon.services.privacy import RETENTION_DAYS_MAX
from integrations.discord.policy import policy
from integrations.discord.ui.choices import Choices

from .commands_desk import Desk
from .commands_people import PeopleDesk
from .sharing import Sharing
from .spans import SUGGESTED

AnyInteraction = discord.Interaction[Any]

_LOOK = policy(private=True)
_CHANGE = policy(private=True, audited=True)
_COSTLY = policy(private=True, audited=True, burst=4, per_s=0.05)  # plex.tv is asked, or everything is read
_OWNER = policy(Access.OWNER, private=True, audited=True)


class LinkingCommands(commands.Cog):
    """One instance a bot; all of them share the desks."""

    def __init__(self, desk: Desk, people: PeopleDesk, sharing: Sharing) -> None:
        self._desk = desk
        self._people = people
        self._sharing = sharing

    @app_commands.command(description="Link your Plex account by signing in at Plex", extras=_COSTLY)
    @app_commands.describe(
        keep_access="Keep access, encrypted, for features that act in your name; left out: nothing is kept"
    )
    async def link(self, interaction: AnyInteraction, keep_access: bool | None = None) -> None:
        """/link."""
        await self._desk.link(interaction, keep_access)

    @app_commands.command(description="Unlink your Plex account", extras=_LOOK)
    async def unlink(self, interaction: AnyInteraction) -> None:
        """/unlink: asks first."""
        await self._desk.ask_unlink(interaction)

    @app_commands.command(name="link-for", description="Link a managed user of your Plex Home", extras=_OWNER)
    @app_commands.describe(member="Whose account it is", account="The managed user")
    async def link_for(self, interaction: AnyInteraction, member: discord.Member, account: str) -> None:
        """/link-for."""
        await self._desk.link_for(interaction, member, account, self._sharing)

    @app_commands.command(description="Who somebody is here, and what they watch if you may see it", extras=_LOOK)
    @app_commands.describe(member="Somebody; left out: you")
    async def profile(self, interaction: AnyInteraction, member: discord.Member | None = None) -> None:
        """/profile."""
        await self._people.profile(interaction, (member or interaction.user).id, 1)

    @app_commands.command(description="Who sees what you watch, and for how long it is kept", extras=_CHANGE)
    @app_commands.describe(
        visible="Who beside you sees what you watch",
        stats="Whether you count in rankings and sums that others see",
        retention_days="For how many days it is kept; 0: until you say otherwise",
        incognito="For how long nothing you watch is recorded, such as 3 hours; or off",
    )
    @app_commands.choices(
        visible=[
            app_commands.Choice(name="Nobody", value="nobody"),
            app_commands.Choice(name="People I choose", value="chosen"),
            app_commands.Choice(name="Everybody in this server", value="guild"),
        ]
    )
    async def privacy(
        self,
        interaction: AnyInteraction,
        visible: str | None = None,
        stats: bool | None = None,
        retention_days: app_commands.Range[int, 0, RETENTION_DAYS_MAX] | None = None,
        incognito: str | None = None,
    ) -> None:
        """/privacy: shows how things are, changed or not."""
        await self._people.set_privacy(interaction, visible, stats, retention_days, incognito)

    @app_commands.command(name="export-me", description="Everything that is kept about you, as a file", extras=_COSTLY)
    async def export_me(self, interaction: AnyInteraction) -> None:
        """/export-me."""
        await self._people.export(interaction)

    @app_commands.command(name="forget-me", description="Erase everything about you", extras=_LOOK)
    async def forget_me(self, interaction: AnyInteraction) -> None:
        """/forget-me: asks first."""
        await self._people.ask_forget(interaction)

    @link_for.autocomplete("account")
    async def _suggest_account(self, interaction: AnyInteraction, current: str) -> Choices:
        managed = await self._sharing.managed_users()
        lines = sorted((name, number) for number, name in managed.items() if fold(current) in fold(name))
        return [app_commands.Choice(name=name, value=str(number)) for name, number in lines[:AUTOCOMPLETE_CHOICES_MAX]]

    @privacy.autocomplete("incognito")
    async def _suggest_span(self, interaction: AnyInteraction, current: str) -> Choices:
        return [app_commands.Choice(name=span, value=span) for span in SUGGESTED if fold(current) in span]
