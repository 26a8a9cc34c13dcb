"""Edits by the real plexapi: fields, locks, tags, ratings, and what finds titles by their tags."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from plexapi.server import PlexServer

from simulators.plex.items import Item
from simulators.plex.sim import PlexSim


@pytest.fixture(autouse=True)
def no_unknown_route(sim: PlexSim) -> Iterator[None]:
    yield
    assert sim.unknown_routes == []


def with_many_genres(sim: PlexSim) -> Item:
    return next(item for item in sim.world.listed(1, "movie") if len(item.genres) > 3)


async def test_fields_are_changed_and_locked(sim: PlexSim, real: Any, ask: Any) -> None:
    film = sim.world.find("Low Orbit")
    changed = sim.world.sections[1].changed
    sim.clock.jump(60)

    def work(plex: PlexServer) -> None:
        one = plex.fetchItem(film.key)
        one.editTitle("Lower Orbit").editSummary("Quiet up there.").editSortTitle("Orbit, Lower")
        one.batchEdits().editContentRating("PG").editOriginallyAvailable("2021-02-03").editStudio("Own").saveEdits()
        one = plex.fetchItem(film.key)
        assert (one.title, one.titleSort, one.summary) == ("Lower Orbit", "Orbit, Lower", "Quiet up there.")
        assert (one.contentRating, one.studio, one.originallyAvailableAt.year) == ("PG", "Own", 2021)
        assert {field.name for field in one.fields} == {
            "title", "titleSort", "summary", "contentRating", "originallyAvailableAt", "studio",
        }  # fmt: skip
        one.editTitle("Lower Orbit", locked=False)
        assert "title" not in {field.name for field in one.reload().fields}

    await real.run(work)
    assert sim.world.sections[1].changed > changed
    row = (await ask.json("/library/sections/1/all?title=orbit"))["Metadata"][0]
    assert (row["title"], row["updatedAt"]) == ("Lower Orbit", int(sim.clock.now()))
    assert "Field" not in row


async def test_adding_to_a_listed_title_loses_tags_and_to_a_reloaded_one_does_not(sim: PlexSim, real: Any) -> None:
    film = with_many_genres(sim)
    genres = list(film.genres)

    def work(plex: PlexServer) -> tuple[list[str], list[str]]:
        listed = plex.library.section("Movies").getGuid(sim.world.guid(film))
        listed = plex.fetchItems(f"/library/sections/1/all?title={film.title}")[0]
        listed.addGenre("Cosy")
        lost = [tag.tag for tag in plex.fetchItem(film.key).genres]
        plex.fetchItem(film.key).editTags("genre", [], remove=False)
        one = plex.fetchItem(film.key)
        one.removeGenre(lost).reload()
        one.addGenre(genres).reload()
        one.addGenre("Cosy").reload()
        return lost, [tag.tag for tag in one.genres]

    lost, kept = await real.run(work)
    assert lost == [*genres[:2], "Cosy"]
    assert kept == [*genres, "Cosy"]


async def test_words_are_taken_away_by_name_whatever_signs_they_have(sim: PlexSim, real: Any) -> None:
    film = sim.world.find("Low Orbit")
    sim.edit(film, genres=("Drama", "Tyler, the Word", "50% more"))

    def work(plex: PlexServer) -> None:
        plex.fetchItem(film.key).removeGenre(["tyler, the word", "50% more"])

    await real.run(work)
    assert film.genres == ("Drama",)


async def test_a_whole_list_and_what_is_to_go_in_one_request(sim: PlexSim, ask: Any) -> None:
    film = sim.world.find("Low Orbit")
    sim.edit(film, genres=("Drama", "Crime"))
    words = "genre%5B0%5D.tag.tag=Drama&genre%5B1%5D.tag.tag=Noir&genre%5B%5D.tag.tag-=Crime&genre.locked=0"
    path = f"/library/sections/1/all?type=1&id={film.key}&{words}"
    assert (await ask.raw(path, method="PUT"))[0] == 200
    assert (film.genres, film.locked) == (("Drama", "Noir"), frozenset())


async def test_a_title_that_no_agent_knows(sim: PlexSim, ask: Any) -> None:
    film = sim.world.find("Low Orbit")
    path = f"/library/metadata/{film.key}/matches?manual=1"
    found = (await ask.json(path))["SearchResult"]
    assert found[0].keys() >= {"guid", "name", "year", "score"}
    sim.faults.unmatchable.add(film.key)
    assert "SearchResult" not in await ask.json(path)


async def test_labels_are_written_capitalised_and_found_by_id(sim: PlexSim, real: Any, ask: Any) -> None:
    film = sim.world.find("Low Orbit")

    def work(plex: PlexServer) -> None:
        one = plex.fetchItem(film.key)
        one.addLabel("guest room").reload()
        one.addLabel(["Attic", "ATTIC"]).reload()
        assert [label.tag for label in one.labels] == ["Guest room", "Attic"]
        movies = plex.library.section("Movies")
        assert "Guest room" in {choice.title for choice in movies.listFilterChoices("label")}
        assert [found.title for found in movies.search(label="Guest room")] == ["Low Orbit"]
        assert "Low Orbit" not in {found.title for found in movies.search(filters={"label!": "Attic"})}
        one.removeLabel("attic").reload()
        assert [label.tag for label in one.labels] == ["Guest room"]
        assert movies.search(label="Guest room") == [one]

    await real.run(work)
    row = (await ask.json("/library/sections/1/all?title=low%20orbit"))["Metadata"][0]
    assert "Label" not in row


async def test_several_titles_at_once(sim: PlexSim, real: Any) -> None:
    films = [sim.world.find(title) for title in ("Low Orbit", "Blue Hour", "Solar Wake")]

    def work(plex: PlexServer) -> None:
        movies = plex.library.section("Movies")
        movies.batchMultiEdits([plex.fetchItem(film.key) for film in films])
        movies.addLabel("Shelf").editStudio("Own").saveMultiEdits()

    await real.run(work)
    assert all("Shelf" in sim.world.labels(film) and sim.world.facts(film).studio == "Own" for film in films)


async def test_people_and_countries_are_tags_too(sim: PlexSim, real: Any) -> None:
    film = sim.world.find("Low Orbit")

    def work(plex: PlexServer) -> None:
        one = plex.fetchItem(film.key)
        one.addDirector("Vera Novak").addCountry("Norway").reload()
        movies = plex.library.section("Movies")
        assert "Low Orbit" in {found.title for found in movies.search(director="Vera Novak")}
        assert "Low Orbit" in {found.title for found in movies.search(country="Norway")}
        assert "Norway" in {choice.title for choice in movies.listFilterChoices("country")}

    await real.run(work)


@pytest.mark.parametrize(
    "tag",
    ["genre", "year", "decade", "contentRating", "studio", "resolution", "director", "writer", "producer", "country",
     "actor", "label", "collection"],
)  # fmt: skip
async def test_every_value_of_a_filter_finds_something(sim: PlexSim, ask: Any, tag: str) -> None:
    rows = (await ask.json(f"/library/sections/1/{tag}"))["Directory"]
    assert rows
    for row in rows[:3]:
        assert (await ask.json(row["fastKey"]))["size"] > 0, row


async def test_filters_of_upkeep(sim: PlexSim, ask: Any, real: Any) -> None:
    film = sim.world.find("Low Orbit")
    sim.add_version(film, "sd")
    twice = [item.title for item in sim.world.listed(1, "movie") if len(sim.world.facts(item).media) > 1]
    found = await ask.json("/library/sections/1/all?duplicate=1")
    assert sorted(row["title"] for row in found["Metadata"]) == sorted(twice)
    local = await ask.json("/library/sections/1/all?unmatched=1")
    assert {row["guid"].partition("://")[0] for row in local["Metadata"]} == {"local"}
    since = sorted(item.added_at for item in sim.world.listed(1, "movie"))[-5]
    assert (await ask.json(f"/library/sections/1/all?addedAt%3E%3E={since}"))["size"] == 4
    assert (await ask.json(f"/library/sections/1/all?addedAt%3E={since}"))["size"] == 5
    exact = await ask.json("/library/sections/1/all?title%3D=orbit")
    assert exact["size"] == 0
    grouped = await ask.json(
        "/library/sections/1/all?push=1&title=low%20orbit&or=1&title=blue%20hour&pop=1&year%3E%3E=1900"
    )
    assert {row["title"] for row in grouped["Metadata"]} == {"Low Orbit", "Blue Hour"}

    def work(plex: PlexServer) -> list[str]:
        movies = plex.library.section("Movies")
        either = movies.search(filters={"or": [{"title": "low orbit"}, {"title": "blue hour"}]})
        assert {each.title for each in either} == {"Low Orbit", "Blue Hour"}
        return [each.title for each in movies.search(sort="lastViewedAt:desc", filters={"viewCount>>": 0})]

    watched = await real.run(work)
    seen = [item for item in sim.world.listed(1, "movie") if sim.world.view(1, item).count]
    assert watched == [item.title for item in sorted(seen, key=lambda item: -sim.world.view(1, item).last_viewed_at)]


async def test_lookup_by_guid(sim: PlexSim, ask: Any) -> None:
    film, episode = sim.world.find("Low Orbit"), sim.world.listed(2, "episode")[5]
    for item in (film, episode):
        found = await ask.json(f"/library/all?guid={sim.world.guid(item)}")
        assert [row["ratingKey"] for row in found["Metadata"]] == [str(item.key)]
    old = film.key
    new = sim.rekey(film)
    assert (await ask.raw(f"/library/metadata/{old}"))[0] == 404
    assert (await ask.json(f"/library/all?guid={sim.world.guid(film)}"))["Metadata"][0]["ratingKey"] == str(new)
    assert (await ask.json("/library/all?guid=plex://movie/none"))["size"] == 0


@pytest.mark.parametrize("rating", ["7.5", "0", "10"])
async def test_ratings_belong_to_an_account(sim: PlexSim, ask: Any, rating: str) -> None:
    film = sim.world.find("Low Orbit")
    token = sim.token_of("Marcus")
    path = f"/:/rate?key={film.key}&identifier=com.plexapp.plugins.library&rating={rating}"
    assert (await ask.raw(path, method="PUT", token=token))[0] == 200
    assert sim.world.view(4_200_117, film).user_rating == float(rating)
    assert sim.world.view(1, film).user_rating is None
    mine = (await ask.json(f"/library/metadata/{film.key}", token=token))["Metadata"][0]
    assert mine["userRating"] == float(rating)
    assert (await ask.raw(f"/:/rate?key={film.key}&rating=-1", method="PUT", token=token))[0] == 200
    assert sim.world.view(4_200_117, film).user_rating is None


@pytest.mark.parametrize("rating", ["11", "nan", "good"])
async def test_what_is_no_rating_is_refused(sim: PlexSim, ask: Any, rating: str) -> None:
    film = sim.world.find("Low Orbit")
    assert (await ask.raw(f"/:/rate?key={film.key}&rating={rating}", method="PUT"))[0] == 400


@pytest.mark.parametrize(
    ("query", "status"),
    [("id=999999&title.value=x", 404), ("id=&title.value=x", 404), ("id={key}&type=4&title.value=x", 400),
     ("id={key}&type=1&year.value=soon", 400), ("id={key}&type=1&title.value=", 400),
     ("id={key}&type=1&nonsense.value=x", 200)],
)  # fmt: skip
async def test_edits_that_make_no_sense(sim: PlexSim, ask: Any, query: str, status: int) -> None:
    film = sim.world.find("Low Orbit")
    assert (await ask.raw("/library/sections/1/all?" + query.format(key=film.key), method="PUT"))[0] == status
    assert (await ask.raw(f"/library/sections/2/all?id={film.key}&title.value=x", method="PUT"))[0] == 404
    assert film.title == "Low Orbit"
