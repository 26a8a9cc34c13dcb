"""Playback for those who may not see everything: two guilds, narrowed accounts, pasted references.

The house sees the films of the attic and nothing else; another guild, the club, sees all of the cellar. Of the attic's
films one in twenty is for children; Marcus, whose account is narrowed to these, is linked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from simulators.discord.user import Shown
from simulators.plex.items import Item
from simulators.plex.sim import PlexSim
from tests.acceptance.stage import LIVING_ROOM, ROKU, SHIELD, Member, Stage, answered, open_stage
from tests.acceptance.test_linking import link

pytestmark = pytest.mark.asyncio(loop_scope="module")
FROM_TOP_TO_BOTTOM = True

HIDDEN = "Something not shown here"
GONE = "That title is no longer on the server."
KIDS = "Kids"


@dataclass
class Evening:
    """Two guilds and two servers; `marcus` may control players, and is linked."""

    stage: Stage
    cellar: PlexSim
    olivia: Member
    club: Member  # its owner, in it
    marcus: Member

    @property
    def show(self) -> Item:
        return self.stage.named_once("show")[0]

    @property
    def kids(self) -> list[Item]:
        return [film for film in self.stage.plex.world.listed(1, "movie") if KIDS in film.given.get("labels", ())]

    @property
    def grown(self) -> Item:
        """A film that is not for children, whose name means it alone."""
        return next(film for film in self.stage.named_once("movie") if film.section == 1 and film not in self.kids)

    async def bind(self, what: str, **options: str) -> None:
        shown = await self.olivia.slash(what, **options)
        await shown.until("This server")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_evening() -> AsyncIterator[Evening]:
    async with (
        open_stage(is_started=False) as stage,
        PlexSim(seed=8, life=False, clock=stage.clock, name="Cellar", buffering_s=0.1) as cellar,
    ):
        stage.plex.join(cellar)
        stage.settings |= {
            "MARQUEE_OWNERS": str(stage.lab.user("olivia").user_id),
            "MARQUEE_PLEX__SERVERS__CELLAR__URL": cellar.url,
            "MARQUEE_PLEX__SERVERS__CELLAR__TOKEN": cellar.token,
        }
        films = stage.plex.world.listed(1, "movie")
        for film in films[:: max(1, len(films) // max(3, len(films) // 20))]:
            stage.plex.edit(film, labels=(KIDS,))
        stage.plex.restrict("Marcus", sections=None, filter_movies=f"label={KIDS}")
        await stage.start()
        yield await prepared(stage, cellar)
        await stage.stop()


async def prepared(stage: Stage, cellar: PlexSim) -> Evening:
    world = stage.lab.world
    olivia = Member(stage.lab.user("olivia"), stage.guest().channel)
    marcus = stage.controller()
    guild = world.add_guild("Club", olivia.user.person)
    for app in world.apps.values():
        world.join(guild, app.person)
    lounge = world.add_channel(guild, "lounge")
    club = Member(olivia.user.in_guild(guild), lounge.channel_id)
    evening = Evening(stage, cellar, olivia, club, marcus)
    await answered(await stage.guest().slash("now"))  # the house is met first
    await evening.bind("bind", server="attic", library="Movies")
    shown = await club.slash("bind", server="cellar")
    await shown.until("This server now sees")
    shown = await link(stage, marcus, "Marcus")
    await shown.until("Your Plex account is linked.")
    return evening


@pytest.fixture
def evening(shared_evening: Evening) -> Any:
    shared_evening.stage.clear()
    yield shared_evening
    shared_evening.stage.clear()
    now = shared_evening.cellar.server.settle()
    for player in shared_evening.cellar.players.values():
        player.stop(now)


async def offered(member: Member, text: str, command: str = "play") -> set[str]:
    return {choice["value"] for choice in await member.type_in(command, "title", text)}


async def now_of(evening: Evening, member: Member, *wanted: str) -> Shown:
    found: list[Shown] = []

    async def is_there() -> bool:
        found[:] = [await answered(await member.slash("now"))]
        return all(text in found[0].text for text in wanted)

    await evening.stage.wait_for(is_there, f"/now to show {', '.join(wanted)}", 20)
    return found[0]


# ---------------------------------------------------------------- titles


@pytest.mark.parametrize("command", ["play", "queue add"])
async def test_only_titles_that_are_seen_are_offered(evening: Evening, command: str) -> None:
    house, film, show = evening.stage.controller(), evening.grown, evening.show
    assert f"t:attic:{film.key}" in await offered(house, film.title, command)
    assert await offered(house, show.title, command) == set()
    assert all(value.startswith("t:attic:") for value in await offered(house, "", command))
    assert all(value.startswith("t:cellar:") for value in await offered(evening.club, "", command))
    theirs = evening.cellar.world.listed(2, "show")[0]
    assert f"t:cellar:{theirs.key}" in await offered(evening.club, theirs.title, command)
    assert not any(value.startswith("t:cellar:") for value in await offered(house, theirs.title, command))


async def test_playlists_are_for_those_who_see_the_server_whole(evening: Evening) -> None:
    mine = evening.stage.plex.world.listed(None, "playlist")[0]
    theirs = evening.cellar.world.listed(None, "playlist")[0]
    house = evening.stage.controller()
    assert not any(choice.endswith(f":{mine.key}") for choice in await offered(house, mine.title))
    shown = await answered(await house.slash("play", title=f"t:attic:{mine.key}", player=LIVING_ROOM))
    assert GONE in shown.text

    async def is_offered() -> bool:
        return f"t:cellar:{theirs.key}" in await offered(evening.club, theirs.title)

    await evening.stage.wait_for(is_offered, "the playlist to be offered", 20)


async def test_what_is_not_seen_cannot_be_played_by_name_or_pasted_reference(evening: Evening) -> None:
    show, theirs = evening.show, evening.cellar.world.listed(1, "movie")[0]
    for command in ("play", "queue add"):
        for title, sentence in (
            (show.title, f"I found nothing called “{show.title}”."),
            (f"t:attic:{show.key}", GONE),
            (f"t:attic:{show.children[0].children[0].key}", GONE),
            ("t:attic:99999999", GONE),  # which there is not: the words are the same
            (f"t:cellar:{theirs.key}", "There is no Plex server named cellar any more."),
            ("t:nowhere:1", "There is no Plex server named nowhere any more."),
        ):
            house = evening.stage.controller()  # a new one each time: nobody is too fast
            shown = await answered(await house.slash(command, title=title, player=LIVING_ROOM))
            assert shown.text.startswith(sentence), (command, title)
            assert shown.is_private
    assert evening.stage.player(LIVING_ROOM).item is None


async def test_each_guild_plays_what_it_sees(evening: Evening) -> None:
    film = evening.grown
    shown = await evening.stage.controller().slash("play", title=film.title, player=LIVING_ROOM)
    await shown.until("▶ Playing")
    assert film.title in shown.text
    theirs = evening.cellar.world.listed(1, "movie")[0]
    shown = await evening.club.slash("play", title=f"t:cellar:{theirs.key}", player=SHIELD)
    await shown.until("▶ Playing")
    assert evening.cellar.players[SHIELD].item is theirs
    assert evening.stage.player(SHIELD).item is None


# ---------------------------------------------------------------- an account that is narrowed


async def test_who_sees_a_twentieth_is_offered_all_of_it_and_nothing_else(evening: Evening) -> None:
    kids = {f"t:attic:{film.key}" for film in evening.kids}
    films = evening.stage.plex.world.listed(1, "movie")
    assert 0 < len(kids) <= len(films) // 10
    for film in evening.kids:
        for text in (film.title, film.title[:3], film.title.split()[-1]):
            found = await offered(evening.marcus, text)
            assert f"t:attic:{film.key}" in found, text
            assert found <= kids
    for film in films:
        assert await offered(evening.marcus, film.title) <= kids
    assert await offered(evening.marcus, "") <= kids


async def test_a_narrowed_account_plays_no_other_title(evening: Evening) -> None:
    child, grown = evening.kids[0], evening.grown
    for title in (f"t:attic:{grown.key}", grown.title):
        shown = await answered(await evening.marcus.slash("play", title=title, player=ROKU))
        assert shown.is_private
        assert GONE in shown.text or "I found nothing called" in shown.text
    shown = await evening.marcus.slash("play", title=f"t:attic:{child.key}", player=ROKU)
    await shown.until("▶ Playing")
    assert child.title in shown.text
    assert evening.stage.player(ROKU).item is child


async def test_a_narrowed_account_is_told_only_that_something_plays(evening: Evening) -> None:
    grown = evening.grown
    evening.stage.plex.play(LIVING_ROOM, grown, offset_ms=600_000)
    card = await now_of(evening, evening.stage.guest(), grown.title)
    assert card.files
    hidden = await now_of(evening, evening.marcus, HIDDEN, f"on **{LIVING_ROOM}**")
    assert grown.title not in hidden.text
    assert "Olivia" not in hidden.text
    assert not hidden.files
    assert not hidden.options  # no tracks
    assert "Pause" in hidden.buttons
    evening.stage.clock.jump(30)  # the card is looked at again, and shows no more than before
    await hidden.click("Pause")
    await hidden.until("⏸ Paused")
    assert grown.title not in hidden.text


# ---------------------------------------------------------------- what plays


async def test_now_shows_each_guild_what_it_sees(evening: Evening) -> None:
    film, show, theirs = evening.grown, evening.show, evening.cellar.world.listed(1, "movie")[3]
    evening.stage.plex.play(LIVING_ROOM, film)
    evening.stage.plex.play(ROKU, show.children[0].children[0])
    evening.cellar.play(SHIELD, theirs)
    listing = await now_of(evening, evening.stage.guest(), film.title, HIDDEN, ROKU)
    assert show.title not in listing.text
    assert theirs.title not in listing.text
    assert SHIELD not in listing.text
    assert sorted(listing.options["Open a card"]) == sorted([LIVING_ROOM, ROKU])
    card = await listing.choose("Open a card", ROKU)
    await card.until(f"on **{ROKU}**")
    assert f"### {HIDDEN}" in card.text
    assert show.title not in card.text
    assert not card.files
    elsewhere = await now_of(evening, evening.club, theirs.title)
    assert film.title not in elsewhere.text
    assert HIDDEN not in elsewhere.text


async def test_players_of_a_server_that_is_not_seen_are_left_out(evening: Evening) -> None:
    guest, alice = evening.stage.guest(), evening.stage.controller()
    shown = await answered(await guest.slash("players"))
    assert "attic" in shown.text
    assert "cellar" not in shown.text
    there = evening.cellar.players[SHIELD].spec.id
    refused = await answered(await alice.slash("pause", player=f"p:cellar:{there}"))
    assert "That player is not there any more" in refused.text
    offered_here = await evening.stage.suggested(alice, "pause", "player", "")
    assert {choice["value"].split(":")[1] for choice in offered_here} == {"attic"}
    assert await alice.type_in("audio", "track", "", player=f"p:cellar:{there}") == []


async def test_a_server_that_is_not_seen_may_fail_unheard(evening: Evening) -> None:
    film = evening.grown
    evening.stage.plex.play(LIVING_ROOM, film)
    evening.cellar.faults.add(".", 503)
    try:
        shown = await now_of(evening, evening.stage.guest(), film.title)
        assert "cellar" not in shown.text
        evening.stage.clock.jump(6)
        assert "cellar" not in (await answered(await evening.stage.guest().slash("players"))).text
    finally:
        evening.cellar.faults.clear()


async def test_queues_tracks_and_positions_tell_nothing_of_a_title_that_is_not_seen(evening: Evening) -> None:
    alice, show = evening.stage.controller(), evening.show
    await evening.bind("bind", server="attic", library="TV Shows")
    shown = await alice.slash("play", title=f"t:attic:{show.key}", player=LIVING_ROOM)
    await shown.until("▶ Playing")
    assert show.title in shown.text
    await evening.bind("unbind", server="attic", library="TV Shows")
    evening.stage.clock.jump(16)
    await shown.until(HIDDEN)  # the card that stands there
    assert show.title not in shown.text
    assert not shown.files
    listing = await alice.slash("queue show", player=LIVING_ROOM)
    await listing.until(f"`1` ▶ **{HIDDEN}**") if "`1` " in listing.text else await listing.until(HIDDEN)
    assert show.title not in listing.text
    items = await alice.type_in("queue remove", "item", "", player=LIVING_ROOM)
    assert items
    assert all(HIDDEN in choice["name"] for choice in items)
    assert await alice.type_in("audio", "track", "", player=LIVING_ROOM) == []
    said = await answered(await alice.slash("audio", track="english", player=LIVING_ROOM))
    assert "What plays has no audio tracks to choose from." in said.text
    said = await answered(await alice.slash("seek", position="9:00:00", player=LIVING_ROOM))
    assert "What plays there is not that long" in said.text
    said = await answered(await alice.slash("seek", position="1:00", player=LIVING_ROOM))
    assert f"{LIVING_ROOM} is at 1:00." in said.text
    removed = await answered(await alice.slash("queue remove", item=items[-1], player=LIVING_ROOM))
    assert f"Removed {HIDDEN} from the queue" in removed.text


async def test_a_card_shows_no_more_after_a_restart(evening: Evening) -> None:
    grown = evening.grown
    evening.stage.plex.play(LIVING_ROOM, grown, offset_ms=600_000)
    card = await now_of(evening, evening.marcus, HIDDEN, f"on **{LIVING_ROOM}**")
    open_to_all = await now_of(evening, evening.stage.guest(), grown.title)
    guilds = evening.stage.lab.world.guilds
    evening.stage.settings["MARQUEE_DISCORD__GUILDS"] = ",".join(map(str, guilds))  # one that is in two wants a choice
    await evening.stage.restart()
    evening.stage.player(LIVING_ROOM).pause(evening.stage.clock.now())
    evening.stage.clock.jump(16)
    await open_to_all.until("⏸ Paused")
    await card.until("⏸ Paused")
    assert grown.title not in card.text
    assert grown.title in open_to_all.text
