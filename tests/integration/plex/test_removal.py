"""What a title is at this moment, who played it, and its deletion, on a real server's behaviour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.leaving import Standing
from daemon.core.library import LibraryKind
from daemon.core.media import TitleKind
from daemon.core.visibility import LibraryRef
from integrations.plex import Deletion, Removal
from simulators.plex.items import Item
from tests.integration.plex.stage import ATTIC, Stage

MOVIES, SHOWS = LibraryRef(ATTIC, "1"), LibraryRef(ATTIC, "2")
LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)


def removal(stage: Stage) -> Removal:
    return Removal(stage.plex)


def files_of(stage: Stage, item: Item) -> tuple[int, int]:
    world = stage.sim.world
    parts = [part for leaf in world.leaves(item) for media in world.facts(leaf).media for part in media.parts]
    return sum(part.size for part in parts), len(parts)


async def test_a_title_is_seen_as_it_is_now(stage: Stage) -> None:
    world = stage.sim.world
    film, show = world.listed(1, "movie")[0], world.listed(2, "show")[0]
    stage.sim.add_version(film, "720", parts=2)
    for item, library in ((film, "1"), (show, "2")):
        size_bytes, files = files_of(stage, item)
        assert files > 1
        found = await removal(stage).look(stage.title(item))
        assert found == Standing(library, world.guid(item), item.title, size_bytes, files)
    stage.sim.remove(film)
    assert await removal(stage).look(stage.title(film)) is None


async def test_an_empty_answer_is_no_word_that_a_title_is_gone(stage: Stage) -> None:
    film = stage.sim.world.listed(1, "movie")[0]
    for what in ("empty", "html", "garbage", "truncate", 503, "drop"):
        fault = stage.sim.faults.add(f"/library/metadata/{film.key}", what)
        with pytest.raises(UpstreamError):
            await removal(stage).look(stage.title(film))
        stage.sim.faults.remove(fault)
        await stage.ready()


async def test_who_played_it_does_not_matter_but_when(stage: Stage) -> None:
    world, now = stage.sim.world, stage.sim.clock.now()
    film = next(item for item in world.listed(1, "movie") if not world.view(1, item).last_viewed_at)
    show = next(item for item in world.listed(2, "show") if len(world.leaves(item)) > 2)
    parts = removal(stage)
    assert await parts.last_played(stage.title(film), TitleKind.MOVIE) is None
    stage.sim.watched(film, "Marcus", at=now - 500)
    stage.sim.watched(film, "Yuki", at=now - 900)
    stage.sim.watched(world.leaves(show)[-1], "Yuki", at=now - 70)
    assert _ago(await parts.last_played(stage.title(film), TitleKind.MOVIE), now) == 500
    assert _ago(await parts.last_played(stage.title(show), TitleKind.SHOW), now) == 70
    films = await parts.played(MOVIES, LibraryKind.MOVIE, LONG_AGO)
    shows = await parts.played(SHOWS, LibraryKind.SHOW, LONG_AGO)
    assert (_ago(films[film.key], now), _ago(shows[show.key], now)) == (500, 70)


async def test_what_the_owner_has_seen_counts_without_a_row_of_history(stage: Stage) -> None:
    world = stage.sim.world
    film = next(item for item in world.listed(1, "movie") if world.view(1, item).last_viewed_at)
    seen_at = world.view(1, film).last_viewed_at
    assert stage.sim.server.history == []
    found = await removal(stage).last_played(stage.title(film), TitleKind.MOVIE)
    assert found == datetime.fromtimestamp(seen_at, UTC)
    assert (await removal(stage).played(MOVIES, LibraryKind.MOVIE, LONG_AGO))[film.key] == found


async def test_an_episode_that_plays_is_its_show_playing(stage: Stage) -> None:
    world = stage.sim.world
    show, film = world.listed(2, "show")[0], world.listed(1, "movie")[0]
    assert not await removal(stage).is_playing(stage.title(show))
    stage.sim.play("Living Room TV", world.leaves(show)[0])
    assert await removal(stage).is_playing(stage.title(show))
    assert not await removal(stage).is_playing(stage.title(film))


async def test_only_what_was_meant_is_deleted(stage: Stage) -> None:
    world, parts = stage.sim.world, removal(stage)
    film, other = world.listed(1, "movie")[:2]
    assert await parts.delete(stage.title(film), world.guid(other)) is Deletion.ANOTHER
    assert film.key in world.items
    assert await parts.delete(stage.title(film), world.guid(film)) is Deletion.DONE
    assert film.key not in world.items
    assert await parts.delete(stage.title(film), world.guid(film)) is Deletion.ABSENT
    show = world.listed(2, "show")[0]
    assert await parts.delete(stage.title(show), world.guid(show)) is Deletion.DONE
    assert not any(item.top is show for item in world.items.values())


async def test_a_server_that_does_not_let_media_be_deleted_says_so(stage: Stage) -> None:
    film, parts = stage.sim.world.listed(1, "movie")[0], removal(stage)
    assert await parts.may_delete(ATTIC)
    stage.sim.server.prefs["allowMediaDeletion"] = False
    assert not await parts.may_delete(ATTIC)
    with pytest.raises(UpstreamError) as refused:
        await parts.delete(stage.title(film), stage.sim.world.guid(film))
    assert refused.value.kind is UpstreamKind.FORBIDDEN
    assert film.key in stage.sim.world.items


def _ago(at: datetime | None, now: float) -> int:
    assert at is not None
    return round((datetime.fromtimestamp(int(now), UTC) - at) / timedelta(seconds=1))
