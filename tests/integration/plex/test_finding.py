"""Finding titles for playback: the search, the servers themselves while it is not ready, never what is not seen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import Connection, delete

from daemon.core.errors import UserError
from daemon.core.ids import AccountId, GuildId, MemberId
from daemon.core.media import Title, TitleKind, TitleRef
from daemon.core.shares import Share
from daemon.core.visibility import LibraryRef, Visibility
from daemon.data import bindings, guilds, links, people
from daemon.data.bindings import WHOLE, Binding
from daemon.data.library.tables import library_titles
from daemon.modules.playback.finding import Finding
from daemon.modules.playback.known_playlists import KnownPlaylists
from daemon.modules.playback.orders import Asker
from daemon.modules.playback.sight import Sight, is_hidden
from daemon.services.library import Mirror, Search, Shelves
from daemon.services.visibility import VisibilityService
from integrations.plex.parse import NO_KEY
from simulators.plex.household import LIVING_ROOM
from tests.integration.plex.stage import ATTIC, Stage, until
from tests.simtime import SimTime

HOME = GuildId(1)
ALICE = Asker(MemberId(5), HOME)


@dataclass
class Desk:
    stage: Stage
    search: Search
    finding: Finding
    sight: Sight
    visibility: VisibilityService
    playlists: KnownPlaylists

    async def bind(self, *keys: str) -> None:
        now = SimTime(self.stage.sim.clock).now()
        for key in keys:
            await self.stage.store.write(lambda tx, key=key: bindings.bind(tx, HOME, Binding(ATTIC, key), now))  # type: ignore[misc]
        await self.visibility.changed()

    async def mirror(self) -> None:
        clock = SimTime(self.stage.sim.clock)
        mirror = Mirror(self.stage.store, clock, self.stage.metrics, process="one")
        await mirror.sync(self.stage.plex.mirrors()[0])
        await self.search.catch_up()

    async def found(self, text: str) -> list[str]:
        return [title.name for title in (await self.finding.find(text, ALICE, 25)).titles]

    async def suggested(self, text: str) -> list[str]:
        return [title.name for title in await self.finding.suggest(text, ALICE)]


@pytest_asyncio.fixture
async def desk(stage: Stage, tmp_path: Path) -> AsyncIterator[Desk]:
    visibility = VisibilityService(stage.store, stage.cache)
    sight = Sight(stage.plex, Shelves(stage.store), visibility)
    search = Search(stage.store, tmp_path / "search.sqlite3", stage.supervisor)
    playlists = KnownPlaylists(stage.plex, stage.live)
    stage.supervisor.start("playlists", playlists.follow, owner="test")
    now = SimTime(stage.sim.clock).now()
    await stage.store.write(lambda tx: guilds.ensure_guild(tx, HOME, None, now))
    yield Desk(stage, search, Finding(search, stage.live, playlists, sight), sight, visibility, playlists)
    await stage.supervisor.cancel("test")
    await search.stop()


async def test_while_nothing_is_read_the_servers_are_asked(desk: Desk) -> None:
    finds = await desk.finding.find("low orbit", ALICE, 25)
    assert finds.titles[0].name == "Low Orbit"
    assert (finds.is_complete, finds.is_ready) == (True, False)
    assert (await desk.suggested("low orb"))[0] == "Low Orbit"
    nothing = await desk.finding.find("xyzzy plugh", ALICE, 25)
    assert (nothing.titles, nothing.is_ready) == ((), False)


async def test_what_the_servers_find_is_narrowed_by_the_library_they_tell(desk: Desk) -> None:
    assert "Overtime" in await desk.found("overtime")
    await desk.bind("1")
    assert await desk.found("overtime") == []  # the mirror has not even taken note of the library of films
    await desk.mirror()
    assert "Low Orbit" in await desk.found("low orbit")
    assert await desk.found("overtime") == []


async def test_a_title_that_is_not_mirrored_yet_is_found_but_not_by_an_account_that_labels_narrow(desk: Desk) -> None:
    await desk.mirror()
    film = desk.stage.sim.world.find("Low Orbit")
    await desk.stage.store.write(lambda tx: _forget(tx, film.key))
    assert "Low Orbit" in await desk.found("low orbit")
    await _narrow(desk, {"movie": "label=Kids"})
    sees = await desk.visibility.of(ALICE.member_id, HOME)
    assert LibraryRef(ATTIC, "1") in sees.restrictions
    assert await desk.found("low orbit") == []
    assert "Overtime" in await desk.found("overtime")


async def test_once_all_is_read_no_server_is_asked(desk: Desk) -> None:
    await desk.mirror()
    desk.stage.sim.faults.add("/hubs/search", "hold")
    assert (await desk.suggested("low orb"))[0] == "Low Orbit"
    finds = await desk.finding.find("low orbit", ALICE, 25)
    assert (finds.titles[0].name, finds.is_complete, finds.is_ready) == ("Low Orbit", True, True)
    assert desk.stage.asked("/hubs/search") == []
    nothing = await desk.finding.find("xyzzy plugh", ALICE, 25)
    assert (nothing.titles, nothing.is_complete) == ((), False)  # they may know more than the mirror


async def test_playlists_stand_among_titles_for_those_who_see_the_server_whole(desk: Desk) -> None:
    await desk.mirror()
    await until(lambda: desk.playlists.recall())
    assert "Rainy Sunday" in await desk.suggested("rainy")
    assert "Rainy Sunday" in await desk.found("rainy sunday")
    await desk.bind("1", "2", "3")
    assert "Rainy Sunday" not in await desk.suggested("rainy")
    assert "Rainy Sunday" not in await desk.found("rainy sunday")


@pytest.mark.parametrize("text", ["", "   "])
async def test_nothing_typed_shows_what_is_new(desk: Desk, text: str) -> None:
    await desk.mirror()
    newest = max(desk.stage.sim.world.listed(None, "movie"), key=lambda item: item.added_at)
    assert newest.title in await desk.suggested(text)
    assert len(await desk.suggested(text)) == 25


async def test_in_a_direct_message_somebody_without_a_link_finds_and_sees_nothing(desk: Desk) -> None:
    await desk.mirror()
    private = Asker(MemberId(6), None)
    assert (await desk.finding.find("low orbit", private, 25)).titles == ()
    assert await desk.finding.suggest("", private) == []
    desk.stage.sim.play(LIVING_ROOM, "Low Orbit")
    now = await desk.sight.now_playing(private)
    assert (now.playbacks, now.failures, now.is_blind) == ((), {}, False)
    assert (await desk.sight.roster(private)).players == ()
    assert await desk.sight.playback(desk.stage.player(LIVING_ROOM), private) is None
    with pytest.raises(UserError, match="no Plex server named attic"):
        await desk.sight.title(desk.stage.title("Low Orbit"), private)


async def test_live_television_is_seen_by_those_who_see_the_server_whole(desk: Desk) -> None:
    await desk.mirror()
    desk.stage.sim.play(LIVING_ROOM, "Low Orbit")
    (film,) = (await desk.sight.now_playing(ALICE)).playbacks
    live = replace(film, title=Title(TitleRef(ATTIC, NO_KEY), TitleKind.CLIP, "The Evening News"))
    assert await desk.sight.playbacks([live], ALICE) == [live]
    await desk.bind("1", "2", "3", "4")
    (hidden,) = await desk.sight.playbacks([live], ALICE)
    assert is_hidden(hidden.title)
    assert (hidden.account, hidden.duration_ms, hidden.audio) == (None, 0, ())
    assert hidden.player == live.player
    await desk.bind(WHOLE)
    assert await desk.sight.playbacks([live], ALICE) == [live]


async def test_a_show_of_which_a_part_is_hidden_is_told_so(desk: Desk) -> None:
    world = desk.stage.sim.world
    show = world.find("Overtime", "show")
    first, second = show.children[:2]
    for item in (show, *world.leaves(show)):
        world.edit(item, world.now + 1, content_rating="TV-MA" if item.parent is second else "TV-14")
    await desk.mirror()
    await _narrow(desk, {"show": "contentRating=TV-14"})
    title = await desk.sight.title(desk.stage.title(show), ALICE)
    assert not await desk.sight.is_whole(title, ALICE)
    with pytest.raises(UserError, match="no longer on the server"):
        await desk.sight.title(desk.stage.title(second.children[0]), ALICE)
    episode = await desk.sight.title(desk.stage.title(first.children[0]), ALICE)
    assert not await desk.sight.is_whole(episode, ALICE)  # what would follow it
    await desk.stage.plex.play(desk.stage.player(LIVING_ROOM), episode.ref, resume=False, shuffle=False, goes_on=False)
    queue = desk.stage.sim.players[LIVING_ROOM].queue
    assert queue is not None
    assert len(queue.entries) == 1


async def test_what_else_the_servers_tell_is_judged_by_the_mirror(desk: Desk) -> None:
    """Sessions and play queues: by their library, by the mirror where that is narrowed or not told."""
    await desk.mirror()
    shelves = Shelves(desk.stage.store)
    low, over = [await desk.stage.plex.title(desk.stage.title(name)) for name in ("Low Orbit", "Overtime")]
    one = Visibility(frozenset({LibraryRef(ATTIC, "1")}))
    assert await shelves.seen(one, [low, over]) == {low.ref}
    assert await shelves.seen(Visibility(), [low, over]) == {low.ref, over.ref}
    assert await shelves.seen(Visibility(frozenset()), [low, over]) == set()


def _forget(tx: Connection, rating_key: int) -> None:
    tx.execute(delete(library_titles).where(library_titles.c.rating_key == rating_key))


async def _narrow(desk: Desk, filters: dict[str, str]) -> None:
    """Alice is linked to an account that is narrowed so."""
    now = SimTime(desk.stage.sim.clock).now()
    share = Share(None, filters)

    def unit(tx: Connection) -> None:
        profile_id = people.ensure_member(tx, ALICE.member_id, "alice", now)
        account = AccountId(100)
        links.add(tx, links.NewLink(account, profile_id, "Alice", links.Proof.PIN, None, ()), now)
        links.set_shares(tx, account, {ATTIC: share}, now)

    await desk.stage.store.write(unit)
    await desk.visibility.changed()
