"""/playlist: each their own, on their own Plex account."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from simulators.discord.options import Refused
from simulators.discord.shown import Shown
from simulators.plex.items import Item
from tests.acceptance.household import MARCUS, OLIVIA, People, gathered, says
from tests.acceptance.stage import LIVING_ROOM, Stage, answered, open_owned_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")
FROM_TOP_TO_BOTTOM = True


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage() -> AsyncIterator[Stage]:
    """A daemon that belongs to olivia."""
    async with open_owned_stage() as stage:
        yield stage


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def everybody(shared_stage: Stage) -> People:
    """Linked once for all tests."""
    return await gathered(shared_stage)


@pytest.fixture
def people(stage: Stage, everybody: People) -> Iterator[People]:
    """Nobody has a playlist of their own but the owner."""
    yield everybody
    for item in list(stage.plex.world.listed(None, "playlist")):
        if item.owner != 1:
            stage.plex.remove(item)


def lists_of(people: People, name: str) -> dict[str, Item]:
    """An account's playlists by name, as Plex has them."""
    account = people.account(name)
    return {item.title: item for item in people.stage.plex.world.listed(None, "playlist") if item.owner == account}


def titles_in(people: People, name: str, playlist: str) -> list[Item]:
    """What is in one of them."""
    return [item for _, item in people.stage.plex.world.members(lists_of(people, name)[playlist])]


async def made(people: People, *films: Item, name: str = "Rainy Days") -> None:
    """Marcus has a playlist of these films."""
    says(await people.ask(people.marcus, "playlist create", name=name, title=ref(films[0])), "is there now")
    for film in films[1:]:
        says(await people.ask(people.marcus, "playlist add", playlist=name, title=ref(film)), "now")


def ref(item: Item) -> str:
    return f"t:attic:{item.key}"


async def test_it_begins_grows_and_shrinks(people: People) -> None:
    first, second = people.seen_by(MARCUS, "movie")[:2]
    shown = await people.ask(people.marcus, "playlist create", name="  Rainy\n Days ", title=first.title)
    says(shown, f"Rainy Days is there now, with {first.title}")
    says(shown, "1 title")
    assert titles_in(people, MARCUS, "Rainy Days") == [first]
    offered = await people.marcus.type_in("playlist add", "playlist", "rain")
    assert [one["name"] for one in offered] == ["Rainy Days · 1 title"]
    shown = await people.ask(people.marcus, "playlist add", playlist=offered[0]["value"], title=ref(second))
    says(shown, f"{second.title} ({second.year}) is in Rainy Days now.")
    assert titles_in(people, MARCUS, "Rainy Days") == [first, second]
    shown = await people.ask(people.marcus, "playlist show", playlist="rainy days")
    assert shown.text.index(first.title) < shown.text.index(second.title)
    entries = await people.marcus.type_in("playlist remove", "title", "", playlist=offered[0]["value"])
    assert [one["name"].split(".")[0] for one in entries] == ["1", "2"]
    shown = await people.ask(people.marcus, "playlist remove", playlist="Rainy Days", title=entries[0]["value"])
    says(shown, f"Took {first.title} ({first.year}) out of Rainy Days.")
    assert titles_in(people, MARCUS, "Rainy Days") == [second]
    says(await people.ask(people.marcus, "playlist create", name="rainy days", title=ref(first)), "already")


async def test_a_show_brings_all_its_episodes(people: People) -> None:
    show = people.seen_by(MARCUS, "show")[0]
    episodes = people.stage.plex.world.leaves(show)
    says(await people.ask(people.marcus, "playlist create", name="Binge", title=ref(show)), f"{len(episodes)} title")
    assert titles_in(people, MARCUS, "Binge") == episodes
    shown = await people.ask(people.marcus, "playlist add", playlist="Binge", title=ref(episodes[1]))
    says(shown, "is in Binge already. Add it once more?")
    shown = await people.ask(people.marcus, "playlist add", playlist="Binge", title=ref(show))
    says(shown, f"{len(episodes)} of its episodes are in it.")
    await shown.click("Cancel")
    await shown.until("Nothing was changed.")
    assert titles_in(people, MARCUS, "Binge") == episodes


