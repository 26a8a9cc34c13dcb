"""Trying a bot without running it: one login, and what went wrong in words of our own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import discord

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.ids import AppId, BotName
from integrations.discord.fleet import Fleet
from integrations.discord.sync import Plan

_BUSY_FROM = 500  # and 429: what a later attempt may mend


@dataclass(frozen=True, slots=True)
class BotTrial:
    """A bot that Discord let in."""

    name: BotName
    user: str
    app_id: AppId
    invite_url: str


async def try_bot(fleet: Fleet, name: str) -> BotTrial:
    """Log in by REST only, so that a running daemon's connection is left alone. Raises UpstreamError."""
    async with _told_as_upstream(name), fleet.logged_in(name) as bot:
        return BotTrial(BotName(name), str(bot.user), AppId(bot.application_id or 0), bot.invite_url())


async def plan_commands(fleet: Fleet, name: str, keep: Collection[str]) -> Plan:
    """As `Fleet.plan_commands`; raises UpstreamError."""
    async with _told_as_upstream(name):
        return await fleet.plan_commands(name, keep=keep)


async def apply_commands(fleet: Fleet, name: str, keep: Collection[str], *, force: bool) -> Plan:
    """As `Fleet.apply_commands`; raises UpstreamError, or SyncRefused."""
    async with _told_as_upstream(name):
        return await fleet.apply_commands(name, keep=keep, force=force)


@asynccontextmanager
async def _told_as_upstream(name: str) -> AsyncIterator[None]:
    service = f"Discord bot {name}"
    try:
        yield
    except discord.LoginFailure as error:
        raise UpstreamError(service, UpstreamKind.UNAUTHORIZED) from error
    except discord.RateLimited as error:
        raise UpstreamError(service, UpstreamKind.BUSY, f"asks to wait {error.retry_after:.0f} s") from error
    except discord.HTTPException as error:
        is_busy = error.status == 429 or error.status >= _BUSY_FROM
        kind = UpstreamKind.BUSY if is_busy else UpstreamKind.BROKEN
        raise UpstreamError(service, kind, f"HTTP {error.status}, code {error.code}") from error
    except TimeoutError as error:
        raise UpstreamError(service, UpstreamKind.TIMED_OUT) from error
    except (aiohttp.ClientError, OSError) as error:
        raise UpstreamError(service, UpstreamKind.UNREACHABLE, str(error)) from error
