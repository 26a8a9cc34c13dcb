"""For the owners: they are told what goes wrong, and can look at it and mend it from chat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from daemon.core.events import BackupFailed, MessageDied, ServerBack, ServerLost, WatcherAlarmed, WatcherCleared
from daemon.core.ids import ChannelId
from daemon.host.context import ModuleContext
from daemon.kernel.health import Health
from daemon.services.dead_letters import DeadLetters
from daemon.services.notify import Notify
from daemon.services.owners import Owners
from daemon.services.schedule import Schedules
from daemon.services.stories import Stories

from .commands import OpsCommands
from .commands_components import OpsComponents
from .config import Config
from .telling import Telling


@asynccontextmanager
async def setup(ctx: ModuleContext[Config]) -> AsyncIterator[None]:
    """Listen to trouble, and offer the commands."""
    channel = ChannelId(ctx.config.channel) if ctx.config.channel else None
    telling = Telling(ctx.service(Notify), channel, ctx.service(Owners).ids, ctx.config.died_every_min)
    # What belongs together has one name: only within a subscription do events keep their order.
    ctx.on(ServerLost, telling.server_lost, name="servers")
    ctx.on(ServerBack, telling.server_back, name="servers")
    ctx.on(WatcherAlarmed, telling.watcher_alarmed, name="watcher")
    ctx.on(WatcherCleared, telling.watcher_cleared, name="watcher")
    ctx.on(MessageDied, telling.message_died)
    ctx.on(BackupFailed, telling.backup_failed)
    items = ctx.components(OpsComponents, ctx.service(DeadLetters), ctx.service(Schedules), ctx.service(Stories))
    await ctx.cog(OpsCommands, items.desk, ctx.service(Health))
    yield