async def test_the_same_title_twice_is_asked_about_and_one_copy_can_go(people: People) -> None:
    film, other = people.seen_by(MARCUS, "movie")[:2]
    await made(people, film, other)
    shown = await people.ask(people.marcus, "playlist add", playlist="Rainy Days", title=ref(film))
    says(shown, "At place 1.")
    await shown.click("Add it once more")
    await shown.until("is in Rainy Days now")
    assert titles_in(people, MARCUS, "Rainy Days") == [film, other, film]
    shown = await people.ask(people.marcus, "playlist remove", playlist="Rainy Days", title=film.title)
    says(shown, "Several entries fit. Which one?")
    third = next(one for one in shown.options["Choose"] if one.startswith("3."))
    await shown.choose("Choose", third)
    await shown.until("It was at place 3.")
    assert titles_in(people, MARCUS, "Rainy Days") == [film, other]


async def test_deleting_shows_what_goes_and_asks_once(people: People) -> None:
    film = people.seen_by(MARCUS, "movie")[2]
    await made(people, film)
    shown = await people.ask(people.marcus, "playlist delete", playlist="Rainy Days")
    says(shown, "Delete the playlist Rainy Days?")
    says(shown, "1 title")
    await shown.click("Cancel")
    await shown.until("Nothing was changed.")
    assert "Rainy Days" in lists_of(people, MARCUS)
    shown = await people.ask(people.marcus, "playlist delete", playlist="Rainy Days")
    presses = await asyncio.gather(*(shown.click("Yes, delete it") for _ in range(2)), return_exceptions=True)
    assert [one for one in presses if not isinstance(one, Shown | Refused)] == []
    await shown.until("The playlist Rainy Days is deleted.")
    assert lists_of(people, MARCUS) == {}
    assert film.key in people.stage.plex.world.items


async def test_nobody_sees_or_changes_what_is_somebody_elses(people: People) -> None:
    film = people.seen_by(MARCUS, "movie")[0]
    await made(people, film, name="Only Mine")
    theirs = lists_of(people, MARCUS)["Only Mine"]
    owners = next(iter(lists_of(people, OLIVIA).values()))
    shown = await people.ask(people.olivia, "playlist list")
    assert owners.title.split()[0] in shown.text
    assert "Only Mine" not in shown.text
    assert await people.olivia.type_in("playlist show", "playlist", "only mine") == []
    for playlist in (ref(theirs), "Only Mine"):
        for command, options in (
            ("playlist show", {}),
            ("playlist add", {"title": ref(film)}),
            ("playlist delete", {}),
        ):
            says(await people.ask(people.olivia, command, playlist=playlist, **options), "/playlist list shows yours.")
    says(await people.ask(people.marcus, "playlist delete", playlist=ref(owners)), "/playlist list shows yours.")
    assert "Only Mine" in lists_of(people, MARCUS)
    says(await people.ask(people.stranger, "playlist list"), "Link your Plex account first")
    says(await people.ask(people.yuki, "playlist list"), "/link keep_access:True")
    assert await people.stranger.type_in("playlist show", "playlist", "") == []


async def test_lists_and_entries_have_pages_that_work_after_a_restart(people: People) -> None:
    films = people.seen_by(MARCUS, "movie")
    account, world = people.account(MARCUS), people.stage.plex.world
    for number in range(12):
        held = world.add(Item(0, "playlist", f"List {number:02}", 0, int(people.stage.clock.now()), owner=account))
        held.given["playlistType"] = "video"
        members = [(held.key * 100 + place, film) for place, film in enumerate(films[:12])]
        world.set_members(held, members, int(people.stage.clock.now()))
    lists = await people.ask(people.marcus, "playlist list")
    assert "List 09" in lists.text
    assert "List 10" not in lists.text
    shown = await answered(await lists.choose("Show one of them", "List 03"))
    assert shown.is_private
    assert films[9].title in shown.text
    await people.stage.restart()
    await shown.click("Forward")
    await shown.until(lambda now: "Page 2/2" in now.buttons)
    says(shown, f"11. **{films[10].title}")
    await lists.click("Forward")
    await lists.until(lambda now: "Page 2/2" in now.buttons)
    assert "List 11" in lists.text


