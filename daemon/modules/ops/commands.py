"""Slash commands for the owners. Every answer is private."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from daemon.core.access import Access
from daemon.kernel.health import Health
from integrations.discord.policy import policy
from integrations.discord.replies import reply

from .commands_desk import Desk
from .views import health_view

AnyInteraction = discord.Interaction[Any]


class OpsCommands(commands.Cog):
    """One instance a bot."""

    ops = app_commands.Group(
        name="ops", description="For the owners of this bot", extras=policy(Access.OWNER, private=True)
    )

    def __init__(self, desk: Desk, health: Health) -> None:
        self._desk = desk
        self._health = health

    @ops.command(name="dead-letters", description="Work that was given up: look at it, replay it, drop it")
    async def dead_letters(self, interaction: AnyInteraction) -> None:
        """/ops dead-letters."""
        await self._desk.show_letters(interaction, 1)

    @ops.command(description="How this bot and what it depends on are doing")
    async def health(self, interaction: AnyInteraction) -> None:
        """/ops health."""
        await reply(interaction, view=health_view(self._health.report()))

    @ops.command(description="What runs when, and how it went the last time")
    async def schedules(self, interaction: AnyInteraction) -> None:
        """/ops schedules."""
        await self._desk.show_schedules(interaction, 1)

    @ops.command(description="Everything that one command, press or Plex notification caused")
    @app_commands.rename(trace_id="id")
    @app_commands.describe(trace_id="Its first 8 digits at least: from the log, or from a message about an error")
    async def trace(self, interaction: AnyInteraction, trace_id: str) -> None:
        """/ops trace."""
        await self._desk.show_story(interaction, trace_id, 1)
