"""The library in chat: search, one title in full, what is new, a random choice, sums and sizes."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from pydantic import BaseModel

from daemon.core.ids import ModuleId
from daemon.host.context import ModuleContext
from daemon.services.kept import SWEEP_S, Kept
from daemon.services.library import Search, Shelves
from daemon.services.panels import Panels
from daemon.services.visibility import VisibilityService
from integrations.plex import Personal, Plex

from .asking import Searched
from .commands import LibraryCommands
from .commands_components import LibraryComponents
from .desk import Desk

MODULE = ModuleId("library")
LIST_LASTS = timedelta(days=30)  # how long the pages of a search can be turned


@asynccontextmanager
async def setup(ctx: ModuleContext[BaseModel]) -> AsyncIterator[None]:
    """Build the desk, the lists and the commands."""
    plex = ctx.service(Plex)
    desk = Desk(
        ctx.service(Search),
        ctx.service(Shelves),
        ctx.service(VisibilityService),
        plex,
        ctx.service(Personal),
        ctx.clock,
        random.Random(),
    )
    queries = Kept(ctx.service(Panels), ctx.clock, MODULE, "search", Searched.from_state, LIST_LASTS)
    items = ctx.components(LibraryComponents, desk, queries, plex)
    ctx.every(SWEEP_S, queries.sweep, name="queries-sweep")
    await ctx.cog(LibraryCommands, desk, items.answers)
    yield
