"""The floor for idle memory: only the libraries that a running daemon uses, imported, in a loop that sleeps."""

from __future__ import annotations

import asyncio
import sys

import aiohttp.web
import click
import discord.ext.commands
import msgspec
import plexapi.server
import prometheus_client
import pydantic_settings
import rapidfuzz.process
import sqlalchemy.dialects.sqlite
import structlog

LIBRARIES = (
    aiohttp.web, click, discord.ext.commands, msgspec, plexapi.server,
    prometheus_client, pydantic_settings, rapidfuzz.process, sqlalchemy.dialects.sqlite, structlog,
)  # fmt: skip


async def idle() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.sleep(600)


if __name__ == "__main__":
    asyncio.run(idle())
