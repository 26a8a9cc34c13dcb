"""Keeps the commands of each bot in step with Discord: once when the modules are up, then whenever they change."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import datetime, timedelta

import aiohttp
import discord
import structlog

from daemon.core.clock import Clock
from daemon.core.ids import BotName
from daemon.kernel.health import Check, Health, Status
from integrations.discord.bot import Bot
from integrations.discord.surface import DiscordSurface
from integrations.discord.sync import Change, Plan, SyncRefused, apply, fetch_remote, local_commands, plan

log = structlog.get_logger(__name__)


async def plan_for(bot: Bot, surface: DiscordSurface, *, keep: Collection[str] = ()) -> Plan:
    """What a sync of this bot would do; one GET. The bot needs to be logged in, not connected."""
    remote = await fetch_remote(bot.http, bot.application_id or 0)
    return plan(local_commands(bot.tree), remote, keep=keep, moved=surface.commands_elsewhere(bot))


class CommandSync:
    """One bot's commands. Wished for by the fleet, done as soon as the bot is logged in, repeated until it worked."""

    def __init__(self, name: BotName, surface: DiscordSurface, health: Health, clock: Clock) -> None:
        self._name = name
        self._surface = surface
        self._health = health
        self._clock = clock
        self._lock = asyncio.Lock()
        self._keep: frozenset[str] = frozenset()
        self._parked_until: datetime | None = None
        self.is_due = False

    def wish(self, keep: Collection[str]) -> None:
        """The modules are up, or have changed; `keep` names the commands of those that failed."""
        self._keep = frozenset(keep)
        self.is_due = True

    async def run(self, bot: Bot) -> Plan | None:
        """Do it if it is due: one GET, at most one PUT. Failures are reported to health and leave it due."""
        async with self._lock:
            if not self.is_due or self._is_parked():
                return None
            try:
                planned = await plan_for(bot, self._surface, keep=self._keep)
                await apply(bot.http, bot.application_id or 0, planned)
            except SyncRefused as refusal:
                self._park() if refusal.is_parked else self._settle()
                self._report(Status.WARN, f"commands not updated: {refusal.reason}")
                return None
            except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as error:
                self._report(Status.WARN, f"commands not updated: {type(error).__name__}: {error}")
                return None
            self._settle()
            changed = {change.value: len(planned.names(change)) for change in Change}
            log.info("commands_in_step", bot=self._name, **changed)
            self._report(Status.PASS, "in step")
            return planned

    def _settle(self) -> None:
        self.is_due = False
        self._parked_until = None

    def _is_parked(self) -> bool:
        return self._parked_until is not None and self._clock.now() < self._parked_until

    def _park(self) -> None:
        tomorrow = self._clock.now() + timedelta(days=1)
        self._parked_until = tomorrow.replace(hour=0, minute=5, second=0, microsecond=0)

    def _report(self, status: Status, output: str) -> None:
        if status is not Status.PASS:
            log.warning("commands_not_in_step", bot=self._name, reason=output)
        self._health.set(f"discord:{self._name}:commands", Check(status, output))
