"""The floor for a command: a discord.py bot with one slash command, on the same simulator."""

from __future__ import annotations

import ssl
import sys

import aiohttp
import discord
from aiohttp.abc import AbstractResolver, ResolveResult
from discord import app_commands


class Loopback(AbstractResolver):
    """Every host name lives at one port of this machine."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=self.port, family=2, proto=0, flags=0)]

    async def close(self) -> None:
        return


class Bot(discord.Client):
    async def setup_hook(self) -> None:
        tree = app_commands.CommandTree(self)

        @tree.command(name="ping", description="Answer at once")
        async def ping(interaction: discord.Interaction) -> None:
            await interaction.response.send_message("pong", ephemeral=True)

        await tree.sync()


async def main(port: int, ca_file: str, token: str) -> None:
    connector = aiohttp.TCPConnector(resolver=Loopback(port), ssl=ssl.create_default_context(cafile=ca_file))
    async with Bot(intents=discord.Intents(guilds=True), connector=connector) as bot:
        await bot.start(token)


if __name__ == "__main__":
    import asyncio

    asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
