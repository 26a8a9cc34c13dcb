"""Slash commands of rounds: what they are called, what they take, who may use them."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from daemon.core.access import Access
from daemon.core.ids import MemberId
from daemon.core.leaving import GB, Rule
from integrations.discord.places import guild_of
from integrations.discord.policy import policy
from integrations.discord.ui.choices import Choices, to_choices

from .asking import Viewer
from .commands_answers import Answers
from .desk import Desk

AnyInteraction = discord.Interaction[Any]

DAYS, KEEP_DAYS = 365, 14
_OWNER = policy(Access.OWNER, private=True, audited=True)


def _typing(interaction: AnyInteraction) -> Viewer:
    return Viewer(MemberId(interaction.user.id), guild_of(interaction))


class LeavingCommands(commands.Cog):
    """One instance a bot; all of them share the desk."""

    leaving = app_commands.Group(name="leaving", description="What leaves the library soon, and what shall stay")

    def __init__(self, desk: Desk, answers: Answers, exempt_days: int) -> None:
        self._desk = desk
        self._answers = answers
        self._exempt_days = exempt_days

    @leaving.command(description="List what nobody watches, and let members keep titles of it", extras=_OWNER)
    @app_commands.describe(
        library="The library",
        days=f"Nobody has played it for so many days, and it is older than that; left out: {DAYS}",
        min_size_gb="Only what takes up so much or more",
        max_rating="Only what is rated so, of 10, or less; what has no rating is left out then",
        keep_days=f"For how many days members can keep titles; left out: {KEEP_DAYS}",
    )
    async def announce(
        self,
        interaction: AnyInteraction,
        library: str,
        days: app_commands.Range[int, 1, 3650] = DAYS,
        min_size_gb: app_commands.Range[int, 1, 10_000] | None = None,
        max_rating: app_commands.Range[int, 0, 10] | None = None,
        keep_days: app_commands.Range[int, 1, 365] = KEEP_DAYS,
    ) -> None:
        """/leaving announce."""
        rating = None if max_rating is None else max_rating * 10
        rule = Rule(days, keep_days, self._exempt_days, (min_size_gb or 0) * GB, rating)
        await self._answers.announce(interaction, library, rule)

    @leaving.command(
        name="list", description="What is about to leave, and what is kept so far", extras=policy(private=True)
    )
    async def show(self, interaction: AnyInteraction) -> None:
        """/leaving list."""
        await self._answers.list(interaction, 1)

    @leaving.command(description="End the time for keeping, and decide what is deleted", extras=_OWNER)
    @app_commands.describe(round="The round")
    async def close(self, interaction: AnyInteraction, round: str) -> None:
        """/leaving close."""
        await self._answers.close(interaction, round)

    @announce.autocomplete("library")
    async def _suggest_library(self, interaction: AnyInteraction, current: str) -> Choices:
        return to_choices(await self._desk.suggest_libraries(current, _typing(interaction)))

    @close.autocomplete("round")
    async def _suggest_round(self, interaction: AnyInteraction, current: str) -> Choices:
        return to_choices(await self._desk.suggest_rounds(current, _typing(interaction)))
