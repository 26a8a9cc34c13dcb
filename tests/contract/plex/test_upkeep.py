"""Keeping a library by the real plexapi: versions, deletions, splitting, matching, scans, trash, butler, activities."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest
from plexapi.exceptions import BadRequest, NotFound
from plexapi.server import PlexServer

from simulators.plex.activities import STEPS
from simulators.plex.items import Item
from simulators.plex.routes_butler import TASK_S
from simulators.plex.scan import SCAN_S
from simulators.plex.sim import PlexSim


@pytest.fixture(autouse=True)
def no_unknown_route(sim: PlexSim) -> Iterator[None]:
    yield
    assert sim.unknown_routes == []


class Ear:
    """What the owner hears on the websocket."""

    def __init__(self, sim: PlexSim, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._sim = sim
        self._socket = socket

    async def work_done(self, duration_s: float) -> list[dict[str, Any]]:
        """Let something in the background, which lasts so long, go on to its end; all that is heard."""
        heard = await self.until("activity", event="started")
        for _ in range(STEPS):
            self._sim.clock.jump(duration_s / STEPS)
            heard += await self.until("activity", event="updated")
        return heard + await self.until("activity", event="ended")

    async def until(self, kind: str, **wanted: Any) -> list[dict[str, Any]]:
        """Everything up to the first entry of a kind that has these values."""
        heard = []
        async with asyncio.timeout(10):
            while True:
                message = json.loads((await self._socket.receive()).data)["NotificationContainer"]
                key = next(name for name in message if name not in ("type", "size"))
                for entry in message[key]:
                    heard.append({"kind": message["type"], **entry})
                    if message["type"] == kind and wanted.items() <= entry.items():
                        return heard


@pytest.fixture
async def ear(sim: PlexSim) -> AsyncIterator[Ear]:
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{sim.url}/:/websockets/notifications", headers={"X-Plex-Token": sim.token}) as socket,
    ):
        yield Ear(sim, socket)


async def test_versions_have_codecs_sizes_and_files(sim: PlexSim, real: Any) -> None:
    film = sim.world.find("Low Orbit")
    made = sim.add_version(film, "4k", video_codec="hevc", size_bytes=40_000_000_000, parts=2)

    def work(plex: PlexServer) -> None:
        one = plex.fetchItem(film.key)
        big = next(media for media in one.media if media.id == made.id)
        assert (big.videoResolution, big.videoCodec, big.width) == ("4k", "hevc", 3840)
        assert sum(part.size for part in big.parts) == 40_000_000_000
        assert len({part.file for media in one.media for part in media.parts}) == len(one.media) + 1
        listed = plex.fetchItems("/library/sections/1/all?title=low orbit")[0]
        assert [part.size for media in listed.media for part in media.parts] == [
            part.size for media in one.media for part in media.parts
        ]

    await real.run(work)


async def test_what_a_library_takes_on_the_disk(sim: PlexSim, real: Any) -> None:
    films = sim.world.listed(1, "movie")
    expected = sum(part.size for film in films for media in sim.world.facts(film).media for part in media.parts)

    def work(plex: PlexServer) -> None:
        movies = plex.library.section("Movies")
        assert (movies.totalStorage, movies.totalDuration) == (expected, sum(film.duration_ms or 0 for film in films))
        biggest = movies.search(sort="mediaSize:desc", maxresults=1)[0]
        assert biggest.ratingKey == max(films, key=lambda film: sim.world.files(film)[1]).key

    await real.run(work)


async def test_deleting_versions_and_titles(sim: PlexSim, real: Any, ear: Ear) -> None:
    film, other = sim.world.find("Low Orbit"), sim.world.find("Blue Hour")
    made = sim.add_version(film, "sd")

    def work(plex: PlexServer) -> None:
        one = plex.fetchItem(film.key)
        next(media for media in one.media if media.id == made.id).delete()
        assert made.id not in {media.id for media in one.reload().media}
        plex.fetchItem(other.key).delete()
        with pytest.raises(NotFound):
            plex.fetchItem(other.key)
        one.media[0].delete()  # the last version takes the title with it
        with pytest.raises(NotFound):
            plex.fetchItem(film.key)

    await real.run(work)
    heard = await ear.until("timeline", itemID=str(film.key), state=9)
    assert [entry["itemID"] for entry in heard if entry.get("state") == 9] == [str(other.key), str(film.key)]


async def test_a_season_goes_with_its_last_episode(sim: PlexSim, ask: Any) -> None:
    season = next(item for item in sim.world.listed(2, "season") if len(item.children) > 1)
    show = season.top
    for episode in list(season.children):
        assert (await ask.raw(f"/library/metadata/{episode.key}", method="DELETE"))[0] == 200
    assert season.key not in sim.world.items
    assert show.key in sim.world.items


async def test_a_server_that_does_not_delete_media(sim: PlexSim, real: Any, ask: Any) -> None:
    film, shelf = sim.world.find("Low Orbit"), sim.world.listed(1, "collection")[0]
    await ask.control("/prefs", {"allowMediaDeletion": False})

    def work(plex: PlexServer) -> None:
        assert plex.allowMediaDeletion is False
        one = plex.fetchItem(film.key)
        with pytest.raises(BadRequest, match="403"):
            one.delete()
        with pytest.raises(BadRequest, match="403"):
            one.media[0].delete()
        plex.fetchItem(shelf.key).delete()  # it has no files

    await real.run(work)
    assert film.key in sim.world.items
    assert shelf.key not in sim.world.items


async def test_splitting_and_merging(sim: PlexSim, real: Any) -> None:
    film = next(item for item in sim.world.listed(1, "movie") if len(sim.world.facts(item).media) == 1)
    sim.add_version(film, "sd")
    before = {media.id for media in sim.world.facts(film).media}

    def work(plex: PlexServer) -> None:
        plex.fetchItem(film.key).split()
        apart = plex.library.section("Movies").search(title=film.title)
        assert len(apart) == 2
        assert len({each.ratingKey for each in apart}) == 2
        assert len({each.guid for each in apart}) == 1
        other = next(each for each in apart if each.ratingKey != film.key)
        plex.fetchItem(film.key).merge(other.ratingKey)
        assert {media.id for media in plex.fetchItem(film.key).media} == before
        with pytest.raises(NotFound):
            plex.fetchItem(other.ratingKey)
        with pytest.raises(BadRequest):
            plex.fetchItem(sim.world.find("Solar Wake").key).split()

    await real.run(work)


async def test_what_cannot_be_merged(sim: PlexSim, ask: Any) -> None:
    film, show = sim.world.find("Low Orbit"), sim.world.listed(2, "show")[0]
    for ids in (str(film.key), str(show.key), "", "x"):
        status = (await ask.raw(f"/library/metadata/{film.key}/merge?ids={ids}", method="PUT"))[0]
        assert status in (400, 404), ids
    assert show.key in sim.world.items


async def test_matching(sim: PlexSim, real: Any) -> None:
    film = next(item for item in sim.world.listed(1, "movie") if sim.world.guid(item).startswith("local://"))
    orbit = sim.world.find("Low Orbit")

    def work(plex: PlexServer) -> None:
        one = plex.fetchItem(film.key)
        found = one.matches()
        assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
        one.fixMatch(searchResult=found[0])
        assert plex.fetchItem(film.key).guid == found[0].guid
        named = one.matches(title="Copper Sky", year=2016)
        assert (named[0].name, named[0].year) == ("Copper Sky", "2016")
        one.fixMatch(searchResult=named[1])
        one.reload()
        assert (one.title, one.guid) == (named[1].name, named[1].guid)
        one.unmatch()
        assert plex.fetchItem(film.key).guid == f"local://{film.key}"
        movies = plex.library.section("Movies")
        imdb = next(guid.id for guid in plex.fetchItem(orbit.key).guids if guid.id.startswith("imdb"))
        assert movies.getGuid(imdb).ratingKey == orbit.key

    await real.run(work)


async def test_refreshing_and_analyzing_one_title(sim: PlexSim, real: Any, ear: Ear) -> None:
    film = sim.world.find("Low Orbit")
    sim.clock.jump(120)

    def work(plex: PlexServer) -> None:
        plex.fetchItem(film.key).refresh()
        plex.fetchItem(film.key).analyze()

    await real.run(work)
    heard = await ear.until("activity", event="ended")
    assert {"library.refresh.items"} == {entry["Activity"]["type"] for entry in heard if entry["kind"] == "activity"}
    assert film.updated_at == int(sim.clock.now())


async def test_a_scan_finds_what_came_and_misses_what_went(sim: PlexSim, real: Any, ask: Any, ear: Ear) -> None:
    gone = sim.world.find("Low Orbit")
    sim.place(Item(0, "movie", "Fresh Paint", 1, int(sim.clock.now()), 2026, 5_400_000))
    sim.lose(gone)
    await real.run(lambda plex: plex.library.section("Movies").update())
    row = (await ask.json("/activities"))["Activity"][0]
    assert (row["type"], row["progress"], row["Context"]) == ("library.update.section", 0, {"librarySectionID": "1"})
    assert (await ask.raw(f"/activities/{row['uuid']}", method="DELETE"))[0] == 400  # a scan is stopped otherwise
    heard = [*await ear.work_done(SCAN_S), *await ear.until("status", notificationName="LIBRARY_UPDATE")]
    progress = [entry["Activity"]["progress"] for entry in heard if entry.get("event") == "updated"]
    assert progress == sorted(progress)
    states = [(entry["title"], entry["state"]) for entry in heard if entry["kind"] == "timeline"]
    assert states == [("Fresh Paint", 0), ("Fresh Paint", 5), ("Low Orbit", 5)]
    found = await ask.json("/library/sections/1/all?trash=1")
    assert [(row["title"], row["deletedAt"] > 0) for row in found["Metadata"]] == [("Low Orbit", True)]
    await real.run(lambda plex: plex.library.section("Movies").emptyTrash())
    heard = await ear.until("timeline", state=9)
    assert heard[-1]["title"] == "Low Orbit"
    assert gone.key not in sim.world.items


async def test_a_scan_of_a_folder_finds_only_what_is_in_it(sim: PlexSim, ask: Any, ear: Ear) -> None:
    for title in ("Fresh Paint", "Wet Paint"):
        sim.place(Item(0, "movie", title, 1, int(sim.clock.now()), 2026, 5_400_000))
    await ask.raw("/library/sections/1/refresh?path=/media/Movies/Wet%20Paint%20(2026)")
    await ear.work_done(SCAN_S)
    titles = {item.title for item in sim.world.listed(1, "movie")}
    assert "Wet Paint" in titles
    assert "Fresh Paint" not in titles


async def test_a_cancelled_scan_finds_nothing(sim: PlexSim, real: Any, ear: Ear) -> None:
    sim.place(Item(0, "movie", "Fresh Paint", 1, int(sim.clock.now()), 2026, 5_400_000))

    def work(plex: PlexServer) -> None:
        movies = plex.library.section("Movies")
        movies.update()
        assert plex.library.sectionByID(1).reload().refreshing is True
        movies.cancelUpdate()

    await real.run(work)
    await ear.until("activity", event="ended")
    sim.clock.jump(60)
    await ear.until("status")
    assert sim.world.sections[1].is_refreshing is False
    with pytest.raises(LookupError):
        sim.world.find("Fresh Paint")


async def test_one_version_in_the_trash(sim: PlexSim, ask: Any) -> None:
    film = sim.world.find("Low Orbit")
    made = sim.add_version(film, "sd")
    sim.trash(film, made.id)
    shown = (await ask.json(f"/library/metadata/{film.key}"))["Metadata"][0]
    assert "deletedAt" not in shown
    assert [media["id"] for media in shown["Media"] if "deletedAt" in media] == [made.id]
    await ask.raw("/library/sections/1/emptyTrash", method="PUT")
    shown = (await ask.json(f"/library/metadata/{film.key}"))["Metadata"][0]
    assert made.id not in {media["id"] for media in shown["Media"]}


async def test_butler_tasks_run_and_can_be_cancelled(sim: PlexSim, real: Any, ask: Any, ear: Ear) -> None:
    def start(plex: PlexServer) -> list[str]:
        plex.runButlerTask("OptimizeDatabase")
        plex.runButlerTask("BackupDatabase")
        with pytest.raises(BadRequest):
            plex.runButlerTask("MakeTea")
        return [activity.title for activity in plex.activities]

    assert await real.run(start) == ["Optimize Database", "Backup Database"]
    assert (await ask.raw("/butler/BackupDatabase", method="POST"))[0] == 202
    rows = (await ask.json("/activities"))["Activity"]
    assert (await ask.raw(f"/activities/{rows[0]['uuid']}", method="DELETE"))[0] == 200
    assert (await ask.raw(f"/activities/{rows[0]['uuid']}", method="DELETE"))[0] == 404
    assert (await ask.raw("/butler/OptimizeDatabase", method="DELETE"))[0] == 404
    heard = await ear.until("activity", event="ended", uuid=rows[0]["uuid"])
    for _ in range(STEPS):
        sim.clock.jump(TASK_S / STEPS)
        heard += await ear.until("activity", event="updated", uuid=rows[1]["uuid"])
    await ear.until("activity", event="ended", uuid=rows[1]["uuid"])
    assert [entry["uuid"] for entry in heard if entry.get("event") == "ended"] == [rows[0]["uuid"]]
    assert (await ask.json("/activities"))["size"] == 0


async def test_tidying_the_whole_library(sim: PlexSim, real: Any) -> None:
    def work(plex: PlexServer) -> set[str]:
        plex.library.cleanBundles()
        plex.library.optimize()
        plex.library.update()
        plex.library.cancelUpdate()
        movies = plex.library.section("Movies")
        movies.analyze()
        movies.deleteMediaPreviews()
        movies.edit(name="Films", agent="tv.plex.agents.movie")
        assert plex.library.reload().section("Films").key == 1
        return {activity.type for activity in plex.activities}

    assert await real.run(work) >= {"butler.clean.bundles", "database.optimize", "media.analyze"}


async def test_a_library_is_removed(sim: PlexSim, real: Any, ear: Ear) -> None:
    before = len(sim.world.items)
    count = sum(item.section == 2 for item in sim.world.items.values())

    def work(plex: PlexServer) -> None:
        shows = plex.library.section("TV Shows")
        shows.delete()
        with pytest.raises(NotFound):
            plex.library.reload().section("TV Shows")
        with pytest.raises(NotFound):
            shows.all()

    await real.run(work)
    await ear.until("timeline", sectionID="2", state=9)
    assert len(sim.world.items) == before - count
    assert count > 0


MEMBERS_MAY_NOT = [
    ("PUT", "/library/sections/1/all?id={film}&title.value=x"), ("DELETE", "/library/metadata/{film}"),
    ("DELETE", "/library/metadata/{film}/media/1"), ("PUT", "/library/metadata/{film}/split"),
    ("PUT", "/library/metadata/{film}/merge?ids=1"), ("GET", "/library/metadata/{film}/matches?manual=1"),
    ("PUT", "/library/metadata/{film}/match?guid=x"), ("PUT", "/library/metadata/{film}/unmatch"),
    ("PUT", "/library/metadata/{film}/refresh"), ("GET", "/library/metadata/{film}/refresh"),
    ("PUT", "/library/metadata/{film}/analyze"), ("GET", "/library/sections/1/refresh"),
    ("GET", "/library/sections/all/refresh"), ("PUT", "/library/sections/1/emptyTrash"),
    ("PUT", "/library/sections/1/analyze"), ("DELETE", "/library/sections/1"), ("PUT", "/library/sections/1?name=x"),
    ("POST", "/library/collections?sectionId=1&title=x&uri=x"), ("PUT", "/library/collections/{shelf}/items?uri=x"),
    ("DELETE", "/library/collections/{shelf}"), ("POST", "/butler/BackupDatabase"), ("GET", "/butler"),
    ("GET", "/activities"), ("DELETE", "/activities/x"), ("DELETE", "/status/sessions/history/1"),
    ("PUT", "/:/prefs?FriendlyName=x"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), MEMBERS_MAY_NOT)
async def test_what_only_the_owner_may_change(sim: PlexSim, ask: Any, method: str, path: str) -> None:
    film, shelf = sim.world.find("Low Orbit"), sim.world.listed(1, "collection")[0]
    before = sim.world.revision
    asked = path.format(film=film.key, shelf=shelf.key)
    assert (await ask.raw(asked, method=method, token=sim.token_of("Marcus")))[0] == 403
    assert sim.world.revision == before
