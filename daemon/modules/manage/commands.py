"""Slash commands for owners to look after the libraries. Every answer is private."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from daemon.core.access import Access
from integrations.discord.policy import policy

from .asking import Verb
from .commands_answers import WorkAnswers
from .desk import Desk

AnyInteraction = discord.Interaction[Any]
Choices = list[app_commands.Choice[str]]

_LOOK = policy(Access.OWNER, private=True)
_CHANGE = policy(Access.OWNER, private=True, audited=True)
_LIBRARY = "Which library"


class ManageCommands(commands.Cog):
    """One instance a bot; all of them share the desks."""

    manage = app_commands.Group(name="manage", description="For the owners: look after the libraries")

    def __init__(self, desk: Desk, works: WorkAnswers) -> None:
        self._desk = desk
        self._works = works

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
