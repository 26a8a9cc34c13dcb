"""Collections and playlists by the real plexapi: plain and smart ones, the owner's and everybody's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from plexapi.exceptions import BadRequest, NotFound
from plexapi.server import PlexServer

from simulators.plex.sim import PlexSim


@pytest.fixture(autouse=True)
def no_unknown_route(sim: PlexSim) -> Iterator[None]:
    yield
    assert sim.unknown_routes == []


def keys(sim: PlexSim, *titles: str) -> list[int]:
    return [sim.world.find(title).key for title in titles]


async def test_a_collection_is_made_filled_sorted_and_emptied(sim: PlexSim, real: Any) -> None:
    first, second, third = keys(sim, "Low Orbit", "Blue Hour", "Copper Sky")

    def work(plex: PlexServer) -> None:
        movies = plex.library.section("Movies")
        made = movies.createCollection("Night Shift", items=plex.fetchItems([first, second]))
        assert (made.title, made.smart, made.subtype, made.childCount) == ("Night Shift", False, "movie", 2)
        assert movies.collection("Night Shift") == made
        made.addItems(plex.fetchItems([third, first]))  # one of them is in it already
        assert [item.ratingKey for item in made.reload().items()] == [first, second, third]
        made.moveItem(made.items()[2])
        made.moveItem(made.items()[1], after=made.items()[2])
        assert [item.ratingKey for item in made.reload().items()] == [third, second, first]
        made.removeItems(plex.fetchItems([second]))
        made.editTitle("Day Shift").editSummary("Bring coffee.")
        made = plex.fetchItem(made.ratingKey)
        assert (made.title, made.summary, made.childCount) == ("Day Shift", "Bring coffee.", 2)
        assert [tag.tag for tag in plex.fetchItem(first).collections] == ["Orbit and Beyond", "Day Shift"]
        made.removeItems(made.items())
        with pytest.raises(NotFound):
            plex.fetchItem(made.ratingKey)  # nothing is left of it

    await real.run(work)


async def test_collections_as_tags_of_titles(sim: PlexSim, real: Any, ask: Any) -> None:
    film, other = keys(sim, "Low Orbit", "Blue Hour")

    def work(plex: PlexServer) -> None:
        movies = plex.library.section("Movies")
        plex.fetchItem(film).addCollection("Night Shift")
        plex.fetchItem(other).addCollection("Night Shift")
        made = movies.collection("Night Shift")
        assert {item.ratingKey for item in made.items()} == {film, other}
        assert {item.ratingKey for item in movies.search(collection="Night Shift")} == {film, other}
        assert {item.ratingKey for item in movies.search(filters={"collection": "Night Shift"})} == {film, other}
        plex.fetchItem(film).removeCollection("night shift")
        assert [item.ratingKey for item in made.reload().items()] == [other]
        made.delete()
        assert "Night Shift" not in {tag.tag for tag in plex.fetchItem(other).collections}

    await real.run(work)
    rows = (await ask.json("/library/sections/1/collection"))["Directory"]
    assert {row["title"] for row in rows} == {"Orbit and Beyond", "Rainy Day Mysteries"}
    found = await ask.json(rows[0]["fastKey"])
    assert found["size"] == len(sim.world.find("Orbit and Beyond", "collection").members)
    listed = (await ask.json("/library/sections/1/all?title=low%20orbit"))["Metadata"][0]
    assert listed["Collection"] == [{"tag": "Orbit and Beyond"}]


async def test_a_smart_collection_follows_its_filter(sim: PlexSim, real: Any) -> None:
    film = sim.world.find("Low Orbit")

    def make(plex: PlexServer) -> int:
        movies = plex.library.section("Movies")
        made = movies.createCollection("New", smart=True, filters={"year>>": 2022}, sort="year:desc")
        assert made.smart is True
        assert {item.year for item in made.items()} == {2023, 2024, 2025} & {item.year for item in made.items()}
        assert film.key not in {item.ratingKey for item in made.items()}
        with pytest.raises(BadRequest):
            made.addItems(plex.fetchItems([film.key]))
        return int(made.ratingKey)

    key = await real.run(make)
    sim.edit(film, year=2024)

    def look(plex: PlexServer) -> None:
        made = plex.fetchItem(key)
        assert film.key in {item.ratingKey for item in made.items()}
        assert made.childCount == len(made.items())
        made.updateFilters(filters={"year<<": 2000})
        assert all(item.year < 2000 for item in plex.fetchItem(key).items())
        made.delete()

    await real.run(look)


@pytest.mark.parametrize(
    ("query", "status"),
    [("sectionId=99&title=x&uri=x", 400), ("sectionId=1&title=&uri=x", 400), ("sectionId=1&title=x&uri=nowhere", 400),
     ("sectionId=2&title=x&uri=/library/metadata/{film}", 400),
     ("sectionId=1&smart=1&title=x&uri=server://other/library/sections/1/all", 400)],
)  # fmt: skip
async def test_collections_that_make_no_sense(sim: PlexSim, ask: Any, query: str, status: int) -> None:
    before = len(sim.world.items)
    asked = query.format(film=sim.world.find("Low Orbit").key)
    assert (await ask.raw(f"/library/collections?{asked}", method="POST"))[0] == status
    assert len(sim.world.items) == before


async def test_everybody_has_their_own_playlists(sim: PlexSim, real: Any, ask: Any) -> None:
    film, other = keys(sim, "Low Orbit", "Blue Hour")
    token = sim.token_of("Marcus")

    def make(plex: PlexServer) -> int:
        assert plex.playlists() == []
        made = plex.createPlaylist("Mine", items=plex.fetchItems([film, other]))
        made.removeItems([made.items()[0]])
        made.editSummary("For the train.")
        assert [item.ratingKey for item in plex.playlist("Mine").items()] == [other]
        return int(made.ratingKey)

    key = await real.run(make, token=token)
    for path, method in (
        (f"/playlists/{key}", "GET"), (f"/playlists/{key}/items", "GET"), (f"/playlists/{key}", "DELETE"),
        (f"/playlists/{key}?title=x", "PUT"), (f"/playlists/{key}/items?uri=/library/metadata/{film}", "PUT"),
    ):  # fmt: skip
        assert (await ask.raw(path, method=method))[0] == 404, path  # not the owner's either
    assert "Mine" not in {row["title"] for row in (await ask.json("/playlists"))["Metadata"]}
    found = await ask.json("/hubs/search?query=mine", token=token)
    assert any(row["title"] == "Mine" for hub in found["Hub"] for row in hub.get("Metadata", []))
    await real.run(lambda plex: plex.playlist("Mine").delete(), token=token)
    assert key not in sim.world.items


async def test_a_smart_playlist_sees_what_its_owner_watched(sim: PlexSim, real: Any) -> None:
    film = next(item for item in sim.world.listed(1, "movie") if not sim.world.view(1, item).count)
    token = sim.token_of("Marcus")

    def make(plex: PlexServer) -> Any:
        movies = plex.library.section("Movies")
        made = plex.createPlaylist("To see", smart=True, section=movies, filters={"unwatched": True}, limit=500)
        assert made.smart is True
        return {item.ratingKey for item in made.items()}

    before = await real.run(make, token=token)
    assert film.key in before
    sim.watched(film, "Olivia")
    look = lambda plex: {item.ratingKey for item in plex.playlist("To see").items()}  # noqa: E731
    assert await real.run(look, token=token) == before
    sim.watched(film, "Marcus")
    assert await real.run(look, token=token) == before - {film.key}


async def test_a_playlist_holds_nothing_that_its_owner_may_not_see(sim: PlexSim, ask: Any) -> None:
    film, track = sim.world.find("Low Orbit"), sim.world.listed(3, "track")[0]
    token = sim.token_of("Marcus")  # has no music
    refused = await ask.raw(
        f"/playlists?type=audio&title=x&uri=/library/metadata/{track.key}", method="POST", token=token
    )
    assert refused[0] == 400
    both = f"/playlists?type=video&title=x&uri=/library/metadata/{track.key},{film.key}"
    made = (await ask.json(both, method="POST", token=token))["Metadata"][0]
    assert made["leafCount"] == 1
    queue = await ask.raw(f"/playQueues?type=audio&uri=/library/metadata/{track.key}", method="POST", token=token)
    assert queue[0] == 400


async def test_on_deck_belongs_to_an_account(sim: PlexSim, ask: Any) -> None:
    show = next(item for item in sim.world.listed(2, "show") if sim.world.viewed_leaves(1, item) == 0)
    first, second = [leaf for leaf in sim.world.leaves(show) if leaf.parent and leaf.parent.index][:2]
    token = sim.token_of("Yuki")
    sim.clock.jump(5)
    await ask.raw(f"/:/scrobble?key={first.key}&identifier=com.plexapp.plugins.library", token=token)
    rows = (await ask.json("/library/onDeck", token=token))["Metadata"]
    assert rows[0]["ratingKey"] == str(second.key)
    assert (await ask.json("/hubs/continueWatching/items", token=token))["Metadata"][0]["ratingKey"] == str(second.key)
    owners = (await ask.json("/library/onDeck"))["Metadata"]
    assert [row["ratingKey"] for row in owners] != [row["ratingKey"] for row in rows]
    aside = f"/actions/removeFromContinueWatching?ratingKey={second.key}"
    assert (await ask.raw(aside, method="PUT", token=token))[0] == 200
    left = (await ask.json("/library/onDeck", token=token)).get("Metadata", [])
    assert second.key not in {int(row["ratingKey"]) for row in left}
    sim.clock.jump(5)
    sim.watched(first, "Yuki")
    again = (await ask.json("/library/onDeck", token=token))["Metadata"]
    assert second.key in {int(row["ratingKey"]) for row in again}
    sim.restrict("Yuki", filter_television="label=Nothing")
    assert "Metadata" not in await ask.json("/library/onDeck", token=token)
