"""For owners: looking after the libraries of the servers from chat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from pydantic import BaseModel

from daemon.core.ids import ModuleId
from daemon.host.context import ModuleContext
from daemon.services.kept import SWEEP_S, Kept
from daemon.services.library import Mirroring, Stock
from daemon.services.panels import Panels
from integrations.plex import Plex, Upkeep

from .asking import Job
from .commands import ManageCommands
from .commands_components import ManageComponents
from .desk import Desk
from .works import Works

MODULE = ModuleId("manage")
JOB_LASTS = timedelta(days=2)  # how long a card of a scan can be looked at again


@asynccontextmanager
async def setup(ctx: ModuleContext[BaseModel]) -> AsyncIterator[None]:
    """Follow what was begun, and offer the commands."""
    upkeep, stock, panels = ctx.service(Upkeep), ctx.service(Stock), ctx.service(Panels)
    desk = Desk(ctx.service(Plex))
    works = Works(upkeep, stock, ctx.service(Mirroring), ctx.clock)
    jobs = Kept(panels, ctx.clock, MODULE, "job", Job.from_state, JOB_LASTS)
    items = ctx.components(ManageComponents, desk, works, jobs)
    ctx.task("works", works.run)
    ctx.every(SWEEP_S, jobs.sweep, name="sweep")
    await ctx.cog(ManageCommands, desk, items.works)
    yield
