"""What servers find and list themselves, single titles and posters, read from the server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from daemon.core.errors import UpstreamError
from daemon.core.ids import ServerId
from daemon.core.media import TitleKind
from integrations.plex import PlexServerConfig
from simulators.plex.sim import PlexSim
from tests.integration.plex.stage import ATTIC, Stage, running

CELLAR = ServerId("cellar")


class TestLiveSearch:
    async def test_best_first_without_repetition_and_with_its_library(self, stage: Stage) -> None:
        found = await stage.live.search("Low Orbit", [ATTIC], 25)
        assert found.is_complete
        assert (found.titles[0].name, found.titles[0].library_key) == ("Low Orbit", "1")
        assert len({title.ref for title in found.titles}) == len(found.titles)
        assert len((await stage.live.search("o", [ATTIC], 5)).titles) == 5

    async def test_every_kind_is_found(self, stage: Stage) -> None:
        for kind in ("movie", "show", "episode", "album", "track", "playlist"):
            item = stage.sim.world.listed(None, kind)[0]
            found = await stage.live.search(item.title, [ATTIC], 100)
            assert stage.title(item) in [title.ref for title in found.titles], item

    @pytest.mark.parametrize("fault", [500, 503, "html", "drop", "hold"])
    async def test_a_server_that_fails_or_hangs_is_told_and_does_not_hold_up_others(
        self, sim: PlexSim, tmp_path: Path, fault: int | str
    ) -> None:
        async with PlexSim(seed=8, life=False, clock=sim.clock) as other:
            servers = {
                ATTIC: PlexServerConfig(sim.url, sim.token),
                CELLAR: PlexServerConfig(other.url, other.token),
            }
            async with running(sim, tmp_path, servers=servers) as stage:
                await stage.ready()
                sim.faults.add("/hubs/search", fault)
                found = await stage.live.search("low orb", [ATTIC, CELLAR], 25)
                assert [(title.ref.server, title.name) for title in found.titles] == [(CELLAR, "Low Orbit")]
                assert not found.is_complete

    async def test_nothing_to_be_found(self, stage: Stage) -> None:
        stage.sim.faults.add("/hubs/search", 404)
        found = await stage.live.search("xyzzy plugh", [ATTIC], 25)
        assert (found.titles, found.is_complete) == ((), True)

    @pytest.mark.parametrize("text", ["x" * 2000, "\x00\x1b[31m", "\u202eabc", "שדה האור", "🎬", "a&b=c?d#e%20"])
    async def test_any_text_is_searched_for(self, stage: Stage, text: str) -> None:
        assert (await stage.live.search(text, [ATTIC], 25)).is_complete

    async def test_an_empty_text_is_not_asked_for(self, stage: Stage) -> None:
        assert (await stage.live.search("  ", [ATTIC], 25)).titles == ()
        assert stage.asked("/hubs/search") == []


class TestPlaylists:
    async def test_those_that_play_are_listed(self, stage: Stage) -> None:
        there = {item.title for item in stage.sim.world.listed(None, "playlist") if item.owner in (0, 1)}
        found = await stage.live.playlists(ATTIC)
        assert {title.name for title in found} == there
        assert {title.kind for title in found} == {TitleKind.PLAYLIST}
        assert {title.library_key for title in found} == {None}

    async def test_a_server_that_fails_is_a_failure(self, stage: Stage) -> None:
        stage.sim.faults.add("/playlists", 500)
        with pytest.raises(UpstreamError):
            await stage.live.playlists(ATTIC)


class TestOneTitle:
    async def test_fresh_from_the_server(self, stage: Stage) -> None:
        stage.sim.world.change_view(1, stage.sim.world.find("Low Orbit")).offset_ms = 70_000
        film = await stage.plex.title(stage.title("Low Orbit"))
        assert (film.view_offset_ms, film.library_key) == (70_000, "1")
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
