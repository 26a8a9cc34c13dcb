"""The title index as the server's libraries are, changed, shifted, bounded and interrupted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from daemon.core.ids import ServerId
from daemon.core.media import TitleKind
from integrations.plex import PlexServerConfig
from simulators.plex.items import Item
from simulators.plex.scan import appear, vanish
from simulators.plex.sim import PlexSim
from tests.integration.plex.stage import ATTIC, QUICK, Stage, running, until

KINDS = ("movie", "show", "season", "episode", "artist", "album", "track", "playlist")


def playable(sim: PlexSim) -> list[Item]:
    return [item for item in sim.world.items.values() if item.kind in KINDS]


def film(sim: PlexSim, name: str, section: int = 1) -> Item:
    return Item(0, "movie", name, section, int(sim.clock.now()), 2026, 6_000_000, ("Drama",))


def names(stage: Stage, text: str) -> list[str]:
    return [title.name for title in stage.plex.suggest(text)]


async def test_everything_is_read_once(stage: Stage) -> None:
    state = stage.plex.server_states()[0]
    assert state.titles == state.titles_total == len(playable(stage.sim)) > 500
    assert (state.is_indexing, state.is_index_full, state.problem) == (False, False, None)
    for item in playable(stage.sim):
        found = stage.plex.suggest(item.title, kinds={TitleKind(item.kind)}, limit=1000)
        assert stage.title(item) in [title.ref for title in found], item


async def test_seasons_are_found_by_their_show(stage: Stage) -> None:
    first = stage.plex.suggest("overtime season 2")[0]
    assert str(first) == "Overtime - Season 2"
    assert stage.plex.suggest("overtime s02e03")[0].kind is TitleKind.EPISODE


async def test_an_empty_text_shows_what_is_new(stage: Stage) -> None:
    newest = max(stage.sim.world.listed(None, "movie"), key=lambda item: item.added_at)
    shown = stage.plex.suggest("", kinds={TitleKind.MOVIE})
    assert shown[0].name == newest.title
    assert len(stage.plex.suggest("")) == 25


async def test_pages_are_asked_for_by_header(sim: PlexSim, tmp_path: Path) -> None:
    for number in range(600):
        sim.world.add(film(sim, f"Filler {number:04}"))
    async with running(sim, tmp_path) as stage:
        await stage.ready()
        pages = [seen for seen in sim.requests if seen.path == "/library/sections/1/all"]
        assert {seen.header("X-Plex-Container-Size") for seen in pages} == {"250"}
        starts = [int(seen.header("X-Plex-Container-Start") or -1) for seen in pages]
        assert starts[:3] == [0, 250, 500]
        assert len(stage.plex.suggest("filler", limit=1000)) == 600


async def test_totals_that_change_while_reading(sim: PlexSim, tmp_path: Path) -> None:
    sim.faults.totals_drift = True
    for number in range(600):
        sim.world.add(film(sim, f"Filler {number:04}"))
    async with running(sim, tmp_path) as stage:
        await stage.ready()
        assert len(stage.plex.suggest("filler", limit=1000)) == 600
        assert stage.plex.server_states()[0].titles == len(playable(sim))


async def test_what_comes_and_goes_is_noticed(stage: Stage) -> None:
    assert names(stage, "brand new film") == []
    made = appear(stage.sim.server, film(stage.sim, "Brand New Film"))
    await until(lambda: names(stage, "brand new film") == ["Brand New Film"])
    assert stage.plex.suggest("")[0].name == "Brand New Film"
    vanish(stage.sim.server, made)
    await until(lambda: names(stage, "brand new film") == [])


async def test_only_the_library_that_changed_is_read_again(stage: Stage) -> None:
    await until(lambda: stage.sim.server.notifications.listeners == 1)
    stage.sim.server.requests.clear()
    appear(stage.sim.server, film(stage.sim, "Brand New Film"))
    await until(lambda: names(stage, "brand new film"))
    read = {seen.path for seen in stage.sim.requests if seen.path.endswith("/all")}
    assert read == {"/library/sections/1/all"}


async def test_changes_without_notices_are_found_from_time_to_time(sim: PlexSim, tmp_path: Path) -> None:
    async with running(sim, tmp_path, timeouts=replace(QUICK, refresh_every_s=0.05)) as stage:
        await stage.ready()
        sim.server.notifications.muted = True
        appear(sim.server, film(sim, "Brand New Film"))
        await until(lambda: names(stage, "brand new film"))


async def test_a_library_that_is_removed(stage: Stage) -> None:
    assert names(stage, "overtime")
    del stage.sim.world.sections[2]
    stage.sim.server.notifications.drop_all()  # back again, everything is looked at
    await until(lambda: not names(stage, "overtime"))
    assert names(stage, "low orbit")


async def test_an_interrupted_reading_goes_on(sim: PlexSim, tmp_path: Path) -> None:
    fault = sim.faults.add("/library/sections/2/all", 500)
    async with running(sim, tmp_path) as stage:
        await until(lambda: names(stage, "low orbit"))  # films come first
        await until(lambda: fault.hits >= 3)
        assert not names(stage, "overtime season 1")
        sim.faults.remove(fault)
        await stage.ready()
        await until(lambda: names(stage, "overtime season 1"))
        read = [seen for seen in sim.requests if seen.path == "/library/sections/1/all"]
        assert len(read) == 1  # what was read is not read again


def settled_at(stage: Stage, titles: int) -> bool:
    state = stage.plex.server_states()[0]
    return state.titles == titles and not state.is_indexing


def count(stage: Stage, text: str) -> int:
    """How many episodes the index holds that `text` finds."""
    return len(stage.plex.suggest(text, kinds={TitleKind.EPISODE}, limit=10_000))


class TestBound:
    async def test_the_most_useful_kinds_are_kept(self, sim: PlexSim, tmp_path: Path) -> None:
        async with running(sim, tmp_path, titles_max=200) as stage:
            await until(lambda: stage.plex.server_states()[0].is_index_full)
            state = stage.plex.server_states()[0]
            assert state.titles == 200
            assert state.titles_total == len(playable(sim))
            assert "full at 200 of" in stage.check()
            held = {kind: len(stage.plex.suggest("", kinds={kind}, limit=1000)) for kind in TitleKind}
            assert held[TitleKind.TRACK] == 0
            assert held[TitleKind.SHOW] == 12
            assert 0 < count(stage, "s") < len(sim.world.listed(None, "episode"))
            for item in sim.world.listed(None, "movie"):
                assert stage.title(item) in [title.ref for title in stage.plex.suggest(item.title, limit=100)]

    async def test_better_kinds_push_out_worse_ones(self, sim: PlexSim, tmp_path: Path) -> None:
        async with running(sim, tmp_path, titles_max=300) as stage:
            await until(lambda: stage.plex.server_states()[0].is_index_full)
            for number in range(5):
                appear(sim.server, film(sim, f"Latecomer {number}"))
            await until(lambda: len(names(stage, "latecomer")) == 5)
            await until(lambda: settled_at(stage, 300))

    async def test_room_that_becomes_free_is_used(self, sim: PlexSim, tmp_path: Path) -> None:
        async with running(sim, tmp_path, titles_max=300) as stage:
            await until(lambda: stage.plex.server_states()[0].is_index_full)
            episodes = count(stage, "s")
            assert episodes > 0
            for item in sim.world.listed(1, "movie")[:20]:
                vanish(sim.server, item)
            await until(lambda: settled_at(stage, 300) and count(stage, "s") == episodes + 20)

    async def test_servers_share_it(self, sim: PlexSim, tmp_path: Path) -> None:
        async with PlexSim(seed=8, life=False, clock=sim.clock) as other:
            servers = {
                ATTIC: PlexServerConfig(sim.url, sim.token),
                ServerId("cellar"): PlexServerConfig(other.url, other.token),
            }
            async with running(sim, tmp_path, servers=servers, titles_max=400) as stage:
                await until(lambda: all(state.is_index_full for state in stage.plex.server_states()))
                assert [state.titles for state in stage.plex.server_states()] == [200, 200]


class TestSearch:
    async def test_the_index_alone_would_not_know(self, sim: PlexSim, tmp_path: Path) -> None:
        async with running(sim, tmp_path, titles_max=20) as stage:
            await until(lambda: stage.plex.server_states()[0].is_index_full)
            track = sim.world.listed(3, "track")[0]
            assert stage.title(track) not in [title.ref for title in stage.plex.suggest(track.title)]
            found = await stage.plex.find(track.title)
            assert found.is_complete
            assert stage.title(track) in [title.ref for title in found.titles]

    async def test_best_first_without_repetition(self, stage: Stage) -> None:
        found = await stage.plex.find("Low Orbit")
        assert found.titles[0].name == "Low Orbit"
        assert len({title.ref for title in found.titles}) == len(found.titles)
        assert len((await stage.plex.find("o", limit=5)).titles) == 5
        shows = await stage.plex.find("over", kinds={TitleKind.SHOW})
        assert {title.kind for title in shows.titles} == {TitleKind.SHOW}

    @pytest.mark.parametrize("fault", [500, 503, "html", "drop", "hold"])
    async def test_a_server_that_fails_or_hangs_leaves_the_index(self, stage: Stage, fault: int | str) -> None:
        stage.sim.faults.add("/hubs/search", fault)
        found = await stage.plex.find("low orb")
        assert [title.name for title in found.titles] == ["Low Orbit"]
        assert not found.is_complete

    async def test_nothing_to_be_found(self, stage: Stage) -> None:
        stage.sim.faults.add("/hubs/search", 404)
        found = await stage.plex.find("xyzzy plugh")
        assert (found.titles, found.is_complete) == ((), True)

    @pytest.mark.parametrize("text", ["x" * 2000, "\x00\x1b[31m", "\u202eabc", "שדה האור", "🎬", "a&b=c?d#e%20"])
    async def test_any_text_is_searched_for(self, stage: Stage, text: str) -> None:
        assert (await stage.plex.find(text)).is_complete

    async def test_an_empty_text_shows_what_is_new_without_asking(self, stage: Stage) -> None:
        assert len((await stage.plex.find("  ")).titles) == 25
        assert stage.asked("/hubs/search") == []


class TestOneTitle:
    async def test_fresh_from_the_server(self, stage: Stage) -> None:
        stage.sim.world.change_view(1, stage.sim.world.find("Low Orbit")).offset_ms = 70_000
        assert (await stage.plex.title(stage.title("Low Orbit"))).view_offset_ms == 70_000
        playlist = await stage.plex.title(stage.title("Rainy Sunday", "playlist"))
        assert (playlist.kind, playlist.name) == (TitleKind.PLAYLIST, "Rainy Sunday")

    async def test_what_is_below(self, stage: Stage) -> None:
        show = stage.sim.world.find("Overtime", "show")
        seasons = await stage.plex.children(stage.title(show))
        assert [season.name for season in seasons] == ["Season 1", "Season 2"]
        assert len(await stage.plex.children(seasons[0].ref)) == len(show.children[0].children)

    async def test_next_unwatched(self, stage: Stage) -> None:
        show = stage.sim.world.find("Overtime", "show")
        for leaf in stage.sim.world.leaves(show):
            view = stage.sim.world.change_view(1, leaf)
            view.count, view.offset_ms = 0, 0
        assert (await stage.plex.next_unwatched(stage.title(show))).index == 1


class TestPosters:
    async def test_a_picture_once(self, stage: Stage) -> None:
        title = await stage.plex.title(stage.title("Low Orbit"))
        poster = await stage.plex.poster(title, width=200)
        assert poster is not None
        assert poster.startswith((b"\xff\xd8\xff", b"\x89PNG"))
        assert await stage.plex.poster(title, width=200) == poster
        assert len(stage.asked("/photo/:/transcode")) == 1
        assert await stage.plex.poster(title, width=100) != poster

    @pytest.mark.parametrize("fault", [404, 500, "html", "empty", "garbage", "drop"])
    async def test_none_when_there_is_none_to_be_had(self, stage: Stage, fault: int | str) -> None:
        title = await stage.plex.title(stage.title("Low Orbit"))
        stage.sim.faults.add("/photo/", fault)
        for _ in range(8):
            assert await stage.plex.poster(title) is None
        assert (await stage.plex.title(title.ref)).name == "Low Orbit"  # pictures do not open the server's breaker

    async def test_nothing_is_fetched_from_elsewhere(self, stage: Stage) -> None:
        title = await stage.plex.title(stage.title("Low Orbit"))
        for thumb in (None, "https://evil.example/x.jpg", "//evil.example/x.jpg"):
            assert await stage.plex.poster(replace(title, thumb=thumb)) is None
        assert stage.asked("/photo/") == []
