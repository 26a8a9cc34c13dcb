"""Slash commands of the library: what they are called, what they take, who may use them."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from daemon.core.ids import MemberId
from daemon.core.media import TitleKind
from integrations.discord.places import guild_of
from integrations.discord.policy import policy
from integrations.discord.ui.choices import Choices, to_choices

from .asking import Searched, Viewer, Wish
from .commands_answers import Answers, viewer_of
from .desk import Desk, clean

AnyInteraction = discord.Interaction[Any]

_LIBRARY = "One library; left out: all of them"
_DAYS_MAX = 3650
_KINDS = (
    ("Films", TitleKind.MOVIE), ("Shows", TitleKind.SHOW), ("Seasons", TitleKind.SEASON),
    ("Episodes", TitleKind.EPISODE), ("Artists", TitleKind.ARTIST), ("Albums", TitleKind.ALBUM),
    ("Tracks", TitleKind.TRACK),
)  # fmt: skip


def _typing(interaction: AnyInteraction) -> Viewer:
    return Viewer(MemberId(interaction.user.id), guild_of(interaction))


class LibraryCommands(commands.Cog):
    """One instance a bot; all of them share the desk."""

    library = app_commands.Group(name="library", description="What is there to watch and to listen to")

    def __init__(self, desk: Desk, answers: Answers) -> None:
        self._desk = desk
        self._answers = answers

    @library.command(description="Search for films, shows, episodes and music", extras=policy(private=True))
    @app_commands.describe(
        query="A name, with a year (dune 2021) or an episode (office s02e04) if you like",
        type="Only this kind",
        library=_LIBRARY,
    )
    @app_commands.choices(type=[app_commands.Choice(name=name, value=kind.value) for name, kind in _KINDS])
    async def search(
        self, interaction: AnyInteraction, query: str, type: str | None = None, library: str | None = None
    ) -> None:
        """/library search."""
        only = await self._desk.library(library, viewer_of(interaction))
        searched = Searched(clean(query), TitleKind(type) if type else None, only)
        await self._answers.search(interaction, searched, 1)

    @library.command(description="Everything about one title", extras=policy())
    @app_commands.describe(title="Type a few letters of the name")
    async def info(self, interaction: AnyInteraction, title: str) -> None:
        """/library info."""
        await self._answers.info(interaction, title)

    @library.command(description="What was added lately", extras=policy())
    @app_commands.describe(library=_LIBRARY, days="Only what was added within so many days")
    async def recent(
        self,
        interaction: AnyInteraction,
        library: str | None = None,
        days: app_commands.Range[int, 1, _DAYS_MAX] | None = None,
    ) -> None:
        """/library recent."""
        only = await self._desk.library(library, viewer_of(interaction))
        await self._answers.recent(interaction, only, days, 1)

    @library.command(description="A film or show by chance", extras=policy())
    @app_commands.describe(
        genre="Of this genre",
        max_minutes="At most so long; of a show, one episode",
        unwatched="Not yet seen: on your own Plex account, if you let me keep access to it",
    )
    async def random(
        self,
        interaction: AnyInteraction,
        genre: str | None = None,
        max_minutes: app_commands.Range[int, 1, 10_000] | None = None,
        unwatched: bool = False,
    ) -> None:
        """/library random."""
        await self._answers.draw(interaction, Wish(genre, max_minutes, unwatched))

    @library.command(description="How much is there", extras=policy())
    @app_commands.describe(library=_LIBRARY)
    async def stats(self, interaction: AnyInteraction, library: str | None = None) -> None:
        """/library stats."""
        await self._answers.stats(interaction, await self._desk.library(library, viewer_of(interaction)))

    @library.command(description="How much room it takes, and what takes most", extras=policy())
    @app_commands.describe(library=_LIBRARY)
    async def storage(self, interaction: AnyInteraction, library: str | None = None) -> None:
        """/library storage."""
        await self._answers.storage(interaction, await self._desk.library(library, viewer_of(interaction)))

    @app_commands.command(description="Is it in the library?", extras=policy(private=True))
    @app_commands.describe(title="The name, with its year if you know it")
    async def have(self, interaction: AnyInteraction, title: str) -> None:
        """/have."""
        await self._answers.have(interaction, title)

    @info.autocomplete("title")
    async def _suggest_title(self, interaction: AnyInteraction, current: str) -> Choices:
        return to_choices(await self._desk.suggest(current, _typing(interaction)))

    @search.autocomplete("library")
    @recent.autocomplete("library")
    @stats.autocomplete("library")
    @storage.autocomplete("library")
    async def _suggest_library(self, interaction: AnyInteraction, current: str) -> Choices:
        return to_choices(await self._desk.suggest_libraries(current, _typing(interaction)))

    @random.autocomplete("genre")
    async def _suggest_genre(self, interaction: AnyInteraction, current: str) -> Choices:
        return to_choices(await self._desk.suggest_genres(current, _typing(interaction)))
