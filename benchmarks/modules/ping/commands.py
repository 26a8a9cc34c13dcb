from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from integrations.discord.policy import policy
from integrations.discord.replies import reply


class PingCommands(commands.Cog):
    @app_commands.command(description="Answer at once", extras=policy(private=True, burst=1_000_000, per_s=1_000_000.0))
    async def ping(self, interaction: discord.Interaction[Any]) -> None:
        await reply(interaction, "pong")
