"""Who has access and does not use it: two servers of one owner, asked as the daemon asks them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from daemon.core.errors import UpstreamError
from daemon.core.ids import ServerId
from daemon.core.library import LibraryFacts
from daemon.data.library import libraries
from daemon.data.store import Store
from daemon.modules.manage.desk import Desk
from daemon.modules.manage.inactive import Inactivity
from daemon.services.library import Shelves
from integrations.plex import PlexServerConfig, PlexTv, Upkeep
from simulators.plex.sim import PlexSim
from tests.integration.plex.stage import ATTIC, CLIENT, QUICK, Stage, running, until
from tests.simtime import SimTime

CELLAR = ServerId("cellar")
DAY_S = 86_400


@asynccontextmanager
async def asking(
    sim: PlexSim, folder: Path, servers: dict[ServerId, PlexServerConfig]
) -> AsyncIterator[tuple[Inactivity, Stage]]:
    async with running(sim, folder, servers=servers) as stage:
        await until(lambda: all(state.is_up for state in stage.plex.server_states()))
        # One account at plex.tv owns all of them.
        own = {name: PlexServerConfig(config.url, sim.token) for name, config in servers.items()}
        plex_tv = PlexTv(sim.account_url, own, CLIENT, stage.health, stage.metrics, QUICK)
        await plex_tv.start()
        for mirror in stage.plex.mirrors():
            await note(stage.store, mirror.server, await mirror.libraries())
        try:
            clock = SimTime(sim.clock)
            yield Inactivity(stage.plex, plex_tv, Upkeep(stage.plex), Desk(Shelves(stage.store)), clock), stage
        finally:
            await plex_tv.stop()


async def note(store: Store, server: ServerId, listed: Sequence[LibraryFacts]) -> None:
    """As the mirror does before it reads a library."""
    await store.write(lambda tx: [libraries.note(tx, server, facts) for facts in listed])


def now_of(sim: PlexSim) -> int:
    return int(sim.clock.now())


async def test_the_last_play_counts_wherever_it_was(sim: PlexSim, tmp_path: Path) -> None:
    async with PlexSim(seed=8, clock=sim.clock, life=False) as other:
        sim.join(other)
        for one in (sim, other):
            one.server.history.clear()
        film, elsewhere = sim.world.listed(1, "movie")[0], other.world.listed(1, "movie")[0]
        lately = now_of(sim) - 5 * DAY_S
        sim.watched(film, "Marcus", at=lately - 400 * DAY_S)
        other.watched(elsewhere, "Marcus", at=lately)
        servers = {
            ATTIC: PlexServerConfig(sim.url, sim.token),
            CELLAR: PlexServerConfig(other.url, other.token),
        }
        async with asking(sim, tmp_path, servers) as (inactivity, stage):
            found = await inactivity.inactive(90, is_fresh=True)
            assert "Marcus" not in [guest.name for guest in found.guests]
            assert "Yuki" in [guest.name for guest in found.guests]
            assert "Olivia" not in [guest.name for guest in found.guests]
            soon = await inactivity.inactive(3, is_fresh=False)
            (marcus,) = [guest for guest in soon.guests if guest.name == "Marcus"]
            assert marcus.played_at is not None
            assert int(marcus.played_at.timestamp()) == lately
            before = len(stage.asked("history"))
            await inactivity.inactive(3, is_fresh=False)
            assert len(stage.asked("history")) == before

            other.faults.add("/status/sessions/history", 503)
            found = await inactivity.inactive(3, is_fresh=True)
            (words,) = found.silent
            assert words == "Plex server cellar is busy or starting. Its guests are left out."
            assert found.guests == ()  # all of them may have watched there


async def test_who_has_just_got_access_is_not_called_idle(sim: PlexSim, tmp_path: Path) -> None:
    sim.server.history.clear()
    async with asking(sim, tmp_path, {ATTIC: PlexServerConfig(sim.url, sim.token)}) as (inactivity, _):
        ago = (now_of(sim) - 1_600_000_000) // DAY_S  # since when the simulated shares are there
        names = [guest.name for guest in (await inactivity.inactive(ago - 10, is_fresh=True)).guests]
        assert {"Marcus", "Yuki", "Juno"} <= set(names)
        assert (await inactivity.inactive(ago + 10, is_fresh=False)).guests == ()


async def test_filters_and_libraries_are_told(sim: PlexSim, tmp_path: Path) -> None:
    sim.server.history.clear()
    sim.restrict("Marcus", filter_movies="label=Kids%2CFamily")
    async with asking(sim, tmp_path, {ATTIC: PlexServerConfig(sim.url, sim.token)}) as (inactivity, _):
        guests = {guest.name: guest for guest in (await inactivity.inactive(1, is_fresh=True)).guests}
        assert guests["Marcus"].sees == ("Movies, TV Shows (only label=Kids,Family)",)
        assert guests["Juno"].is_managed


async def test_plex_tv_that_is_away(sim: PlexSim, tmp_path: Path) -> None:
    async with asking(sim, tmp_path, {ATTIC: PlexServerConfig(sim.url, sim.token)}) as (inactivity, _):
        sim.faults.add(".", 503, where="account")
        with pytest.raises(UpstreamError, match=r"plex\.tv"):
            await inactivity.inactive(1, is_fresh=True)
