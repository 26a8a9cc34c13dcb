"""Looking after libraries, against the simulator: what is sent, what is read, what a server refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.core.errors import UpstreamError, UpstreamKind, UserError
from daemon.core.ids import AccountId, ServerId
from daemon.core.library import LibraryKind
from daemon.core.visibility import LibraryRef
from integrations.plex import Activity, PlexServerConfig, Upkeep
from integrations.plex.history import last_plays
from integrations.plex.upkeep import SCAN
from simulators.plex.sim import PlexSim
from tests.integration.plex.stage import ATTIC, Stage, running, until

MOVIES, SHOWS, MUSIC = (LibraryRef(ATTIC, key) for key in ("1", "2", "3"))
NOWHERE = LibraryRef(ATTIC, "99")


async def test_a_scan_is_begun_shown_and_cancelled(stage: Stage) -> None:
    upkeep = Upkeep(stage.plex)
    await upkeep.scan(MOVIES)
    (scan,) = await upkeep.activities(ATTIC)
    assert (scan.kind, scan.title, scan.library, scan.percent) == (SCAN, "Scanning Movies", "1", 0)
    assert scan.is_cancellable  # though Plex says that it is not: a scan is cancelled by its library
    stage.sim.clock.jump(4)
    await until(lambda: any(a.progress for a in stage.sim.server.activities.values()))
    assert (await upkeep.activities(ATTIC))[0].percent in (20, 40)
    assert await upkeep.cancel(scan)
    assert await upkeep.activities(ATTIC) == ()


async def test_refreshing_analyzing_and_the_trash_are_sent(stage: Stage) -> None:
    upkeep = Upkeep(stage.plex)
    await upkeep.refresh(MOVIES)
    assert {"library.update.section", "library.refresh.items"} <= {a.kind for a in await upkeep.activities(ATTIC)}
    await upkeep.analyze(SHOWS)
    (analysis,) = [each for each in await upkeep.activities(ATTIC) if each.library == "2"]
    assert await upkeep.cancel(analysis)
    assert not await upkeep.cancel(analysis)  # it had ended
    film = stage.sim.world.listed(1, "movie")[0]
    stage.sim.trash(film)
    await upkeep.empty_trash(MOVIES)
    assert film.key not in stage.sim.world.items
    assert await upkeep.still_there(ATTIC, [film.key, stage.sim.world.listed(1, "movie")[0].key]) == {
        stage.sim.world.listed(1, "movie")[0].key
    }


async def test_what_cannot_be_cancelled_is_said(stage: Stage) -> None:
    upkeep = Upkeep(stage.plex)
    await upkeep.scan(MOVIES)
    (scan,) = await upkeep.activities(ATTIC)
    nameless = Activity(ATTIC, scan.uuid, "something.else", "Something", "", None, True, None, None)
    with pytest.raises(UserError, match="does not let that be cancelled") as refused:
        await upkeep.cancel(nameless)
    assert refused.value.code == "not_cancellable"


async def test_a_token_that_is_not_the_owners_is_named_as_the_reason(sim: PlexSim, tmp_path: Path) -> None:
    guest = {ATTIC: PlexServerConfig(sim.url, sim.token_of("Marcus"))}
    async with running(sim, tmp_path, servers=guest) as stage:
        await until(lambda: all(state.is_up for state in stage.plex.server_states()))
        upkeep = Upkeep(stage.plex)
        for work in (upkeep.scan(MOVIES), upkeep.analyze(MOVIES), upkeep.empty_trash(MOVIES), upkeep.activities(ATTIC)):
            with pytest.raises(UserError, match="not that of the server's owner") as refused:
                await work
            assert refused.value.code == "not_the_owners"


async def test_a_token_that_was_revoked(stage: Stage) -> None:
    upkeep = Upkeep(stage.plex)
    await upkeep.activities(ATTIC)
    stage.sim.revoke(stage.sim.token)
    for work in (upkeep.scan(MOVIES), upkeep.activities(ATTIC), upkeep.last_plays(MOVIES, LibraryKind.MOVIE)):
        with pytest.raises(UserError, match="or is not valid any more") as refused:
            await work
        assert refused.value.code == "not_the_owners"


async def test_a_library_that_is_gone_and_a_server_that_is_not_known(stage: Stage) -> None:
    upkeep = Upkeep(stage.plex)
    for work in (upkeep.scan(NOWHERE), upkeep.empty_trash(NOWHERE), upkeep.trash(NOWHERE, LibraryKind.MOVIE)):
        with pytest.raises(UserError, match="has that library no more"):
            await work
    with pytest.raises(UserError, match="no Plex server named cellar"):
        await upkeep.activities(ServerId("cellar"))


async def test_a_server_that_fails_is_an_upstream_error(stage: Stage) -> None:
    upkeep = Upkeep(stage.plex)
    for fault, kind in ((503, UpstreamKind.BUSY), ("garbage", UpstreamKind.BROKEN), ("html", UpstreamKind.BROKEN)):
        stage.sim.faults.add("/activities", fault, times=1)
        with pytest.raises(UpstreamError) as failed:
            await upkeep.activities(ATTIC)
        assert failed.value.kind is kind


async def test_the_trash_holds_titles_versions_and_what_is_below(stage: Stage) -> None:
    upkeep, world = Upkeep(stage.plex), stage.sim.world
    empty = await upkeep.trash(MOVIES, LibraryKind.MOVIE)
    assert (empty.items, empty.is_cut) == ((), False)
    assert empty.folders == (world.sections[1].folder,)
    gone, kept = world.listed(1, "movie")[:2]
    stage.sim.trash(gone)
    version = stage.sim.add_version(kept, "720")
    stage.sim.trash(kept, version.id)
    trash = await upkeep.trash(MOVIES, LibraryKind.MOVIE)
    by_key = {item.key: item for item in trash.items}
    assert by_key.keys() == {str(gone.key), f"{kept.key}/{version.id}"}
    assert by_key[str(gone.key)].version is None
    assert by_key[str(gone.key)].size_bytes == sum(media.size_bytes for media in world.facts(gone).media)
    assert by_key[f"{kept.key}/{version.id}"].version == "720"
    assert by_key[f"{kept.key}/{version.id}"].files == tuple(part.file for part in version.parts)

    show = next(item for item in world.listed(2, "show") if len(world.leaves(item)) > 2)
    stage.sim.trash(show)
    shows = await upkeep.trash(SHOWS, LibraryKind.SHOW)
    assert len(shows.items) == 1 + len(world.leaves(show))
    assert [item.title.name for item in shows.shown] == [" ".join(show.title.split())]


async def test_last_plays_are_those_of_all_accounts(stage: Stage) -> None:
    upkeep, world, now = Upkeep(stage.plex), stage.sim.world, int(stage.sim.clock.now())
    one, two, three = world.listed(1, "movie")[:3]
    stage.sim.server.history.clear()
    stage.sim.watched(one, "Marcus", at=now - 1000)
    stage.sim.watched(one, "Yuki", at=now - 500)
    stage.sim.watched(two, "Olivia", at=now - 2000)
    plays = await upkeep.last_plays(MOVIES, LibraryKind.MOVIE)
    assert plays.at[one.key] == now - 500
    assert plays.at[two.key] == now - 2000
    assert plays.since is None
    assert plays.rows == 3

    stage.sim.server.history.clear()  # somebody cleared it: what the owner's account has seen is known all the same
    plays = await upkeep.last_plays(MOVIES, LibraryKind.MOVIE)
    assert plays.at[two.key] == now - 2000
    assert three.key not in plays.at or plays.rows == 0

    show = next(item for item in world.listed(2, "show") if world.leaves(item))
    stage.sim.watched(world.leaves(show)[-1], "Marcus", at=now - 50)
    assert (await upkeep.last_plays(SHOWS, LibraryKind.SHOW)).at[show.key] == now - 50
    album = world.listed(3, "album")[0]
    stage.sim.watched(album.children[0], "Yuki", at=now - 40)
    assert (await upkeep.last_plays(MUSIC, LibraryKind.ARTIST)).at[album.key] == now - 40


async def test_a_long_history_is_read_back_as_far_as_the_bound(stage: Stage) -> None:
    world, now = stage.sim.world, int(stage.sim.clock.now())
    stage.sim.server.history.clear()
    film = world.listed(1, "movie")[0]
    for number in range(1200):
        stage.sim.watched(film, "Marcus", at=now - number * 60)
    before = len(stage.asked("history"))
    plays = await last_plays(stage.plex.server(ATTIC).http, "1", LibraryKind.MOVIE, rows_max=700)
    assert plays.rows == 700
    assert plays.since == now - 699 * 60
    assert len(stage.asked("history")) - before == 2
    whole = await last_plays(stage.plex.server(ATTIC).http, "1", LibraryKind.MOVIE, rows_max=1300)
    assert (whole.rows, whole.since) == (1200, None)


async def test_the_last_play_of_an_account(stage: Stage) -> None:
    upkeep, world, now = Upkeep(stage.plex), stage.sim.world, int(stage.sim.clock.now())
    stage.sim.server.history.clear()
    marcus, yuki = (AccountId(stage.sim.server.account(name).id) for name in ("Marcus", "Yuki"))
    film = world.listed(1, "movie")[0]
    stage.sim.watched(film, "Marcus", at=now - 900)
    stage.sim.watched(film, "Marcus", at=now - 300)
    found = await upkeep.last_play_of(ATTIC, marcus)
    assert found is not None
    assert int(found.timestamp()) == now - 300
    assert await upkeep.last_play_of(ATTIC, yuki) is None
