"""Slash commands for owners to look after the libraries. Every answer is private."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from daemon.core.access import Access
from integrations.discord.policy import policy
from integrations.plex.editing_fields import Field, Mode

from .asking import Verb
from .commands_answers import WorkAnswers
from .commands_titles import TitleAnswers
from .desk import Desk
from .titles_desk import TitleDesk

AnyInteraction = discord.Interaction[Any]
Choices = list[app_commands.Choice[str]]

_LOOK = policy(Access.OWNER, private=True)
_CHANGE = policy(Access.OWNER, private=True, audited=True)
_LIBRARY = "Which library"
_TITLE = "Type a few letters of its name"


class ManageCommands(commands.Cog):
    """One instance a bot; all of them share the desks."""

    manage = app_commands.Group(name="manage", description="For the owners: look after the libraries")

    def __init__(self, desk: Desk, works: WorkAnswers, title_desk: TitleDesk, titles: TitleAnswers) -> None:
        self._desk = desk
        self._works = works
        self._title_desk = title_desk
        self._titles = titles

    # Single titles

    @manage.command(name="fix-match", description="What a title could be, if Plex took it for another", extras=_CHANGE)
    @app_commands.describe(title=_TITLE)
    async def fix_match(self, interaction: AnyInteraction, title: str) -> None:
        """/manage fix-match."""
        await self._titles.offer(interaction, title)

    @manage.command(description="Make titles of their own of a title's versions", extras=_CHANGE)
    @app_commands.describe(title=_TITLE)
    async def split(self, interaction: AnyInteraction, title: str) -> None:
        """/manage split."""
        await self._titles.ask_split(interaction, title)

    @manage.command(description="Make one title of two: the first becomes a version of the second", extras=_CHANGE)
    @app_commands.describe(title=f"{_TITLE}: what is to go into the other", into="What is to stay")
    async def merge(self, interaction: AnyInteraction, title: str, into: str) -> None:
        """/manage merge."""
        await self._titles.ask_merge(interaction, title, into)

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
        await self._titles.edit(interaction, title, Field(field), Mode(mode), value)

    @fix_match.autocomplete("title")
    @split.autocomplete("title")
    @merge.autocomplete("title")
    @merge.autocomplete("into")
    @edit.autocomplete("title")
    async def _suggest_title(self, interaction: AnyInteraction, current: str) -> Choices:
        return [app_commands.Choice(name=name, value=ref) for name, ref in await self._title_desk.suggest(current)]

    # Libraries

    @manage.command(description="Have the server look for new files", extras=_CHANGE)
    @app_commands.describe(library=_LIBRARY)
    async def scan(self, interaction: AnyInteraction, library: str) -> None:
        """/manage scan."""
        await self._works.begin(interaction, Verb.SCAN, library)

    @manage.command(description="Have the server fetch all metadata again, which takes long", extras=_CHANGE)
    @app_commands.describe(library=_LIBRARY)
    async def refresh(self, interaction: AnyInteraction, library: str) -> None:
        """/manage refresh."""
        await self._works.begin(interaction, Verb.REFRESH, library)

    @manage.command(description="Have the server look into every file again, which takes long", extras=_CHANGE)
    @app_commands.describe(library=_LIBRARY)
    async def analyze(self, interaction: AnyInteraction, library: str) -> None:
        """/manage analyze."""
        await self._works.begin(interaction, Verb.ANALYZE, library)

    @scan.autocomplete("library")
    @refresh.autocomplete("library")
    @analyze.autocomplete("library")
    async def _suggest_library(self, interaction: AnyInteraction, current: str) -> Choices:
        return [app_commands.Choice(name=name, value=ref) for name, ref in await self._desk.suggest(current)]
