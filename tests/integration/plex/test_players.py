"""Who can be controlled, how, and why not."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.core.errors import UpstreamError, UserError
from daemon.core.ids import PlayerId, ServerId
from daemon.core.media import Player, PlayerRef, PlayState
from daemon.services.servers import Route
from integrations.plex import PlexServerConfig
from simulators.plex.household import CHROME, DLNA, IPAD, LIVING_ROOM, PLEXAMP, ROKU, SHIELD, TABLET
from simulators.plex.sim import PlexSim
from tests.integration.plex.stage import ATTIC, QUICK, Stage, running

CELLAR = ServerId("cellar")


async def listed(stage: Stage) -> dict[str, Player]:
    return {player.name: player for player in await stage.plex.players()}


async def settled(stage: Stage) -> dict[str, Player]:
    """Listed, with the answers of the first look."""
    await listed(stage)
    return await listed(stage)


async def test_everybody_at_home(stage: Stage) -> None:
    players = await stage.plex.players()
    assert [player.name for player in players] == sorted([LIVING_ROOM, SHIELD, PLEXAMP, ROKU, TABLET])
    assert all(player.is_controllable for player in players)


async def test_who_was_switched_on_a_moment_ago_is_seen_when_looked_for(sim: PlexSim, tmp_path: Path) -> None:
    sim.players[TABLET].is_online = False
    patient = replace(QUICK, players_fresh_s=3600.0)
    async with running(sim, tmp_path, timeouts=patient) as stage:
        await stage.ready()
        assert TABLET not in await listed(stage)
        sim.players[TABLET].is_online = True
        assert TABLET not in await listed(stage)
        roster = await stage.plex.roster(is_fresh=True)
        assert TABLET in {player.name for player in roster.players}


async def test_those_who_cannot_be_controlled_say_why(sim: PlexSim, tmp_path: Path) -> None:
    sim.play(CHROME, "Low Orbit", "Marcus")
    sim.play(DLNA, "Ironwood", "Juno")
    sim.play(IPAD, "Copper Sky", "Yuki")
    async with running(sim, tmp_path) as stage:
        await stage.ready()
        players = await settled(stage)
        assert (players[CHROME].problem or "").endswith("Plex removed remote control from Plex Web in 2022.")
        assert "DLNA" in (players[DLNA].problem or "")
        assert "has not announced itself" in (players[IPAD].problem or "")
        assert players[IPAD].state is PlayState.PLAYING
        assert [name for name, player in players.items() if player.problem][:1] != [LIVING_ROOM]
        names = list(players)
        assert set(names[-3:]) == {CHROME, DLNA, IPAD}
        for name in (CHROME, DLNA, IPAD):
            with pytest.raises(UserError) as caught:
                await stage.plex.pause(stage.player(name))
            assert (caught.value.code, caught.value.text) == ("player_uncontrollable", players[name].problem)


async def test_the_way_that_works_is_remembered(sim: PlexSim, tmp_path: Path) -> None:
    async with running(sim, tmp_path) as stage:
        await stage.ready()
        await settled(stage)
        direct = await stage.registry.capability(ATTIC, stage.player(LIVING_ROOM).player_id)
        proxied = await stage.registry.capability(ATTIC, stage.player(SHIELD).player_id)
        assert direct is not None
        assert proxied is not None
        assert (direct.route, proxied.route) == (Route.DIRECT, Route.PROXIED)
    sim.server.requests.clear()
    async with running(sim, tmp_path) as stage:
        await stage.ready()
        await stage.plex.pause(stage.player(SHIELD))
        commands = [(seen.where, seen.path) for seen in sim.requests if seen.path.startswith("/player/")]
        assert commands == [("server", "/player/playback/pause")]  # nobody was asked again


async def test_another_way_is_found_when_the_known_one_fails(stage: Stage) -> None:
    await settled(stage)
    tv = stage.player(LIVING_ROOM)
    stage.sim.faults.add("/player/", "drop", where=tv.player_id)
    await stage.plex.set_volume(tv, 21)
    assert stage.sim.players[LIVING_ROOM].volume == 21
    found = await stage.registry.capability(ATTIC, tv.player_id)
    assert found is not None
    assert found.route is Route.PROXIED
    stage.sim.faults.clear()
    stage.sim.faults.add("/player/", 404, where="server")
    await stage.plex.set_volume(tv, 22)
    assert stage.sim.players[LIVING_ROOM].volume == 22


async def test_a_player_that_vanished(stage: Stage) -> None:
    await settled(stage)
    stage.sim.server.player(LIVING_ROOM).is_online = False
    with pytest.raises(UserError, match="not there any more") as caught:
        await stage.plex.pause(stage.player(LIVING_ROOM))
    assert caught.value.code == "player_gone"
    stage.sim.server.player(LIVING_ROOM).is_online = True
    await stage.plex.pause(stage.player(LIVING_ROOM))


async def test_a_player_that_is_listed_but_silent(sim: PlexSim, tmp_path: Path) -> None:
    """Listed a moment ago, gone now: neither way leads there."""
    async with running(sim, tmp_path, timeouts=replace(QUICK, players_fresh_s=60.0)) as stage:
        await stage.ready()
        await settled(stage)
        stage.sim.server.player(LIVING_ROOM).is_online = False
        with pytest.raises(UserError, match="Living Room TV") as caught:
            await stage.plex.pause(stage.player(LIVING_ROOM))
        assert caught.value.code in ("player_gone", "player_refused")


async def test_a_player_that_nobody_knows(stage: Stage) -> None:
    with pytest.raises(UserError, match="not there any more"):
        await stage.plex.pause(PlayerRef(ATTIC, PlayerId("forged")))


async def test_a_player_that_could_not_be_reached_is_tried_again(sim: PlexSim, tmp_path: Path) -> None:
    fault = sim.faults.add("/player/", "drop")
    async with running(sim, tmp_path) as stage:
        await stage.ready()
        assert "does not answer" in ((await settled(stage))[LIVING_ROOM].problem or "")
        sim.faults.remove(fault)
        assert not (await settled(stage))[LIVING_ROOM].is_controllable  # not yet
        sim.clock.jump(QUICK.uncontrollable_fresh_s + 1)
        async with asyncio.timeout(10):
            while not (await settled(stage))[LIVING_ROOM].is_controllable:  # noqa: ASYNC110  it is looked at in the background
                await asyncio.sleep(0.01)


async def test_players_are_listed_when_sessions_are_not_told(sim: PlexSim, tmp_path: Path) -> None:
    sim.faults.add("/status/sessions", 403)
    async with running(sim, tmp_path) as stage:
        await stage.ready()
        assert LIVING_ROOM in await listed(stage)
    sim.faults.clear()
    sim.faults.add("/clients", 500)
    sim.play(LIVING_ROOM, "Low Orbit")
    async with running(sim, tmp_path) as stage:
        await stage.ready()
        assert list(await listed(stage)) == [LIVING_ROOM]


async def test_one_server_that_hangs_does_not_delay_the_others(sim: PlexSim, tmp_path: Path) -> None:
    async with PlexSim(seed=8, life=False, clock=sim.clock) as other:
        servers = {ATTIC: PlexServerConfig(sim.url, sim.token), CELLAR: PlexServerConfig(other.url, other.token)}
        async with running(sim, tmp_path, servers=servers) as stage:
            await stage.ready()
            other.faults.add(".", "hold")
            assert {player.ref.server for player in await stage.plex.players()} == {ATTIC}
            assert (await stage.plex.now_playing()).silent_servers == (CELLAR,)


async def test_no_server_answers(sim: PlexSim, tmp_path: Path) -> None:
    servers = {name: PlexServerConfig("http://127.0.0.1:9", "x") for name in (ATTIC, CELLAR)}
    async with running(sim, tmp_path, servers=servers) as stage:
        roster = await stage.plex.roster()
        assert set(roster.failures) == {ATTIC, CELLAR}
        with pytest.raises(UpstreamError):
            await stage.plex.playback(PlayerRef(CELLAR, PlayerId("x")))


async def test_without_any_server(sim: PlexSim, tmp_path: Path) -> None:
    async with running(sim, tmp_path, servers={}) as stage:
        assert await stage.plex.players() == ()
        assert (await stage.live.search("x", [], 25)).is_complete
