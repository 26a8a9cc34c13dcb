"""Slash commands on one's own Plex account. Every answer is private."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from daemon.core.ids import MemberId
from integrations.discord.places import guild_of
from integrations.discord.policy import policy
from integrations.discord.ui.choices import Choices, to_choices

from .commands_answers import Answers
from .orders import Order, Verb
from .titles import ANY, WATCHABLE, Titles

AnyInteraction = discord.Interaction[Any]

_LOOK = policy(private=True)
_CHANGE = policy(private=True, audited=True)
_TITLE = "Type a few letters of the name"


class PersonalCommands(commands.Cog):
    """One instance a bot; all of them share what answers."""

    def __init__(self, answers: Answers, titles: Titles) -> None:
        self._answers = answers
        self._titles = titles

    @app_commands.command(name="continue", description="What you have begun on Plex; one press plays it", extras=_LOOK)
    async def go_on(self, interaction: AnyInteraction) -> None:
        """/continue."""
        await self._answers.deck(interaction, 1)

    @app_commands.command(description="Mark as watched on your Plex account", extras=_CHANGE)
    @app_commands.describe(title=f"{_TITLE}: a film, an episode, a season or a whole show")
    async def watched(self, interaction: AnyInteraction, title: str) -> None:
        """/watched."""
        await self._answers.carry_out(interaction, Order(Verb.WATCHED, title=title))

    @app_commands.command(description="Mark as not watched on your Plex account", extras=_CHANGE)
    @app_commands.describe(title=f"{_TITLE}: a film, an episode, a season or a whole show")
    async def unwatched(self, interaction: AnyInteraction, title: str) -> None:
        """/unwatched."""
        await self._answers.carry_out(interaction, Order(Verb.UNWATCHED, title=title))

    @app_commands.command(description="Rate a title on your Plex account", extras=_CHANGE)
    @app_commands.describe(title=_TITLE, stars="0 to 10; 0 takes your rating away")
    async def rate(self, interaction: AnyInteraction, title: str, stars: app_commands.Range[int, 0, 10]) -> None:
        """/rate."""
        await self._answers.carry_out(interaction, Order(Verb.RATE, title=title, stars=stars))

    @watched.autocomplete("title")
    @unwatched.autocomplete("title")
    async def _suggest_watchable(self, interaction: AnyInteraction, current: str) -> Choices:
        member_id = MemberId(interaction.user.id)
        return to_choices(await self._titles.suggest(current, member_id, guild_of(interaction), WATCHABLE))

    @rate.autocomplete("title")
    async def _suggest_any(self, interaction: AnyInteraction, current: str) -> Choices:
        member_id = MemberId(interaction.user.id)
        return to_choices(await self._titles.suggest(current, member_id, guild_of(interaction), ANY))