async def test_a_playlist_plays_on_a_player(people: People) -> None:
    stage = people.stage
    films = people.seen_by(MARCUS, "movie")[3:6]
    await made(people, *films)
    players = await stage.suggested(people.marcus, "playlist play", "player", "liv", playlist="Rainy Days")
    shown = await people.ask(people.marcus, "playlist play", playlist="Rainy Days", player=players[0]["value"])
    says(shown, f"{films[0].title} ({films[0].year}) starts on {LIVING_ROOM}.")
    says(shown, "Of the playlist Rainy Days")
    player = stage.player(LIVING_ROOM)
    assert player.item is films[0]
    queue = stage.plex.server.queues.all()[-1]
    assert [entry.item for entry in queue.entries] == films
    says(await people.ask(people.marcus, "playlist play", playlist="Rainy Days"), f"starts on {LIVING_ROOM}")
    refused = await people.ask(people.yuki, "playlist play", playlist="Rainy Days")
    says(refused, "Only members with Manage Server or a controller role may do that.")


async def test_smart_playlists_and_mixed_media_are_refused_with_the_reason(people: People) -> None:
    stage = people.stage
    film = people.seen_by(MARCUS, "movie")[0]
    smart = stage.plex.world.add(Item(0, "playlist", "Newest", 0, int(stage.clock.now()), owner=1))
    smart.given["playlistType"] = "video"
    smart.rule = lambda: [film]
    for command in ("playlist add", "playlist remove"):
        shown = await people.ask(people.olivia, command, playlist=ref(smart), title=ref(film))
        says(shown, "is a smart playlist: a filter fills it")
    album = stage.named_once("album")[0]
    says(await people.ask(people.olivia, "playlist create", name="Loud", title=ref(album)), "music")
    shown = await people.ask(people.olivia, "playlist add", playlist="Loud", title=ref(film))
    says(shown, "Loud holds music; Plex does not mix that with films and shows.")
    says(await people.ask(people.olivia, "playlist show", playlist="Newest"), "smart")
    stage.plex.remove(lists_of(people, OLIVIA)["Loud"])
    stage.plex.remove(smart)


async def test_what_goes_between_list_and_press(people: People) -> None:
    stage = people.stage
    film, other = people.seen_by(MARCUS, "movie")[:2]
    await made(people, film, other)
    lists = await people.ask(people.marcus, "playlist list")
    asked = await people.ask(people.marcus, "playlist delete", playlist="Rainy Days")
    twice = await people.ask(people.marcus, "playlist add", playlist="Rainy Days", title=ref(film))
    stage.plex.remove(lists_of(people, MARCUS)["Rainy Days"])
    for shown, button in ((asked, "Yes, delete it"), (twice, "Add it once more")):
        pressed = await shown.click(button)
        await stage.wait_for(lambda pressed=pressed: "is not there any more" in pressed.text, "the refusal")
    opened = await answered(await lists.choose("Show one of them", "Rainy Days"))
    assert "That playlist is not there any more" in opened.text
    shown = await people.ask(people.marcus, "playlist add", playlist="Rainy Days", title=ref(film))
    says(shown, "You have no playlist called “Rainy Days”; /playlist list shows yours.")


async def test_what_may_not_be_seen_cannot_be_put_in(people: People) -> None:
    world, marcus = people.stage.plex.world, people.stage.plex.server.account(MARCUS)
    hidden = next(item for item in people.stage.named_once("movie") if not world.may_see(marcus, item))
    shown = await people.ask(people.marcus, "playlist create", name="Secrets", title=ref(hidden))
    says(shown, "That title is not in the library any more.")
    assert lists_of(people, MARCUS) == {}
    says(await people.ask(people.marcus, "playlist create", name=" \n ", title="x"), "Give the playlist a name.")
