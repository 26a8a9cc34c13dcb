"""The floor for idle memory: only the libraries that a running daemon uses, imported, in a loop that sleeps."""

from __future__ import annotations

import asyncio
import sqlite3
import sys

import aiohttp.web
import apscheduler.jobstores.memory
import apscheduler.triggers.cron
import apscheduler.triggers.interval
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
    aiohttp.web, apscheduler.jobstores.memory, apscheduler.triggers.cron, apscheduler.triggers.interval, click,
    discord.ext.commands, msgspec, plexapi.server, prometheus_client, pydantic_settings, rapidfuzz.process,
    sqlalchemy.dialects.sqlite, sqlite3, structlog,
)  # fmt: skip


async def idle() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.sleep(600)


if __name__ == "__main__":
    asyncio.run(idle())
