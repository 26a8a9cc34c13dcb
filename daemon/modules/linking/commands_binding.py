"""/bind and /unbind: what a guild sees."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from daemon.core.access import Access
from daemon.core.errors import UserError
from daemon.core.ids import GuildId
from integrations.discord.components import ComponentSet
from integrations.discord.policy import policy
from integrations.discord.replies import update
from integrations.discord.ui.choices import Choices, to_choices
from integrations.discord.ui.paginator import page_of

from .binding import Binder
from .views import BOUND_PAGE, bound_name, bound_view

AnyInteraction = discord.Interaction[Any]

_OWNER = policy(Access.OWNER, private=True, audited=True)


class BindingDesk:
    """Carries out and answers."""

    def __init__(self, items: ComponentSet, binder: Binder) -> None:
        self._items = items
        self._binder = binder

    async def bind(self, interaction: AnyInteraction, server: str, library: str | None) -> None:
        """Bind, and show what is bound."""
        bound, is_news = await self._binder.bind(_guild(interaction), server, library)
        verb = "now sees" if is_news else "saw already:"
        await self.show(interaction, 1, f"This server {verb} {bound_name(bound)}.")

    async def unbind(self, interaction: AnyInteraction, server: str, library: str | None) -> None:
        """Take back, and show what is left."""
        bound = await self._binder.unbind(_guild(interaction), server, library)
        await self.show(interaction, 1, f"This server no longer sees {bound_name(bound)}.")

    async def show(self, interaction: AnyInteraction, number: int, note: str = "") -> None:
        """Page `number` of what is bound."""
        bound = await self._binder.bound(_guild(interaction))
        page = None if bound is None else page_of(bound, number, BOUND_PAGE)
        view = bound_view(self._items, page, note)
        await update(interaction, view=view)


class BindingCommands(commands.Cog):
    """One instance a bot."""

    def __init__(self, desk: BindingDesk, binder: Binder) -> None:
        self._desk = desk
        self._binder = binder

    @app_commands.command(description="Let this Discord server see a Plex server or library", extras=_OWNER)
    @app_commands.describe(server="The Plex server", library="One of its libraries; left out: all of them")
    async def bind(self, interaction: AnyInteraction, server: str, library: str | None = None) -> None:
        """/bind."""
        await self._desk.bind(interaction, server, library)

    @app_commands.command(description="Have this Discord server no longer see a Plex server or library", extras=_OWNER)
    @app_commands.describe(server="The Plex server", library="One of its libraries; left out: all of it")
    async def unbind(self, interaction: AnyInteraction, server: str, library: str | None = None) -> None:
        """/unbind."""
        await self._desk.unbind(interaction, server, library)

    @bind.autocomplete("server")
    @unbind.autocomplete("server")
    async def _suggest_server(self, interaction: AnyInteraction, current: str) -> Choices:
        return to_choices(self._binder.suggest_servers(current))

    @bind.autocomplete("library")
    @unbind.autocomplete("library")
    async def _suggest_library(self, interaction: AnyInteraction, current: str) -> Choices:
        server = getattr(interaction.namespace, "server", None) or None
        return to_choices(await self._binder.suggest_libraries(current, server))


def _guild(interaction: AnyInteraction) -> GuildId:
    if interaction.guild_id is None:
        raise UserError("This works in servers only, not in direct messages.", "no_server")
    return GuildId(interaction.guild_id)
