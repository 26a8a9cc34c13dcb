"""One's own Plex account in chat: go on watching, mark as watched, rate, and one's own playlists."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from pydantic import BaseModel

from daemon.core.ids import ModuleId
from daemon.host.context import ModuleContext
from daemon.services.kept import SWEEP_S, Kept
from daemon.services.last_players import LastPlayers
from daemon.services.library import Search, Shelves
from daemon.services.panels import Panels
from daemon.services.profiles import Profiles
from daemon.services.visibility import VisibilityService
from integrations.plex import KnownPlayers, Personal, PlayerChoice, Playlists, Plex

from .commands import PersonalCommands
from .commands_components import PersonalComponents
from .commands_playlists import PlaylistCommands
from .desk import Desk
from .orders import Order, Undo
from .playlists_desk import PlaylistsDesk
from .titles import Titles

MODULE = ModuleId("personal")
ASKING_LASTS = timedelta(hours=1)  # menus and questions that wait for an answer
UNDO_LASTS = timedelta(days=1)


@asynccontextmanager
async def setup(ctx: ModuleContext[BaseModel]) -> AsyncIterator[None]:
    """Build the desks, what is kept behind buttons, and the commands."""
    plex, panels, clock = ctx.service(Plex), ctx.service(Panels), ctx.clock
    known = KnownPlayers(plex)
    players = PlayerChoice(plex, known, ctx.service(LastPlayers))
    titles = Titles(ctx.service(Search), ctx.service(Shelves), ctx.service(VisibilityService))
    desk = Desk(plex, ctx.service(Personal), titles, players)
    playlists = PlaylistsDesk(ctx.service(Playlists), titles, desk)
    orders = Kept(panels, clock, MODULE, "order", Order.from_state, ASKING_LASTS)
    undos = Kept(panels, clock, MODULE, "undo", Undo.from_state, UNDO_LASTS)
    items = ctx.components(PersonalComponents, desk, playlists, orders, undos)
    ctx.on_stop(plex.on_change(known.note_change))
    ctx.task("players", known.follow)
    ctx.every(SWEEP_S, orders.sweep, name="orders-sweep")
    ctx.every(SWEEP_S, undos.sweep, name="undos-sweep")
    await ctx.cog(PersonalCommands, items.answers, titles)
    await ctx.cog(PlaylistCommands, items.answers, playlists, titles, players, ctx.service(Profiles))
    yield
