"""Collections on the simulated server: made, filled, emptied, followed by a filter, and gone in the middle."""

from __future__ import annotations

import asyncio

import pytest

from daemon.core.errors import UpstreamError, UserError
from daemon.core.library import CollectionRef
from daemon.core.visibility import LibraryRef
from integrations.plex import Collections
from tests.integration.plex.stage import ATTIC, Stage

MOVIES, SHOWS, MUSIC = (LibraryRef(ATTIC, key) for key in ("1", "2", "3"))


@pytest.fixture
def collections(stage: Stage) -> Collections:
    return Collections(stage.plex)


async def test_from_the_first_title_to_the_last(stage: Stage, collections: Collections) -> None:
    told: list[int | None] = []
    stage.plex.on_library(lambda server, key: told.append(key))
    state = await collections.create(MOVIES, "  Night\nShift ", stage.title("Low Orbit"))
    assert (state.name, state.count, state.is_smart, state.library) == ("Night Shift", 1, False, MOVIES)
    state, _ = await collections.add(state.ref, stage.title("Blue Hour"))
    assert state.count == 2
    assert int(state.ref.key) in told
    world = stage.sim.world
    keys = [world.find(name).key for name in ("Low Orbit", "Blue Hour")]
    assert await collections.order(state.ref, MOVIES) == keys
    results = await asyncio.gather(
        *(collections.remove(state.ref, stage.title("Blue Hour")) for _ in range(2)), return_exceptions=True
    )
    codes = [one.code for one in results if isinstance(one, UserError)]
    assert codes == ["not_in"] or not codes  # a second removal of the same is no harm
    with pytest.raises(UserError) as caught:
        await collections.remove(state.ref, stage.title("Low Orbit"))
    assert caught.value.code == "last_title"
    both = await asyncio.gather(*(collections.delete(state.ref) for _ in range(2)), return_exceptions=True)
    assert [one.code for one in both if isinstance(one, UserError)] == ["collection_gone"]
    assert await collections.order(state.ref, MOVIES) is None


@pytest.mark.parametrize(
    ("title", "kind", "code"), [("Low Orbit", "movie", "already_in"), (None, "show", "other_library")]
)
async def test_what_cannot_be_added(
    stage: Stage, collections: Collections, title: str | None, kind: str, code: str
) -> None:
    state = await collections.create(MOVIES, "Night Shift", stage.title("Low Orbit"))
    item = stage.sim.world.find(title) if title else stage.sim.world.listed(2, kind)[0]
    with pytest.raises(UserError) as caught:
        await collections.add(state.ref, stage.title(item))
    assert caught.value.code == code
    with pytest.raises(UserError) as caught:
        await collections.create(SHOWS, "Other", stage.title("Low Orbit"))
    assert caught.value.code == "other_library"
    season = stage.sim.world.listed(2, "season")[0]
    shows = await collections.create(SHOWS, "Shows", stage.title(stage.sim.world.listed(2, "show")[0]))
    with pytest.raises(UserError) as caught:
        await collections.add(shows.ref, stage.title(season))
    assert caught.value.code == "other_kind"


async def test_smart_ones_of_every_library(stage: Stage, collections: Collections) -> None:
    world = stage.sim.world
    genre = world.listed(2, "show")[0].genres[0]
    state = await collections.create_smart(SHOWS, "Shows of a kind", f'genre="{genre}"')
    wanted = {item.key for item in world.listed(2, "show") if genre in item.genres}
    assert set(await collections.order(state.ref, SHOWS) or ()) == wanted
    assert (state.is_smart, state.count) == (True, len(wanted))
    genre = world.listed(3, "artist")[0].genres[0]
    state = await collections.create_smart(MUSIC, "Artists of a kind", f'genre="{genre}"')
    assert state.count == sum(genre in item.genres for item in world.listed(3, "artist"))
    state = await collections.create_smart(MOVIES, "Long and old", "minutes>=100 year<2000 genre!=Horror")
    wanted = {
        item.key for item in world.listed(1, "movie")
        if (item.duration_ms or 0) >= 6_000_000 and (item.year or 9999) < 2000 and "Horror" not in item.genres
    }  # fmt: skip
    assert set(await collections.order(state.ref, MOVIES) or ()) == wanted
    for work in (collections.add(state.ref, stage.title("Low Orbit")),
                 collections.remove(state.ref, stage.title("Low Orbit"))):  # fmt: skip
        with pytest.raises(UserError) as caught:
            await work
        assert caught.value.code == "smart_collection"


async def test_a_collection_that_goes_in_the_middle(stage: Stage, collections: Collections) -> None:
    world = stage.sim.world
    state = await collections.create(MOVIES, "Night Shift", stage.title("Low Orbit"))
    made = world.find("Night Shift", "collection")
    stage.sim.between(rf"GET /library/collections/{made.key}/children", lambda: world.remove(made))
    with pytest.raises(UserError) as caught:
        await collections.add(state.ref, stage.title("Blue Hour"))
    assert caught.value.code == "collection_gone"
    for work in (collections.read(state.ref), collections.delete(CollectionRef(ATTIC, "999999"))):
        with pytest.raises(UserError, match="no longer on the server"):
            await work


async def test_a_server_that_fails(stage: Stage, collections: Collections) -> None:
    before = set(stage.sim.world.items)
    stage.sim.faults.add(r"/library/", 503)
    for work in (
        collections.create(MOVIES, "x", stage.title("Low Orbit")), collections.create_smart(MOVIES, "x", "unwatched"),
        collections.read(CollectionRef(ATTIC, "1")), collections.delete(CollectionRef(ATTIC, "1")),
    ):  # fmt: skip
        with pytest.raises(UpstreamError):
            await work
    assert set(stage.sim.world.items) == before
    assert await collections.order(CollectionRef(ATTIC, "1"), MOVIES) is None
