"""A card is followed by one process at a time: the one with the gateway, or a worker that stands in for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import pytest

from daemon.core.errors import UserError
from daemon.core.ids import AppId, ChannelId, GuildId, MemberId, MessageId, PanelId
from daemon.core.limits import PANEL_LEASE_S
from daemon.core.media import Player
from daemon.data import guilds
from daemon.data.store import Store
from daemon.modules.playback.card import KIND, MODULE, Pace, Poster, Shown
from daemon.modules.playback.cards import Cards
from daemon.modules.playback.faces import Face, Phase
from daemon.modules.playback.orders import Asker, Verb
from daemon.modules.playback.sight import Sight
from daemon.services.library import Shelves
from daemon.services.panels import Panel, Panels, Place
from daemon.services.visibility import VisibilityService
from simulators.plex.household import LIVING_ROOM, SHIELD
from tests.integration.plex.stage import Stage, until
from tests.simtime import SimTime

PLACE = Place(AppId(1), GuildId(2), ChannelId(3))
MESSAGE = MessageId(4)
ASKER = Asker(MemberId(5), GuildId(2))


def sight(stage: Stage) -> Sight:
    """As of somebody in the one guild there is, which sees everything."""
    return Sight(stage.plex, Shelves(stage.store), VisibilityService(stage.store, stage.cache))


@dataclass(eq=False)
class Process:
    """One that follows cards; `shown` is what it edited, oldest first."""

    stage: Stage
    cards: Cards
    panels: Panels
    shown: list[tuple[PanelId, Face]] = field(default_factory=list)
    posted: list[PanelId] = field(default_factory=list)

    async def show(self, panel: Panel, face: Face, poster: tuple[Poster] | None) -> Shown:
        self.shown.append((panel.panel_id, face))
        return Shown.OK

    async def post(self, panel_id: PanelId, face: Face, poster: Poster) -> tuple[ChannelId, MessageId]:
        self.posted.append(panel_id)
        return PLACE.channel_id, MESSAGE

    async def open(self, name: str, title: str) -> PanelId:
        self.stage.sim.play(name, title)
        await self.cards.open(PLACE, await self._player(name), ASKER, self.post)
        return self.posted[-1]

    async def count(self) -> object:
        return (await self.cards.check()).observed

    async def _player(self, name: str) -> Player:
        return next(player for player in await self.stage.plex.players() if player.name == name)


@asynccontextmanager
async def process(stage: Stage, store: Store, name: str, *, has_gateway: bool) -> AsyncIterator[Process]:
    """Started as the module starts: it tends, and a task edits what changes."""
    clock = SimTime(stage.sim.clock)
    await stage.store.write(lambda tx: guilds.ensure_guild(tx, GuildId(2), None, clock.now()))
    panels = Panels(store, clock, process=name, has_gateway=has_gateway)
    made = Process(stage, Cards(stage.plex, sight(stage), panels, clock, Pace(15, 60, 3600)), panels)
    stage.supervisor.start("cards", partial(made.cards.work, made.show), owner=name)
    await made.cards.tend()
    try:
        yield made
    finally:
        await stage.supervisor.cancel(name)


async def test_a_worker_takes_over_from_a_process_that_died(stage: Stage, store: Store) -> None:
    async with process(stage, store, "worker", has_gateway=False) as worker:
        async with process(stage, store, "bots", has_gateway=True) as bots:
            panel_id = await bots.open(LIVING_ROOM, "Low Orbit")
            await worker.cards.refresh_due()
            assert (await bots.count(), await worker.count()) == (1, 0)
        stage.sim.clock.jump(PANEL_LEASE_S)
        await worker.cards.refresh_due()
        assert await worker.count() == 1
        await until(lambda: worker.shown)
        assert [(shown, face.name) for shown, face in worker.shown] == [(panel_id, "Low Orbit")]


async def test_a_restart_takes_the_cards_back_at_once(stage: Stage, store: Store) -> None:
    async with process(stage, store, "worker", has_gateway=False) as worker:
        async with process(stage, store, "bots", has_gateway=True) as bots:
            panels = [await bots.open(LIVING_ROOM, "Low Orbit"), await bots.open(SHIELD, "Ironwood")]
            await bots.panels.release(MODULE)
        await worker.cards.refresh_due()
        assert await worker.count() == 2
        async with process(stage, store, "bots-again", has_gateway=True) as again:
            assert await again.count() == 2
            await until(lambda: {shown for shown, _ in again.shown} == set(panels))
            player = await again.cards.player_of(panels[0], PLACE, MESSAGE)
            assert player == stage.player(LIVING_ROOM)
            await worker.cards.refresh_due()
            assert await worker.count() == 0


async def test_a_press_is_obeyed_where_it_arrives(stage: Stage, store: Store) -> None:
    async with (
        process(stage, store, "bots", has_gateway=True) as bots,
        process(stage, store, "worker", has_gateway=False) as worker,
    ):
        panel_id = await bots.open(LIVING_ROOM, "Low Orbit")
        stage.sim.clock.jump(PANEL_LEASE_S)  # it stood still, and a worker stood in for it
        await worker.cards.refresh_due()
        assert await worker.count() == 1
        await bots.cards.obeyed(panel_id, Verb.PAUSE, None)
        await bots.cards.refresh_due()
        assert (await bots.cards.player_of(panel_id, PLACE, MESSAGE)) == stage.player(LIVING_ROOM)
        face = await bots.cards.obeyed(panel_id, Verb.STOP, None)
        assert face.phase is Phase.ENDED
        await worker.cards.refresh_due()
        assert (await bots.count(), await worker.count()) == (0, 0)
        with pytest.raises(UserError, match="has ended"):
            await bots.cards.player_of(panel_id, PLACE, MESSAGE)


async def test_a_card_whose_post_was_never_confirmed_ends_with_its_process(stage: Stage, store: Store) -> None:
    async with process(stage, store, "bots", has_gateway=True) as bots:
        await bots.panels.add(module=MODULE, kind=KIND, app_id=PLACE.app_id, guild_id=None, channel_id=PLACE.channel_id)
        await bots.cards.refresh_due()
        assert len(await bots.panels.open_panels(MODULE)) == 1  # it may be on its way
    async with process(stage, store, "bots-again", has_gateway=True) as again:
        assert await again.panels.open_panels(MODULE) == ()
        assert await again.count() == 0
