"""The real plexapi against the simulator: the calls that a daemon makes, none of them to an unknown route."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from plexapi.client import PlexClient
from plexapi.exceptions import BadRequest, NotFound, Unauthorized
from plexapi.myplex import MyPlexAccount, MyPlexResource
from plexapi.playqueue import PlayQueue
from plexapi.server import PlexServer

from simulators.plex.sim import PlexSim

SOLS = ["Solar Wake", "The Solitary Mile", "Solstice Run"]


@pytest.fixture(autouse=True)
def no_unknown_route(sim: PlexSim) -> Iterator[None]:
    yield
    assert sim.unknown_routes == []


async def test_connecting_and_sections(sim: PlexSim, real: Any) -> None:
    def work(plex: PlexServer) -> list[tuple[str, str]]:
        assert plex.machineIdentifier == sim.machine_id
        assert plex.myPlexSubscription is True
        return [(section.title, section.type) for section in plex.library.sections()]

    assert await real.run(work) == [
        ("Movies", "movie"), ("TV Shows", "show"), ("Music", "artist"), ("Kids", "movie"), ("Photos", "photo"),
    ]  # fmt: skip


async def test_listing_and_searching_a_library(sim: PlexSim, real: Any) -> None:
    def work(plex: PlexServer) -> None:
        movies = plex.library.section("Movies")
        everything = movies.all(container_size=20)
        assert len(everything) == movies.totalSize == len(sim.world.listed(1, "movie"))
        assert len({film.ratingKey for film in everything}) == len(everything)
        assert [film.title for film in movies.search(title="sol")] == SOLS
        newest = movies.search(sort="addedAt:desc", maxresults=10)
        assert len(newest) == 10
        assert newest == movies.recentlyAdded(maxresults=10)
        assert all(film.year > 2020 for film in movies.search(filters={"year>>": 2020}))
        mysteries = movies.search(genre="Mystery", unwatched=True)
        assert mysteries
        assert not any(film.isPlayed for film in mysteries)
        assert {choice.title for choice in movies.listFilterChoices("genre")} >= {"Drama", "Mystery"}
        assert movies.get("Low Orbit").year == 2022
        assert len(movies.collections()) == 2
        assert movies.collections()[0].items()
        assert plex.library.section("TV Shows").searchEpisodes(title="low tide")
        assert movies.firstCharacter()
        assert plex.library.section("TV Shows").onDeck()

    await real.run(work)


async def test_searching_everywhere(sim: PlexSim, real: Any) -> None:
    def work(plex: PlexServer) -> None:
        assert {film.title for film in plex.search("sol", mediatype="movie")} == set(SOLS)
        found = {(result.TYPE, result.title) for result in plex.search("velvet")}
        assert ("movie", "Velvet Machine") in found
        assert [item.title for item in plex.library.search("low orbit")] == ["Low Orbit"]
        assert plex.library.recentlyAdded()
        assert plex.library.onDeck()
        assert plex.continueWatching()
        assert plex.library.hubs()

    await real.run(work)


async def test_details_and_what_is_below(sim: PlexSim, real: Any) -> None:
    film, show = sim.world.find("Solstice Run"), sim.world.find("Harrow Street")

    def work(plex: PlexServer) -> None:
        one = plex.fetchItem(film.key)
        assert one.title == "Solstice Run"
        assert one.section().title == "Movies"
        assert {stream.streamType for stream in one.media[0].parts[0].streams} >= {1, 2}
        several = plex.fetchItems([film.key, show.key])
        assert [item.title for item in several] == ["Solstice Run", "Harrow Street"]
        series = several[1]
        assert [season.index for season in series.seasons()] == [0, 1, 2, 3]
        assert len(series.episodes()) == 28
        assert series.season(2).episodes()[0].seasonEpisode == "s02e01"
        assert series.episode(season=1, episode=3).index == 3
        artist = plex.library.section("Music").get("Juniper Coast")
        assert len(artist.albums()) == 3
        assert len(artist.tracks()) == 27
        assert artist.album("Tidewords").tracks()[0].duration > 0
        assert one.history() == []
        with pytest.raises(NotFound):
            plex.fetchItem(987_654)

    await real.run(work)


async def test_watched_state_and_ratings(sim: PlexSim, real: Any) -> None:
    film = next(item for item in sim.world.listed(1, "movie") if not sim.world.view(1, item).count)

    def work(plex: PlexServer) -> None:
        one = plex.fetchItem(film.key)
        one.markPlayed()
        assert plex.fetchItem(film.key).isPlayed
        one.markUnplayed()
        one.updateProgress(600_000)
        assert plex.fetchItem(film.key).viewOffset == 600_000
        one.rate(8)
        assert plex.fetchItem(film.key).userRating == 8
        one.updateTimeline(700_000, state="playing")

    await real.run(work)
    assert sim.world.view(1, film).offset_ms == 700_000


async def test_playlists(sim: PlexSim, real: Any) -> None:
    first, second = sim.world.find("Low Orbit").key, sim.world.find("Blue Hour").key

    def work(plex: PlexServer) -> None:
        assert {playlist.title for playlist in plex.playlists()} >= {"Rainy Sunday", "Kitchen Dancing"}
        assert plex.playlist("Kitchen Dancing").items()[0].type == "track"
        made = plex.createPlaylist("Mine", items=plex.fetchItems([first]))
        made.addItems(plex.fetchItems([second]))
        assert [item.title for item in made.reload().items()] == ["Low Orbit", "Blue Hour"]
        made.moveItem(made.items()[1])
        assert [item.title for item in made.reload().items()] == ["Blue Hour", "Low Orbit"]
        made.removeItems([made.items()[0]])
        made.editTitle("Renamed")
        assert plex.playlist("Renamed").items()[0].title == "Low Orbit"
        made.delete()
        assert "Renamed" not in {playlist.title for playlist in plex.playlists()}

    await real.run(work)


async def test_play_queues(sim: PlexSim, real: Any) -> None:
    keys = [sim.world.find(title).key for title in ("Low Orbit", "Blue Hour", "Ironwood")]

    def work(plex: PlexServer) -> None:
        one, two, three = plex.fetchItems(keys)
        queue = PlayQueue.create(plex, [one, two])
        assert [item.title for item in queue.items] == ["Low Orbit", "Blue Hour"]
        assert queue.selectedItem.title == "Low Orbit"
        queue.addItem(three)
        assert queue.playQueueVersion == 2
        queue.moveItem(queue.items[2], after=queue.items[0])
        assert [item.title for item in queue.items] == ["Low Orbit", "Ironwood", "Blue Hour"]
        queue.removeItem(queue.items[1])
        again = PlayQueue.get(plex, queue.playQueueID)
        assert [item.title for item in again.items] == ["Low Orbit", "Blue Hour"]
        again.clear()
        assert [item.title for item in PlayQueue.get(plex, queue.playQueueID).items] == ["Low Orbit"]
        show = plex.library.section("TV Shows").get("Overtime")
        assert len(PlayQueue.create(plex, show).items) == 22
        assert len(PlayQueue.fromStationKey(plex, plex.fetchItem(keys[0]).key).items) == 1

    await real.run(work)


@pytest.mark.parametrize("name", ["Living Room TV", "Bedroom Shield"])
async def test_controlling_a_player(sim: PlexSim, real: Any, name: str) -> None:
    season = sim.world.find("Polar Mail").children[1]
    is_proxied = name == "Bedroom Shield"

    def begin(plex: PlexServer) -> PlexClient:
        player = plex.client(name)
        player.proxyThroughServer(is_proxied)
        player.playMedia(plex.fetchItem(season.key), offset=60_000)
        return player

    client = await real.run(begin)
    sim.clock.jump(5.5)
    player = sim.players[name]
    assert player.state == "playing"
    assert player.position_ms(sim.clock.now()) == 65_000

    def control(plex: PlexServer) -> None:
        video = next(timeline for timeline in client.timelines(wait=0) if timeline.type == "video")
        assert (video.state, video.time, video.volume) == ("playing", 65_000, 100)
        session = next(session for session in plex.sessions() if session.player.title == name)
        assert (session.title, session.viewOffset, session.usernames) == (season.children[0].title, 65_000, ["Olivia"])
        client.pause()
        client.seekTo(90_000)
        client.setVolume(40)
        client.setRepeat(1)
        item = session.source()
        streams = [stream for stream in item.media[0].parts[0].streams if stream.streamType == 3]
        if streams:
            client.setSubtitleStream(streams[0].id)
        client.skipNext()
        client.skipTo(f"/library/metadata/{season.children[4].key}")
        client.skipPrevious()

    await real.run(control)
    assert player.volume == 40
    assert player.repeat == 1
    assert player.item is season.children[3]
    assert player.stale_commands == 0
    sim.clock.jump(1)

    def finish(plex: PlexServer) -> None:
        client.stop()
        assert name not in [session.player.title for session in plex.sessions()]

    await real.run(finish)


async def test_players_that_cannot_be_reached(sim: PlexSim, real: Any) -> None:
    film = sim.world.find("Low Orbit").key
    chrome = sim.players["Plex Web (Chrome)"].spec

    def work(plex: PlexServer) -> None:
        with pytest.raises(NotFound):
            plex.client(chrome.title)
        with pytest.raises(NotFound):
            plex.query("/player/playback/pause", headers={"X-Plex-Target-Client-Identifier": chrome.id})
        plexamp = plex.client("Kitchen Plexamp")
        with pytest.raises(BadRequest):
            plexamp.playMedia(plex.fetchItem(film))
        plexamp.playMedia(plex.library.section("Music").get("Juniper Coast"))

    await real.run(work)
    assert sim.players["Kitchen Plexamp"].item is not None


async def test_the_rest_of_the_server(sim: PlexSim, real: Any) -> None:
    def work(plex: PlexServer) -> None:
        assert [account.name for account in plex.systemAccounts()] == ["", "Olivia", "Marcus", "Yuki", "Juno"]
        assert len(plex.systemDevices()) == len(sim.players)
        assert plex.activities == []
        assert plex.settings.get("FriendlyName").value == "Marquee House"
        assert plex.transcodeSessions()
        assert plex.createToken().startswith("transient-")
        assert plex.butlerTasks()
        assert plex.history() == []
        assert len(plex.clients()) == 5
        stopped = plex.sessions()[0]
        stopped.stop("late")
        assert len(plex.sessions()) == 2

    await real.run(work)
    assert len(sim.server.history) == 1


async def test_a_friend_sees_what_is_shared_and_no_sessions(sim: PlexSim, real: Any) -> None:
    def work(plex: PlexServer) -> None:
        assert [section.title for section in plex.library.sections()] == ["TV Shows", "Music"]
        with pytest.raises(BadRequest, match="403"):
            plex.sessions()
        with pytest.raises(NotFound):
            plex.fetchItem(sim.world.find("Low Orbit").key)
        assert plex.search("low orbit") == []

    await real.run(work, token=sim.token_of("Yuki"))
    with pytest.raises(Unauthorized):
        await real.run(lambda plex: None, token="nobody")


async def test_plex_tv_with_the_real_account_class(sim: PlexSim, real: Any) -> None:
    class Account(MyPlexAccount):  # type: ignore[misc]
        """plex.tv's address is written into plexapi."""

        key = f"{sim.account_url}/api/v2/user"

    def work(plex: PlexServer) -> tuple[str, bool]:
        account = Account(token=sim.token, session=plex._session)
        with pytest.raises(Unauthorized):
            Account(token="nobody", session=plex._session)
        return account.username, account.subscriptionActive

    assert await real.run(work) == ("Olivia", True)


