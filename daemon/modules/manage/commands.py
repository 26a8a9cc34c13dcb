"""Slash commands for owners to look after the libraries. Every answer is private."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from daemon.core.access import Access
from integrations.discord.policy import policy
from integrations.discord.ui.choices import Choices, to_choices
from integrations.plex.editing_fields import Field, Mode

from .asking import Verb
from .commands_components import ManageComponents
from .commands_titles_components import TitleComponents
from .desk import Desk

AnyInteraction = discord.Interaction[Any]

_LOOK = policy(Access.OWNER, private=True)
_CHANGE = policy(Access.OWNER, private=True, audited=True)
_LIBRARY = "Which library"
_TITLE = "Type a few letters of its name"
_DAYS_MAX = 3650
_Days = app_commands.Range[int, 1, _DAYS_MAX]


class ManageCommands(commands.Cog):
    """One instance a bot; all of them share the answers."""

    manage = app_commands.Group(name="manage", description="For the owners: look after the libraries")

    def __init__(self, desk: Desk, items: ManageComponents, titles: TitleComponents) -> None:
        self._desk = desk
        self._items = items
        self._titles = titles

    # Single titles

    @manage.command(name="fix-match", description="What a title could be, if Plex took it for another", extras=_CHANGE)
    @app_commands.describe(title=_TITLE)
    async def fix_match(self, interaction: AnyInteraction, title: str) -> None:
        """/manage fix-match."""
        await self._titles.answers.offer(interaction, title)

    @manage.command(description="Make titles of their own of a title's versions", extras=_CHANGE)
    @app_commands.describe(title=_TITLE)
    async def split(self, interaction: AnyInteraction, title: str) -> None:
        """/manage split."""
        await self._titles.answers.ask_split(interaction, title)

    @manage.command(description="Make one title of two: the first becomes a version of the second", extras=_CHANGE)
    @app_commands.describe(title=f"{_TITLE}: what is to go into the other", into="What is to stay")
    async def merge(self, interaction: AnyInteraction, title: str, into: str) -> None:
        """/manage merge."""
        await self._titles.answers.ask_merge(interaction, title, into)

    @manage.command(description="Edit a field of a title; what it was is shown and can be had back", extras=_CHANGE)
    @app_commands.describe(
        title=_TITLE,
        field="What to edit",
        mode="Set it, or add to a list, or remove from one",
        value="The text, or words with commas between them; a single dash empties the field",
    )
    @app_commands.choices(
        field=[app_commands.Choice(name=each.value.capitalize(), value=each.value) for each in Field],
        mode=[app_commands.Choice(name=each.value.capitalize(), value=each.value) for each in Mode],
    )
    async def edit(self, interaction: AnyInteraction, title: str, field: str, mode: str, value: str) -> None:
        """/manage edit."""
        await self._titles.answers.edit(interaction, title, Field(field), Mode(mode), value)

    @fix_match.autocomplete("title")
    @split.autocomplete("title")
    @merge.autocomplete("title")
    @merge.autocomplete("into")
    @edit.autocomplete("title")
    async def _suggest_title(self, interaction: AnyInteraction, current: str) -> Choices:
        return to_choices(await self._titles.desk.suggest(current))

    # Libraries

    @manage.command(description="Have the server look for new files", extras=_CHANGE)
    @app_commands.describe(library=_LIBRARY)
    async def scan(self, interaction: AnyInteraction, library: str) -> None:
        """/manage scan."""
        await self._items.works.begin(interaction, Verb.SCAN, library)

    @manage.command(description="Have the server fetch all metadata again, which takes long", extras=_CHANGE)
    @app_commands.describe(library=_LIBRARY)
    async def refresh(self, interaction: AnyInteraction, library: str) -> None:
        """/manage refresh."""
        await self._items.works.begin(interaction, Verb.REFRESH, library)

    @manage.command(description="Have the server look into every file again, which takes long", extras=_CHANGE)
    @app_commands.describe(library=_LIBRARY)
    async def analyze(self, interaction: AnyInteraction, library: str) -> None:
        """/manage analyze."""
        await self._items.works.begin(interaction, Verb.ANALYZE, library)

    @manage.command(name="empty-trash", description="See what is in the trash, and empty it", extras=_LOOK)
    @app_commands.describe(library=_LIBRARY)
    async def empty_trash(self, interaction: AnyInteraction, library: str) -> None:
        """/manage empty-trash: asks first."""
        await self._items.trash.show(interaction, library)

    @manage.command(description="Titles that no agent knows", extras=_LOOK)
    @app_commands.describe(library=_LIBRARY)
    async def unmatched(self, interaction: AnyInteraction, library: str) -> None:
        """/manage unmatched."""
        await self._items.lists.unmatched(interaction, await self._desk.library(library))

    @manage.command(description="What is there more than once, and what could be saved", extras=_LOOK)
    @app_commands.describe(library=_LIBRARY)
    async def duplicates(self, interaction: AnyInteraction, library: str) -> None:
        """/manage duplicates."""
        await self._items.lists.duplicates(interaction, await self._desk.library(library))

    @manage.command(description="What nobody has played for long, the largest first", extras=_LOOK)
    @app_commands.describe(library=_LIBRARY, days="Not played for so many days; left out: 365")
    async def stale(self, interaction: AnyInteraction, library: str, days: _Days | None = None) -> None:
        """/manage stale."""
        await self._items.lists.stale(interaction, await self._desk.library(library), days)

    @manage.command(description="What the servers are doing now", extras=_LOOK)
    @app_commands.describe(library="Only what is about this library; left out: everything")
    async def activities(self, interaction: AnyInteraction, library: str | None = None) -> None:
        """/manage activities."""
        chosen = await self._desk.library(library) if library is not None and library.strip() else None
        await self._items.lists.activities(interaction, chosen)

    @manage.command(description="Accounts that have access and do not use it", extras=_LOOK)
    @app_commands.describe(days="Played nothing for so many days; left out: 90")
    async def inactive(self, interaction: AnyInteraction, days: _Days | None = None) -> None:
        """/manage inactive."""
        await self._items.lists.inactive(interaction, days)

    @manage.command(description="Announce maintenance in this channel", extras=_CHANGE)
    @app_commands.describe(message="What everybody shall read")
    async def maintenance(self, interaction: AnyInteraction, message: str) -> None:
        """/manage maintenance."""
        await self._items.notices.announce(interaction, message)

    @scan.autocomplete("library")
    @refresh.autocomplete("library")
    @analyze.autocomplete("library")
    @empty_trash.autocomplete("library")
    @unmatched.autocomplete("library")
    @duplicates.autocomplete("library")
    @stale.autocomplete("library")
    @activities.autocomplete("library")
    async def _suggest_library(self, interaction: AnyInteraction, current: str) -> Choices:
        return to_choices(await self._desk.suggest(current))
