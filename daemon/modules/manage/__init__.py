"""For owners: looking after the libraries of the servers from chat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from pydantic import BaseModel

from daemon.host.context import ModuleContext
from daemon.services.kept import SWEEP_S, Kept
from daemon.services.library import Mirroring, Shelves, Stock
from daemon.services.panels import Panels
from integrations.discord.messages import Messages
from integrations.plex import Plex, PlexTv, Upkeep

from .asking import Job
from .commands import ManageCommands
from .commands_components import ManageComponents
from .desk import Desk
from .doings import Doings
from .inactive import Inactivity
from .maintenance import MODULE, RETRY_S
from .stocktaking import Stocktaking
from .titles_setup import add_titles
from .trash import Listed, TrashCan
from .works import Works

JOB_LASTS = timedelta(days=2)  # how long a card of a scan can be looked at again
TRASH_LASTS = timedelta(days=1)  # and how long what was listed may be removed


@asynccontextmanager
async def setup(ctx: ModuleContext[BaseModel]) -> AsyncIterator[None]:
    """Follow what was begun, and offer the commands."""
    plex, upkeep, stock = ctx.service(Plex), ctx.service(Upkeep), ctx.service(Stock)
    mirroring, panels = ctx.service(Mirroring), ctx.service(Panels)
    desk = Desk(ctx.service(Shelves))
    works = Works(upkeep, stock, mirroring, ctx.clock)
    jobs = Kept(panels, ctx.clock, MODULE, "job", Job.from_state, JOB_LASTS)
    trash_lists = Kept(panels, ctx.clock, MODULE, "trash", Listed.from_state, TRASH_LASTS)
    items = ctx.components(
        ManageComponents,
        desk,
        works,
        jobs,
        TrashCan(upkeep, stock, mirroring, ctx.clock.sleep),
        trash_lists,
        Stocktaking(stock, upkeep, ctx.clock),
        Doings(plex, upkeep),
        Inactivity(plex, ctx.service(PlexTv), upkeep, desk, ctx.clock),
        ctx.service(Messages),
        panels,
        plex,
        ctx.clock,
    )
    ctx.task("works", works.run)
    ctx.every(SWEEP_S, jobs.sweep, name="jobs-sweep")
    ctx.every(SWEEP_S, trash_lists.sweep, name="trash-sweep")
    ctx.every(RETRY_S, items.notices.maintenance.finish, name="maintenance")
    await ctx.cog(ManageCommands, desk, items, add_titles(ctx))
    yield
