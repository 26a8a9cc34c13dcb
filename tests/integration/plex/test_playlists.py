"""Playlists on people's own accounts: by entry, in pages, played, gone in the middle, and on a broken line."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from daemon.core.errors import UpstreamError, UserError
from daemon.core.ids import ProfileId
from integrations.plex.playlists import Playlist
from simulators.plex.items import Item
from simulators.plex.sim import PlexSim
from tests.integration.plex.people import People, gathered
from tests.integration.plex.stage import ATTIC, Stage


@pytest_asyncio.fixture
async def people(stage: Stage) -> AsyncIterator[People]:
    async with gathered(stage) as made:
        yield made


async def new(people: People, profile: ProfileId, *items: Item, name: str = "Rainy Days") -> Playlist:
    """A playlist of these titles."""
    titles = [await people.stage.plex.title(people.stage.title(item)) for item in items]
    ref = await people.playlists.create(profile, name, titles[0])
    playlist = await people.playlists.of(profile, ref)
    for title in titles[1:]:
        await people.playlists.add(profile, playlist, title)
    return await people.playlists.of(profile, ref)


def held(sim: PlexSim, playlist: Playlist) -> list[Item]:
    return [item for _, item in sim.world.members(sim.world.items[int(playlist.ref.rating_key)])]


async def test_one_of_two_copies_goes(people: People, sim: PlexSim) -> None:
    marcus = await people.link("Marcus")
    first, second = sim.world.listed(1, "movie")[:2]
    playlist = await new(people, marcus, first, second, first)
    assert (playlist.name, playlist.count, playlist.is_music, playlist.is_smart) == ("Rainy Days", 3, False, False)
    entries = await people.playlists.entries(marcus, playlist.ref)
    assert len({entry.entry_id for entry in entries}) == 3
    await people.playlists.remove(marcus, playlist, entries[0].entry_id)
    assert held(sim, playlist) == [second, first]
    with pytest.raises(UserError, match="not in the playlist any more"):
        await people.playlists.remove(marcus, playlist, entries[0].entry_id)
    assert held(sim, playlist) == [second, first]
    changes = [seen for seen in sim.requests if seen.path.startswith("/playlists") and seen.method != "GET"]
    assert {seen.header("X-Plex-Token") for seen in changes} == {sim.token_of("Marcus")}


async def test_a_long_one_is_read_in_pages(people: People, sim: PlexSim) -> None:
    olivia = await people.link("Olivia", keep=False)
    films = sim.world.listed(1, "movie")
    playlist = await new(people, olivia, films[0])
    members = [(n, films[n % len(films)]) for n in range(1, 621)]
    sim.world.set_members(sim.world.items[int(playlist.ref.rating_key)], members, 1)
    entries = await people.playlists.entries(olivia, playlist.ref)
    assert [entry.entry_id for entry in entries] == list(range(1, 621))


async def test_what_was_listed_is_offered_until_something_changes(people: People, sim: PlexSim) -> None:
    marcus = await people.link("Marcus")
    film = sim.world.listed(1, "movie")[0]
    await people.playlists.glance(marcus)
    asked = len(people.tokens("/playlists"))
    await people.playlists.glance(marcus)
    assert len(people.tokens("/playlists")) == asked
    await new(people, marcus, film)
    assert [one.name for one in await people.playlists.glance(marcus)] == ["Rainy Days"]


async def test_it_plays_title_after_title_with_the_servers_own_token(people: People, sim: PlexSim) -> None:
    marcus = await people.link("Marcus")
    films = sim.world.listed(1, "movie")[2:5]
    playlist = await new(people, marcus, *films)
    titles = [entry.title for entry in await people.playlists.entries(marcus, playlist.ref)]
    started = await people.playlists.play(people.stage.player("Living Room TV"), titles)
    assert started.name == films[0].title
    assert sim.players["Living Room TV"].item is films[0]
    queue = sim.server.queues.all()[-1]
    assert [entry.item for entry in queue.entries] == films
    assert people.tokens("/playQueues")[-1] == sim.token
    with pytest.raises(UserError, match="nothing in it"):
        await people.playlists.play(people.stage.player("Living Room TV"), [])


async def test_one_that_goes_in_the_middle(people: People, sim: PlexSim) -> None:
    marcus = await people.link("Marcus")
    film = sim.world.listed(1, "movie")[0]
    playlist = await new(people, marcus, film)
    title = await people.stage.plex.title(people.stage.title(film))
    sim.remove(sim.world.items[int(playlist.ref.rating_key)])
    for change in (
        people.playlists.add(marcus, playlist, title),
        people.playlists.delete(marcus, playlist),
        people.playlists.entries(marcus, playlist.ref),
        people.playlists.of(marcus, playlist.ref),
    ):
        with pytest.raises(UserError, match="not there any more") as refused:
            await change
        assert refused.value.code == "no_playlist"


@pytest.mark.parametrize("fault", ["drop", 503, "garbage"])
async def test_a_broken_line_is_no_missing_playlist(people: People, sim: PlexSim, fault: int | str) -> None:
    marcus = await people.link("Marcus")
    playlist = await new(people, marcus, sim.world.listed(1, "movie")[0])
    sim.faults.add(r"/playlists.*", fault)
    with pytest.raises(UpstreamError) as failure:
        await people.playlists.entries(marcus, playlist.ref)
    assert str(ATTIC) in failure.value.service
    sim.faults.clear()
    assert sim.world.items[int(playlist.ref.rating_key)].title == "Rainy Days"
