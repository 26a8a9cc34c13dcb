"""Linking Plex accounts, binding libraries to guilds, and what people decide about what is known of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import BaseModel

from daemon.core.limits import SHARES_EVERY_S
from daemon.host.context import ModuleContext
from daemon.services.accounts import Accounts
from daemon.services.bindings import Bindings
from daemon.services.cache import Cache
from daemon.services.library import Shelves
from daemon.services.notify import Notify
from daemon.services.plays import Plays
from daemon.services.privacy import Privacy
from daemon.services.profiles import Profiles
from daemon.services.schedule import Missed
from integrations.plex import Plex, PlexTv

from .binding import Binder
from .commands import LinkingCommands
from .commands_binding import BindingCommands
from .commands_components import LinkingComponents
from .linking import Linker
from .sharing import Sharing
from .telling import Telling


@asynccontextmanager
async def setup(ctx: ModuleContext[BaseModel]) -> AsyncIterator[None]:
    """Look after open requests, read what is shared from time to time, and offer the commands."""
    accounts, plex, plex_tv = ctx.service(Accounts), ctx.service(Plex), ctx.service(PlexTv)
    telling = Telling(accounts, ctx.service(Notify))
    sharing = Sharing(accounts, plex, plex_tv, ctx.service(Cache), telling)
    linker = Linker(accounts, plex_tv, sharing, telling, ctx.clock)
    items = ctx.components(
        LinkingComponents,
        linker,
        telling,
        accounts,
        ctx.service(Privacy),
        ctx.service(Plays),
        ctx.service(Profiles),
        Binder(ctx.service(Bindings), plex, ctx.service(Shelves)),
        ctx.clock,
        plex_tv,
    )
    ctx.task("requests", linker.follow)
    ctx.health("sealing", linker.check_sealing)
    await ctx.schedule("shares", sharing.refresh, every_s=int(SHARES_EVERY_S), missed=Missed.ONCE)
    await ctx.cog(LinkingCommands, items.desk, items.people_desk, sharing)
    await ctx.cog(BindingCommands, items.binding_desk, items.binder)
    yield