async def test_a_guest_by_the_real_account_class_and_their_playlists(sim: PlexSim, real: Any) -> None:
    class Account(MyPlexAccount):  # type: ignore[misc]
        """plex.tv's address is written into plexapi."""

        key = f"{sim.account_url}/api/v2/user"

    def work(plex: PlexServer) -> list[list[str]]:
        account = Account(token=sim.account_token_of("Marcus"), session=plex._session)
        rows = account.query(f"{sim.account_url}/api/v2/resources?includeHttps=1&includeRelay=1")
        resource = MyPlexResource(account, next(row for row in rows if row.get("provides") == "server"))
        assert resource.accessToken == sim.token_of("Marcus") != account.authToken
        guest = PlexServer(sim.url, resource.accessToken, session=plex._session)
        first, second = guest.library.section("Movies").all()[:2]
        made = guest.createPlaylist("Rainy Days", items=[first])
        made.addItems([second, first])
        there = [[item.title for item in guest.playlist("Rainy Days").items()]]
        made.reload().removeItems(made.items()[0])
        there.append([item.title for item in guest.playlist("Rainy Days").items()])
        assert "Rainy Days" not in [one.title for one in plex.playlists()]
        first.rate(7)
        first.markPlayed()
        mine, owners = guest.fetchItem(first.ratingKey), plex.fetchItem(first.ratingKey)
        assert (mine.userRating, mine.isPlayed, owners.userRating) == (7.0, True, None)
        guest.playlist("Rainy Days").delete()
        return [[first.title, second.title], *there]

    (first, second), before, after = await real.run(work)
    assert before == [first, second, first]
    assert after == [second, first]
