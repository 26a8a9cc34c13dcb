"""Slash commands of one's own playlists. Every answer is private."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from daemon.core.access import Access
from daemon.core.ids import MemberId
from daemon.services.profiles import Profiles
from integrations.discord.places import guild_of
from integrations.discord.policy import policy
from integrations.discord.ui.choices import Choices, to_choices
from integrations.plex import PlayerChoice

from .commands_answers import Answers
from .orders import Asker, Order, Verb
from .playlists_desk import PlaylistsDesk
from .titles import ANY, Titles

AnyInteraction = discord.Interaction[Any]

_LOOK = policy(private=True)
_CHANGE = policy(private=True, audited=True)
_PLAYLIST = "One of your playlists"
_TITLE = "Type a few letters of the name"


class PlaylistCommands(commands.Cog):
    """One instance a bot; all of them share what answers."""

    playlist = app_commands.Group(name="playlist", description="Your own playlists on Plex")

    def __init__(
        self, answers: Answers, desk: PlaylistsDesk, titles: Titles, players: PlayerChoice, profiles: Profiles
    ) -> None:
        self._answers = answers
        self._desk = desk
        self._titles = titles
        self._players = players
        self._profiles = profiles

    @playlist.command(name="list", description="Your playlists", extras=_LOOK)
    async def list_all(self, interaction: AnyInteraction) -> None:
        """/playlist list."""
        await self._answers.playlists(interaction, 1)

    @playlist.command(description="What is in a playlist", extras=_LOOK)
    @app_commands.describe(playlist=_PLAYLIST)
    async def show(self, interaction: AnyInteraction, playlist: str) -> None:
        """/playlist show."""
        await self._answers.contents(interaction, playlist, 1)

    @playlist.command(description="Make a playlist that begins with a title", extras=_CHANGE)
    @app_commands.describe(name="What it shall be called", title=_TITLE)
    async def create(self, interaction: AnyInteraction, name: str, title: str) -> None:
        """/playlist create."""
        await self._answers.carry_out(interaction, Order(Verb.CREATE, title=title, name=name))

    @playlist.command(description="Put a title at the end of a playlist", extras=_CHANGE)
    @app_commands.describe(playlist=_PLAYLIST, title=_TITLE)
    async def add(self, interaction: AnyInteraction, playlist: str, title: str) -> None:
        """/playlist add."""
        await self._answers.carry_out(interaction, Order(Verb.ADD, title=title, playlist=playlist))

    @playlist.command(description="Take an entry out of a playlist", extras=_CHANGE)
    @app_commands.describe(playlist=_PLAYLIST, title="One of its entries")
    async def remove(self, interaction: AnyInteraction, playlist: str, title: str) -> None:
        """/playlist remove."""
        await self._answers.carry_out(interaction, Order(Verb.REMOVE, title=title, playlist=playlist))

    @playlist.command(description="Delete a playlist; asks first", extras=_CHANGE)
    @app_commands.describe(playlist=_PLAYLIST)
    async def delete(self, interaction: AnyInteraction, playlist: str) -> None:
        """/playlist delete."""
        await self._answers.carry_out(interaction, Order(Verb.DELETE, playlist=playlist))

    @playlist.command(
        description="Play a playlist from its beginning",
        extras=policy(Access.CONTROLLER, private=True, audited=True),
    )
    @app_commands.describe(playlist=_PLAYLIST, player="The player; left out: the one you used last")
    async def play(self, interaction: AnyInteraction, playlist: str, player: str | None = None) -> None:
        """/playlist play."""
        await self._answers.carry_out(interaction, Order(Verb.PLAY, playlist=playlist, player=player))

    @show.autocomplete("playlist")
    @add.autocomplete("playlist")
    @remove.autocomplete("playlist")
    @delete.autocomplete("playlist")
    @play.autocomplete("playlist")
    async def _suggest_playlist(self, interaction: AnyInteraction, current: str) -> Choices:
        asker = await self._typing(interaction)
        return [] if asker is None else to_choices(await self._desk.suggest(current, asker))

    @create.autocomplete("title")
    @add.autocomplete("title")
    async def _suggest_title(self, interaction: AnyInteraction, current: str) -> Choices:
        member_id = MemberId(interaction.user.id)
        return to_choices(await self._titles.suggest(current, member_id, guild_of(interaction), ANY))

    @remove.autocomplete("title")
    async def _suggest_entry(self, interaction: AnyInteraction, current: str) -> Choices:
        asker = await self._typing(interaction)
        playlist = getattr(interaction.namespace, "playlist", None)
        return [] if asker is None else to_choices(await self._desk.suggest_entries(current, playlist, asker))

    @play.autocomplete("player")
    async def _suggest_player(self, interaction: AnyInteraction, current: str) -> Choices:
        member_id = MemberId(interaction.user.id)
        sees = await self._titles.sees(member_id, guild_of(interaction))
        return to_choices(await self._players.suggest(current, member_id, None, sees))

    async def _typing(self, interaction: AnyInteraction) -> Asker | None:
        """Who types; None for somebody we have not met, who has linked nothing then."""
        member_id = MemberId(interaction.user.id)
        profile_id = await self._profiles.of_member(member_id)
        return None if profile_id is None else Asker(member_id, guild_of(interaction), profile_id)
