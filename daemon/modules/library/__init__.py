"""The library in chat: search, one title in full, what is new, a random choice, sums and sizes."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import BaseModel

from daemon.host.context import ModuleContext
from daemon.services.library import Search, Shelves
from daemon.services.panels import Panels
from daemon.services.visibility import VisibilityService
from integrations.plex import Plex

from .commands import LibraryCommands
from .commands_components import LibraryComponents
from .desk import Desk
from .queries import SWEEP_S, Queries


@asynccontextmanager
async def setup(ctx: ModuleContext[BaseModel]) -> AsyncIterator[None]:
    """Build the desk, the lists and the commands."""
    plex = ctx.service(Plex)
    desk = Desk(
        ctx.service(Search),
        ctx.service(Shelves),
        ctx.service(VisibilityService),
        plex,
        ctx.clock,
        random.Random(),
    )
    queries = Queries(ctx.service(Panels), ctx.clock)
    items = ctx.components(LibraryComponents, desk, queries, plex)
    ctx.every(SWEEP_S, queries.sweep, name="queries-sweep")
    await ctx.cog(LibraryCommands, desk, items.answers)
    yield
