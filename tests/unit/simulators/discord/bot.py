"""A small real discord.py bot, and how it finds the simulator."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
from aiohttp.abc import AbstractResolver, ResolveResult
from discord import app_commands
from discord.gateway import KeepAliveHandler

from simulators.discord.sim import DiscordSim


class Loopback(AbstractResolver):
    """Every name is 127.0.0.1 at one port."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=self._port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        return None


def trust(lab: DiscordSim) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(lab.ca_file))


async def connector(lab: DiscordSim) -> aiohttp.TCPConnector:
    context = await asyncio.to_thread(trust, lab)
    return aiohttp.TCPConnector(resolver=Loopback(lab.port), ssl=context, limit=0)


class Bot(discord.Client):
    def __init__(self, wire: aiohttp.TCPConnector, **options: Any) -> None:
        super().__init__(
            intents=options.pop("intents", discord.Intents.default()),
            connector=wire,
            guild_ready_timeout=0.05,
            allowed_mentions=discord.AllowedMentions.none(),
            **options,
        )
        self.tree = app_commands.CommandTree(self)
        self.events: list[str] = []
        self.seen: list[discord.Message] = []
        self.is_up = asyncio.Event()
        self.resumes = asyncio.Semaphore(0)

    async def close(self) -> None:
        await super().close()
        # discord.py leaves a heartbeat's thread alone when the socket was gone first: it would outlive the loop
        for thread in threading.enumerate():
            if isinstance(thread, KeepAliveHandler) and thread.ws._connection is self._connection:
                thread.stop()

    async def on_ready(self) -> None:
        self.events.append("ready")
        self.is_up.set()

    async def on_resumed(self) -> None:
        self.events.append("resumed")
        self.resumes.release()

    async def on_message(self, message: discord.Message) -> None:
        self.seen.append(message)


@asynccontextmanager
async def running(lab: DiscordSim, bot: Bot, token: str | None = None) -> AsyncIterator[Bot]:
    async with bot, asyncio.TaskGroup() as tasks:
        task = tasks.create_task(bot.start(token or lab.tokens["marquee"]))
        try:
            async with asyncio.timeout(10):
                await bot.is_up.wait()
            yield bot
        finally:
            await bot.close()
            task.cancel()


async def eventually(is_true: Callable[[], object], timeout: float = 10.0) -> None:
    """Look every few milliseconds until it is so."""
    async with asyncio.timeout(timeout):
        while not is_true():  # noqa: ASYNC110 - discord.py offers no event for most of what is awaited here
            await asyncio.sleep(0.01)
