"""Slash commands of collections: what they are called, what they take, who may use them."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from daemon.core.access import Access
from daemon.core.ids import MemberId
from integrations.discord.places import guild_of
from integrations.discord.policy import policy
from integrations.discord.ui.choices import Choices, to_choices

from .asking import Viewer
from .commands_answers import Answers, viewer_of
from .commands_changes import Changes
from .desk import Desk

AnyInteraction = discord.Interaction[Any]

_OWNER = policy(Access.OWNER, private=True, audited=True)
_COLLECTION = "Type a few letters of its name"
_TITLE = "Type a few letters of the title's name"
_NAME_CHARS_MAX = 100
_FILTER_CHARS_MAX = 300


def _typing(interaction: AnyInteraction) -> Viewer:
    return Viewer(MemberId(interaction.user.id), guild_of(interaction))


def _chosen(interaction: AnyInteraction) -> str | None:
    chosen = getattr(interaction.namespace, "collection", None)
    return chosen if isinstance(chosen, str) and chosen else None


class CollectionCommands(commands.Cog):
    """One instance a bot; all of them share the desk."""

    collection = app_commands.Group(name="collection", description="The collections of the libraries")

    def __init__(self, desk: Desk, answers: Answers, changes: Changes) -> None:
        self._desk = desk
        self._answers = answers
        self._changes = changes

    @collection.command(name="list", description="Which collections there are", extras=policy())
    @app_commands.describe(library="One library; left out: all of them")
    async def list_all(self, interaction: AnyInteraction, library: str | None = None) -> None:
        """/collection list."""
        await self._answers.list(interaction, await self._desk.library(library, viewer_of(interaction)), 1)

    @collection.command(description="What is in a collection", extras=policy())
    @app_commands.describe(collection=_COLLECTION)
    async def show(self, interaction: AnyInteraction, collection: str) -> None:
        """/collection show."""
        await self._answers.show(interaction, collection, 1)

    @collection.command(description="Make a collection: of titles that you put in, or by a filter", extras=_OWNER)
    @app_commands.describe(
        library="Of which library",
        name="What it shall be called",
        filter='Fills itself by this: genre="Science Fiction",Drama year>=2000 minutes<120 unwatched',
    )
    async def create(
        self,
        interaction: AnyInteraction,
        library: str,
        name: app_commands.Range[str, 1, _NAME_CHARS_MAX],
        filter: app_commands.Range[str, 1, _FILTER_CHARS_MAX] | None = None,
    ) -> None:
        """/collection create."""
        await self._changes.create(interaction, library, name, filter)

    @collection.command(description="Put a title into a collection", extras=_OWNER)
    @app_commands.describe(collection=_COLLECTION, title=_TITLE)
    async def add(self, interaction: AnyInteraction, collection: str, title: str) -> None:
        """/collection add."""
        await self._changes.add(interaction, collection, title)

    @collection.command(description="Take a title out of a collection; the title itself stays", extras=_OWNER)
    @app_commands.describe(collection=_COLLECTION, title=_TITLE)
    async def remove(self, interaction: AnyInteraction, collection: str, title: str) -> None:
        """/collection remove."""
        await self._changes.remove(interaction, collection, title)

    @collection.command(description="Delete a collection; its titles stay", extras=_OWNER)
    @app_commands.describe(collection=_COLLECTION)
    async def delete(self, interaction: AnyInteraction, collection: str) -> None:
        """/collection delete."""
        await self._changes.ask_delete(interaction, collection)

    @list_all.autocomplete("library")
    @create.autocomplete("library")
    async def _suggest_library(self, interaction: AnyInteraction, current: str) -> Choices:
        return to_choices(await self._desk.suggest_libraries(current, _typing(interaction)))

    @show.autocomplete("collection")
    @add.autocomplete("collection")
    @remove.autocomplete("collection")
    @delete.autocomplete("collection")
    async def _suggest_collection(self, interaction: AnyInteraction, current: str) -> Choices:
        return to_choices(await self._desk.suggest_collections(current, _typing(interaction)))

    @add.autocomplete("title")
    async def _suggest_title(self, interaction: AnyInteraction, current: str) -> Choices:
        found = await self._desk.suggest_titles(current, _typing(interaction), _chosen(interaction), inside=False)
        return to_choices(found)

    @remove.autocomplete("title")
    async def _suggest_member(self, interaction: AnyInteraction, current: str) -> Choices:
        found = await self._desk.suggest_titles(current, _typing(interaction), _chosen(interaction), inside=True)
        return to_choices(found)
