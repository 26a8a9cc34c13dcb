"""Leaving soon: what nobody watches is announced, members keep what shall stay, owners have the rest deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from daemon.core.ids import ChannelId
from daemon.host.context import ModuleContext
from daemon.services.kept import SWEEP_S, Kept
from daemon.services.leaving import Leaving
from daemon.services.library import Shelves, Stock
from daemon.services.notify import Notify
from daemon.services.owners import Owners
from daemon.services.panels import Panels
from daemon.services.visibility import VisibilityService
from integrations.discord.messages import Messages
from integrations.plex import Removal

from .asking import Draft
from .commands import LeavingCommands
from .commands_components import LeavingComponents
from .config import Config
from .deleting import Deleting
from .desk import Desk
from .telling import MODULE, Telling

DRAFT_LASTS = timedelta(hours=1)  # what an owner was shown is announced as it was, so it must not be old


@asynccontextmanager
async def setup(ctx: ModuleContext[Config]) -> AsyncIterator[None]:
    """Go on with the rounds that run, and offer the commands."""
    leaving, removal = ctx.service(Leaving), ctx.service(Removal)
    channel = ChannelId(ctx.config.channel) if ctx.config.channel else None
    telling = Telling(ctx.service(Notify), channel, ctx.service(Owners).ids)
    deleting = Deleting(leaving, removal, telling, ctx.clock)
    desk = Desk(
        leaving,
        removal,
        ctx.service(Shelves),
        ctx.service(Stock),
        ctx.service(VisibilityService),
        ctx.clock,
    )
    drafts = Kept(ctx.service(Panels), ctx.clock, MODULE, "draft", Draft.from_state, DRAFT_LASTS)
    items = ctx.components(LeavingComponents, desk, drafts, leaving, ctx.service(Messages), telling, deleting)
    ctx.task("rounds", items.cards.follow)
    ctx.task("deleting", deleting.follow)
    ctx.every(SWEEP_S, drafts.sweep, name="drafts-sweep")
    await ctx.cog(LeavingCommands, desk, items.answers, ctx.config.exempt_days)
    yield
