"""Playback from chat: play titles, control players, see what is playing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from daemon.core.events import ServerBack
from daemon.core.ids import RoleId
from daemon.host.context import ModuleContext
from daemon.services.cache import Cache
from daemon.services.kept import SWEEP_S, Kept
from daemon.services.last_players import LastPlayers
from daemon.services.library import Search, Shelves
from daemon.services.panels import Panels
from daemon.services.visibility import VisibilityService
from integrations.discord.messages import Messages
from integrations.plex import KnownPlayers, LiveTitles, PlayerChoice, Plex

from .card import MODULE, Pace
from .cards import TICK_S, Cards
from .commands import PlaybackCommands
from .commands_components import PlaybackComponents
from .commands_outcomes import Wall
from .config import Config
from .desk import Desk
from .finding import Finding
from .glances import Glances
from .known_playlists import KnownPlaylists
from .orders import Order
from .sight import Sight

CARD_WORKERS = 4  # cards that are edited beside each other: a slow channel does not hold up the others
PICK_LASTS = timedelta(hours=1)  # menus that let a member choose between titles or players


@asynccontextmanager
async def setup(ctx: ModuleContext[Config]) -> AsyncIterator[None]:
    """Build the desk, the cards and their commands; take up the cards that were open before."""
    config, plex, panels = ctx.config, ctx.service(Plex), ctx.service(Panels)
    sight = Sight(plex, ctx.service(Shelves), ctx.service(VisibilityService))
    known, playlists = KnownPlayers(plex), KnownPlaylists(plex, ctx.service(LiveTitles))
    finding = Finding(ctx.service(Search), ctx.service(LiveTitles), playlists, sight)
    glances = Glances(plex, ctx.service(Cache))
    ctx.on(ServerBack, glances.forget_server)
    choice = PlayerChoice(plex, known, ctx.service(LastPlayers))
    desk = Desk(plex, sight, finding, choice, glances, ctx.clock)
    picks = Kept(panels, ctx.clock, MODULE, "pick", Order.from_state, PICK_LASTS)
    pace = Pace(config.card_refresh_s, config.card_refresh_slow_s, config.card_slow_after_s)
    cards = Cards(plex, sight, panels, ctx.clock, pace)
    items = ctx.components(PlaybackComponents, sight, desk, cards, picks, ctx.clock, config.volume_step)
    wall = Wall(items, ctx.service(Messages))
    await cards.tend()
    ctx.on_stop(plex.on_change(cards.note_change))
    ctx.on_stop(plex.on_change(known.note_change))
    ctx.on_stop(plex.on_change(playlists.note_change))
    ctx.task("players", known.follow)
    ctx.task("playlists", playlists.follow)
    for number in range(CARD_WORKERS):
        ctx.task(f"cards-{number}", partial(cards.work, wall.show))
    ctx.every(TICK_S, cards.refresh_due, name="cards-due")
    ctx.every(SWEEP_S, picks.sweep, name="picks-sweep")
    ctx.health("cards", cards.check, every_s=TICK_S)
    ctx.controller_roles(RoleId(role) for role in config.controller_roles)
    await ctx.cog(PlaybackCommands, finding, desk, items.outcomes)
    yield
    await panels.release(MODULE)
