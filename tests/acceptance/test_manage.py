"""/manage: owners look after the libraries of their servers from chat."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from simulators.discord.components import walk
from simulators.discord.user import Shown
from simulators.plex.activities import begin, end
from simulators.plex.items import Item
from simulators.plex.render import Value
from simulators.plex.server import Activity
from tests.acceptance.stage import Member, Stage, answered, open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")
FROM_TOP_TO_BOTTOM = True

MOVIES, SHOWS = "l:attic:1", "l:attic:2"
EMPTY = "/library/sections/1/emptyTrash"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage() -> AsyncIterator[Stage]:
    """A daemon that belongs to olivia and to one more."""
    async with open_stage(is_started=False) as stage:
        world, guild = stage.lab.world, stage.lab.guild
        world.join(guild, world.add_person("oscar"), [])
        owners = [stage.lab.user(name).user_id for name in ("olivia", "oscar")]
        stage.settings |= {
            "MARQUEE_OWNERS": ",".join(map(str, owners)),
            "MARQUEE_PLEX__CONNECT_TIMEOUT_S": "0.5",
            "MARQUEE_PLEX__REQUEST_TIMEOUT_S": "2",
        }
        await stage.start()
        await mirrored(stage)
        yield stage


async def mirrored(stage: Stage) -> None:
    """The daemon holds the libraries."""

    async def is_there() -> bool:
        shown = await answered(await stage.guest().slash("library stats"))
        films = len(stage.plex.world.listed(1, "movie"))
        return f"{films} films" in shown.text and "episodes" in shown.text and "tracks" in shown.text

    await stage.wait_for(is_there, "the libraries to be mirrored")


def owner(stage: Stage, name: str) -> Member:
    """An owner, in a channel of their own."""
    world, guild = stage.lab.world, stage.lab.guild
    return Member(stage.lab.user(name), world.add_channel(guild, f"office-{len(guild.channel_ids)}").channel_id)


@pytest.fixture
def olivia(stage: Stage) -> Member:
    return owner(stage, "olivia")


@pytest.fixture
def oscar(stage: Stage) -> Member:
    return owner(stage, "oscar")


async def manage(member: Member, command: str, **options: Any) -> Shown:
    """A private answer of `/manage`."""
    shown = await answered(await member.slash(f"manage {command}", **options))
    assert shown.is_private
    return shown


async def listed(stage: Stage, member: Member, wanted: str, command: str, **options: Any) -> Shown:
    """The list that a command shows, once that is in it; asked no faster than a member may."""
    found: list[Shown] = []

    async def is_there() -> bool:
        stage.clock.jump(3)
        found[:] = [await manage(member, command, **options)]
        return re.search(wanted, found[0].text) is not None

    await stage.wait_for(is_there, f"/manage {command} to show {wanted}")
    return found[0]


def film(stage: Stage, title: str, section: int = 1, **given: object) -> Item:
    return Item(0, "movie", title, section, int(stage.clock.now()), 2026, 5_400_000, ("Drama",), given=given)


async def in_mirror(stage: Stage, member: Member, title: str) -> None:
    """Until the daemon holds a title of that name."""

    async def is_there() -> bool:
        shown = await answered(await member.slash("library recent"))
        return title in shown.text

    await stage.wait_for(is_there, f"{title} to be mirrored")


async def there(stage: Stage, member: Member, title: str) -> Item:
    """A new film that the daemon holds."""
    made = stage.plex.appear(film(stage, title))
    await in_mirror(stage, member, title)
    return made


def button_id(shown: Shown, label: str) -> str:
    """The custom id of a button."""
    return next(part["custom_id"] for part in walk(shown.message["components"]) if part.get("label") == label)


def sent(stage: Stage, method: str, path: str) -> int:
    """How often the server was asked for that."""
    return sum((seen.method, seen.path) == (method, path) for seen in stage.plex.requests)


async def until_ended(stage: Stage, shown: Shown, wanted: str) -> None:
    """Let time pass until a card says how it ended."""

    async def has_ended() -> bool:
        stage.clock.jump(2)
        return wanted in shown.text

    await stage.wait_for(has_ended, f"the card to say {wanted}", 30)


async def test_a_scan_is_followed_to_its_end(stage: Stage, olivia: Member) -> None:
    choices = await olivia.type_in("manage scan", "library", "mov")
    assert [choice["value"] for choice in choices if choice["name"] == "Movies"] == [MOVIES]
    stage.plex.place(film(stage, "Quince Ledger Almanac"))
    shown = await manage(olivia, "scan", library="Movies")
    assert "Scanning Movies" in shown.text
    stage.clock.jump(4)
    await shown.until(" %")
    await until_ended(stage, shown, "Scanned Movies")
    assert "1 title added" in shown.text
    assert "Quince Ledger Almanac" in shown.text
    assert len(shown.messages) == 1


async def test_what_a_scan_lost_is_told(stage: Stage, olivia: Member) -> None:
    """A title that is removed while its library is scanned."""
    gone = stage.plex.appear(film(stage, "Vanishing Act of Rosewater"))
    await in_mirror(stage, olivia, "Vanishing Act of Rosewater")
    shown = await manage(olivia, "scan", library=MOVIES)
    stage.plex.remove(gone)
    await until_ended(stage, shown, "Scanned Movies")
    assert "1 title removed" in shown.text


async def test_a_second_scan_shows_the_one_that_is_running(stage: Stage, olivia: Member, oscar: Member) -> None:
    path = "/library/sections/1/refresh"
    before = sent(stage, "GET", path)
    first, second = await asyncio.gather(manage(olivia, "scan", library=MOVIES), manage(oscar, "scan", library=MOVIES))
    assert sent(stage, "GET", path) == before + 1
    third = await manage(olivia, "scan", library="movies")
    assert sent(stage, "GET", path) == before + 1
    texts = [first.text, second.text, third.text]
    assert sum("It was running already" in text for text in texts) == 2
    for shown in (first, second, third):
        await until_ended(stage, shown, "Scanned Movies")


async def test_a_refresh_and_an_analysis_say_what_they_cost(stage: Stage, olivia: Member) -> None:
    shown = await manage(olivia, "refresh", library=SHOWS)
    shows = len(stage.plex.world.listed(2, "episode"))
    assert f"fetches metadata and artwork of {shows:,} titles again" in shown.text
    (refresh,) = [seen for seen in stage.plex.requests if seen.path == "/library/sections/2/refresh"]
    assert refresh.query == (("force", "1"),)
    await until_ended(stage, shown, "Refreshed")
    shown = await manage(olivia, "analyze", library=SHOWS)
    assert "Analyzing" in shown.text
    assert sent(stage, "PUT", "/library/sections/2/analyze") == 1
    await until_ended(stage, shown, "Analyzed")
    assert "Nothing changed." in shown.text


async def test_a_card_goes_on_after_a_restart(stage: Stage, olivia: Member) -> None:
    stage.plex.place(film(stage, "Ponderosa Lantern"))
    shown = await manage(olivia, "scan", library=MOVIES)
    await stage.restart()
    await shown.click("Look again")
    await until_ended(stage, shown, "Scanned Movies")
    assert "Ponderosa Lantern" in shown.text


async def test_a_refresh_that_is_told_title_by_title(stage: Stage, olivia: Member) -> None:
    """As real servers do it: short activities that name a title and no library, with moments of nothing between."""
    server, path = stage.plex.server, "/library/sections/1/refresh"
    films, shows = stage.plex.world.listed(1, "movie"), stage.plex.world.listed(2, "show")

    def title(key: int) -> Activity:
        about: dict[str, Value] = {"key": f"/library/metadata/{key}"}
        return begin(server, "library.refresh.items", "Refreshing", subtitle="Checking files", context=about)

    elsewhere, before = title(shows[0].key), sent(stage, "GET", path)
    first = title(films[0].key)
    stage.plex.faults.add(path, "empty")  # what it tells is up to us
    shown = await manage(olivia, "refresh", library=MOVIES)
    assert sent(stage, "GET", path) == before + 1  # a single title is not the library
    assert "It was running already" not in shown.text
    assert "Under way; the server does not say how far." in shown.text
    assert "Checking files" in shown.text
    end(server, first)
    second = title(films[1].key)
    stage.clock.jump(30)
    await shown.click("Look again")
    assert "Under way" in shown.text
    end(server, second)
    await until_ended(stage, shown, "Refreshed Movies")  # though a show of another library is being refreshed
    assert elsewhere.uuid in server.activities
    end(server, elsewhere)


async def test_a_server_that_fails_in_the_middle_of_a_scan(stage: Stage, olivia: Member) -> None:
    shown = await manage(olivia, "scan", library=MOVIES)
    fault = stage.plex.faults.add("^/activities", 503, times=2)
    stage.clock.jump(2)
    await shown.until("Plex server attic is busy or starting")
    assert fault.hits
    await until_ended(stage, shown, "Scanned Movies")


async def test_a_server_that_tells_nothing_of_a_scan(stage: Stage, olivia: Member) -> None:
    stage.plex.faults.add("/library/sections/1/refresh", "empty")  # it says yes and does nothing
    shown = await manage(olivia, "scan", library=MOVIES)
    assert "Begun; the server has not said how far it is." in shown.text
    await until_ended(stage, shown, "The server told nothing of it")


async def test_what_takes_too_long_is_let_go_and_taken_up_again(stage: Stage, olivia: Member) -> None:
    server = stage.plex.server
    endless = begin(server, "media.analyze", "Analyzing Movies", context={"librarySectionID": "1"})
    endless.progress = 3
    shown = await manage(olivia, "analyze", library=MOVIES)
    assert "It was running already" in shown.text
    assert " 3 %" in shown.text
    stage.clock.jump(14 * 60 + 5)
    await shown.until("It takes longer than this message can follow it.")
    end(server, endless)
    await shown.click("Look again")
    await until_ended(stage, shown, "Analyzed Movies")


async def test_a_library_that_nobody_has(stage: Stage, olivia: Member) -> None:
    for command in ("scan", "empty-trash", "unmatched", "duplicates", "stale", "activities"):
        shown = await manage(olivia, command, library="cellar")
        assert "I know no library called “cellar”" in shown.text


async def test_the_trash_is_shown_asked_for_and_emptied(stage: Stage, olivia: Member) -> None:
    shown = await manage(olivia, "empty-trash", library=MOVIES)
    assert "It is empty." in shown.text
    assert shown.buttons == {}
    one, two = (stage.plex.appear(film(stage, f"Dusty Reel {number}")) for number in (1, 2))
    await in_mirror(stage, olivia, "Dusty Reel 2")
    for each in (one, two):
        stage.plex.trash(each)
    shown = await manage(olivia, "empty-trash", library=MOVIES)
    assert "Trash of Movies: 2 titles" in shown.text
    assert "Dusty Reel 1" in shown.text
    assert sent(stage, "PUT", EMPTY) == 0
    await shown.click("Cancel")
    await shown.until("Nothing was removed.")
    shown = await manage(olivia, "empty-trash", library=MOVIES)
    await shown.click("Empty the trash")
    await shown.until("Removed 2 titles")
    assert "Dusty Reel 2" in shown.text
    assert sent(stage, "PUT", EMPTY) == 1
    assert one.key not in stage.plex.world.items
    gone = await answered(await olivia.slash("have", title="Dusty Reel 1"))
    assert "### Yes" not in gone.text


async def test_two_owners_empty_the_trash_once(stage: Stage, olivia: Member, oscar: Member) -> None:
    only = stage.plex.appear(film(stage, "Contested Reel"))
    await in_mirror(stage, olivia, "Contested Reel")
    stage.plex.trash(only)
    before = sent(stage, "PUT", EMPTY)
    cards = [await manage(member, "empty-trash", library=MOVIES) for member in (olivia, oscar)]
    await asyncio.gather(*(card.click("Empty the trash") for card in cards))
    for card in cards:
        await card.until(lambda now: "Removed" in now.text or "nothing was removed" in now.text)
    assert sorted("Removed 1 title" in card.text for card in cards) == [False, True]
    assert sent(stage, "PUT", EMPTY) == before + 1


async def test_a_button_that_was_pressed_twice_empties_once(stage: Stage, olivia: Member) -> None:
    stage.plex.trash(await there(stage, olivia, "Hasty Reel"))
    before = sent(stage, "PUT", EMPTY)
    shown = await manage(olivia, "empty-trash", library=MOVIES)
    custom_id = button_id(shown, "Empty the trash")
    message_id = shown.message_id
    answers = await asyncio.gather(*(olivia.user.press_forged(message_id, custom_id) for _ in range(2)))
    await shown.until("Removed 1 title")
    for answer in answers:
        await answer.settled()
    assert sent(stage, "PUT", EMPTY) == before + 1


async def test_a_server_that_takes_its_time_with_the_trash(stage: Stage, olivia: Member) -> None:
    stage.plex.trash(await there(stage, olivia, "Slow Reel"))
    shown = await manage(olivia, "empty-trash", library=MOVIES)
    stage.plex.faults.add(EMPTY, "empty", times=1)  # it says yes, and has not begun
    await shown.click("Empty the trash")
    await shown.until("The server is still removing 1 title.")
    assert "Removed" not in shown.text
    again = await manage(olivia, "empty-trash", library=MOVIES)
    await again.click("Empty the trash")
    await again.until("Removed 1 title")


async def test_an_answer_that_is_lost_when_the_trash_is_emptied(stage: Stage, olivia: Member) -> None:
    item = await there(stage, olivia, "Silent Reel")
    stage.plex.trash(item)
    shown = await manage(olivia, "empty-trash", library=MOVIES)
    fault = stage.plex.faults.add(EMPTY, "drop_after", times=1)
    await shown.click("Empty the trash")
    await shown.until("Removed 1 title")
    assert fault.hits == 1
    assert item.key not in stage.plex.world.items


async def test_a_title_that_came_back_is_not_lost(stage: Stage, olivia: Member) -> None:
    gone, back = await there(stage, olivia, "Lost Reel"), await there(stage, olivia, "Found Reel")
    for each in (gone, back):
        stage.plex.trash(each)
    shown = await manage(olivia, "empty-trash", library=MOVIES)
    stage.plex.edit(back, deleted_at=0)
    await shown.click("Empty the trash")
    await shown.until("Removed 1 title")
    assert "1 title that stood in the list is there again and stays." in shown.text
    assert back.key in stage.plex.world.items
    assert gone.key not in stage.plex.world.items


async def test_what_was_not_listed_is_not_removed(stage: Stage, olivia: Member) -> None:
    first, later = await there(stage, olivia, "Early Reel"), await there(stage, olivia, "Later Reel")
    stage.plex.trash(first)
    shown = await manage(olivia, "empty-trash", library=MOVIES)
    stage.plex.trash(later)
    before = sent(stage, "PUT", EMPTY)
    await shown.click("Empty the trash")
    await shown.until("The trash has changed since it was listed")
    assert "Later Reel" in shown.text
    assert sent(stage, "PUT", EMPTY) == before
    await shown.click("Empty the trash")
    await shown.until("Removed 2 titles")


async def test_a_trash_list_works_after_a_restart(stage: Stage, olivia: Member) -> None:
    reels = [await there(stage, olivia, f"Standing Reel {number:02}") for number in range(12)]
    for each in reels:
        stage.plex.trash(each)
    shown = await manage(olivia, "empty-trash", library=MOVIES)
    await stage.restart()
    await shown.click("Forward")
    await shown.until("Page 2/2")
    await shown.click("Empty the trash")
    await shown.until("Removed 12 titles")


async def test_a_disk_that_is_away_is_not_taken_for_trash(stage: Stage, olivia: Member) -> None:
    films = list(stage.plex.world.listed(1, "movie"))
    before = sent(stage, "PUT", EMPTY)
    for each in films:
        stage.plex.world.edit(each, int(stage.clock.now()), deleted_at=int(stage.clock.now()))
    try:
        shown = await manage(olivia, "empty-trash", library=MOVIES)
        assert "It is not emptied." in shown.text
        assert "as though the disk of" in shown.text
        assert "Empty the trash" not in shown.buttons
    finally:
        for each in films:
            stage.plex.world.edit(each, int(stage.clock.now()), deleted_at=0)
    few = films[:2]
    for each in few:
        stage.plex.trash(each)
    shown = await manage(olivia, "empty-trash", library=MOVIES)
    for each in films:
        stage.plex.world.edit(each, int(stage.clock.now()), deleted_at=int(stage.clock.now()))
    try:
        await shown.click("Empty the trash")
        await shown.until("It is not emptied.")
        assert sent(stage, "PUT", EMPTY) == before
    finally:
        for each in films:
            stage.plex.world.edit(each, int(stage.clock.now()), deleted_at=0)


async def test_unmatched_titles_in_pages(stage: Stage, olivia: Member) -> None:
    for number in range(11):
        stage.plex.appear(film(stage, f"Aa Home Tape {number:02}", guid=f"local://tape{number}"))
    await in_mirror(stage, olivia, "Aa Home Tape 10")
    shown = await manage(olivia, "unmatched", library=MOVIES)
    assert "Unmatched in Movies: " in shown.text
    assert "Aa Home Tape 00" in shown.text
    assert "/media/" in shown.text
    await shown.click("Forward")
    await shown.until("Aa Home Tape 10")


async def test_duplicates_with_what_could_be_saved(stage: Stage, olivia: Member) -> None:
    item = await there(stage, olivia, "Twofold Harbour")
    stage.plex.add_version(item, "4k", size_bytes=40_000_000_000)
    for number in (1, 2):
        guid = "plex://movie/5d7768244de0ee001fcc7777"
        stage.plex.appear(film(stage, f"Same Story {number}", guid=guid, guids=()))
    shown = await listed(stage, olivia, "Same Story 2", "duplicates", library=MOVIES)
    assert "Same Story 1" in shown.text
    assert "Twofold Harbour" in shown.text
    assert "2 versions · 4K" in shown.text
    assert "40.0 GB" in shown.text
    assert "2 titles · " in shown.text
    assert "could be saved in all" in shown.text


async def test_stale_titles_the_largest_first_and_nobody_is_named(stage: Stage, olivia: Member) -> None:
    world, now = stage.plex.world, int(stage.clock.now())
    dull, liked = await there(stage, olivia, "Dull Old Epic"), await there(stage, olivia, "Liked Old Epic")
    for each in (dull, liked):
        stage.plex.edit(each, added_at=now - 900 * 86_400)
        stage.plex.add_version(each, "4k", size_bytes=900_000_000_000)
    stage.plex.watched(dull, "Marcus", at=now - 500 * 86_400)
    stage.plex.watched(liked, "Marcus", at=now - 100 * 86_400)
    shown = await listed(stage, olivia, "Dull Old Epic", "stale", library=MOVIES)
    assert "Not played for 365 days: Movies" in shown.text
    assert "Liked Old Epic" not in shown.text
    assert shown.text.index("Dull Old Epic") < 400  # the largest
    assert "last played <t:" in shown.text
    assert "plays by all accounts" in shown.text
    assert not [account.name for account in world.accounts.values() if account.name in shown.text]
    shown = await listed(stage, olivia, "Liked Old Epic", "stale", library=MOVIES, days=50)
    before = sent(stage, "GET", "/status/sessions/history/all")
    await shown.click("Forward")
    await shown.until(lambda now: any(label.startswith("Page 2/") for label in now.buttons))
    assert sent(stage, "GET", "/status/sessions/history/all") == before  # the pages are turned as they were read
    await listed(stage, olivia, "Not played for 1 day: TV Shows", "stale", library=SHOWS, days=1)


async def test_activities_are_shown_and_cancelled(stage: Stage, olivia: Member) -> None:
    shown = await manage(olivia, "activities")
    assert "Nothing is going on." in shown.text
    await manage(olivia, "analyze", library=SHOWS)
    await shown.click("Look again")
    await shown.until("Analyzing TV Shows")
    only = await manage(olivia, "activities", library=MOVIES)
    assert "Nothing is going on." in only.text
    await shown.click("Cancel")
    await shown.until("Cancelled: ")
    assert "Nothing is going on." in shown.text
    assert not stage.plex.server.activities


async def test_an_activity_that_ended_meanwhile(stage: Stage, olivia: Member) -> None:
    await manage(olivia, "analyze", library=SHOWS)
    shown = await manage(olivia, "activities")
    stage.clock.jump(60)
    await stage.wait_for(lambda: not stage.plex.server.activities, "the analysis to end")
    await shown.click("Cancel")
    await shown.until("That had ended already.")


async def test_accounts_that_do_not_watch(stage: Stage, olivia: Member) -> None:
    server, now = stage.plex.server, int(stage.clock.now())
    kept, server.history[:] = list(server.history), []
    item = stage.plex.world.listed(1, "movie")[0]
    stage.plex.watched(item, "Marcus", at=now - 10 * 86_400)
    stage.plex.watched(item, "Yuki", at=now - 200 * 86_400)
    try:
        shown = await manage(olivia, "inactive")
        assert "Inactive for 90 days: 2 accounts" in shown.text
        assert "Yuki" in shown.text
        assert "last played <t:" in shown.text
        assert "**Juno** (managed)" in shown.text
        assert "has never played anything" in shown.text
        assert "Marcus" not in shown.text
        assert "sees Music, TV Shows" in shown.text
        shown = await manage(olivia, "inactive", days=5)
        assert "Marcus" in shown.text
        assert "Olivia" not in shown.text  # whose server it is
    finally:
        server.history[:] = kept


async def test_maintenance_is_announced_changed_and_over(stage: Stage, olivia: Member) -> None:
    guest = stage.guest(olivia.channel)
    stage.watch("Living Room TV")
    told = await manage(olivia, "maintenance", message="New disks, back at *nine*")
    assert "Maintenance is announced." in told.text
    assert "1 plays right now." in told.text
    (card,) = [shown for shown in guest.sees() if "Maintenance" in shown.text]
    assert "New disks, back at" in card.text
    assert not card.is_private
    assert "play right now" not in card.text

    refused = await card.click("End maintenance")
    await refused.until("Only the owners of this bot may do that.")
    again = await manage(olivia, "maintenance", message="It takes until ten")
    assert "The announcement was changed." in again.text
    await card.until("It takes until ten")
    await stage.restart()
    await told.click("End maintenance")
    await told.until("Maintenance is over; the card says so, too.")
    await card.until("Maintenance is over")
    assert card.buttons == {}
    await again.click("End maintenance")
    await again.until("It was over already.")


async def test_a_card_of_maintenance_follows_when_discord_is_back(stage: Stage, olivia: Member) -> None:
    told = await manage(olivia, "maintenance", message="A long night")
    (card,) = [shown for shown in olivia.sees() if "A long night" in shown.text and not shown.is_private]
    fault = stage.lab.faults.add("update_message", status=500, times=10)
    await told.click("End maintenance")
    await told.until("Maintenance is over")
    await stage.wait_for(lambda: fault.hits, "an attempt to change the card")
    assert "Maintenance is over" not in card.text
    stage.lab.faults.clear()

    async def has_followed() -> bool:
        stage.clock.jump(31)
        return "Maintenance is over" in card.text

    await stage.wait_for(has_followed, "the card to follow")
    assert card.buttons == {}


async def test_two_owners_announce_at_once(stage: Stage, olivia: Member, oscar: Member) -> None:
    told = await asyncio.gather(
        manage(olivia, "maintenance", message="Words of one"), manage(oscar, "maintenance", message="Words of two")
    )
    assert sorted("Maintenance is announced." in shown.text for shown in told) == [False, True]
    cards = [shown for member in (olivia, oscar) for shown in member.sees() if "Words of" in shown.text]
    assert len(cards) == 1
    await told[0].click("End maintenance")
    await cards[0].until("Maintenance is over")


async def test_an_announcement_that_was_deleted_is_made_anew(stage: Stage, olivia: Member) -> None:
    await manage(olivia, "maintenance", message="First words")
    (card,) = [shown for shown in olivia.sees() if "First words" in shown.text and not shown.is_private]
    stage.lab.user("olivia").delete(card.message_id)
    told = await manage(olivia, "maintenance", message="Second words")
    assert "Maintenance is announced." in told.text
    (card,) = [shown for shown in olivia.sees() if "Second words" in shown.text and not shown.is_private]
    await told.click("End maintenance")
    await card.until("Maintenance is over")


async def test_maintenance_is_ended_on_its_card(stage: Stage, olivia: Member, oscar: Member) -> None:
    await manage(olivia, "maintenance", message="Short break")
    (card,) = [shown for shown in oscar.user.sees(olivia.channel) if "Short break" in shown.text]
    await card.click("End maintenance")
    await card.until("Maintenance is over")


async def test_a_server_that_does_not_answer(stage: Stage, olivia: Member) -> None:
    listed = await manage(olivia, "activities")
    stage.plex.faults.add("^/(activities|status|library/sections/1/(refresh|all))", 503)
    for command, options in (
        ("scan", {"library": MOVIES}),
        ("stale", {"library": MOVIES}),
        ("empty-trash", {"library": MOVIES}),
    ):
        shown = await manage(olivia, command, **options)
        assert re.search("is busy or starting|is being left alone", shown.text), (command, shown.text)
    await listed.click("Look again")
    await listed.until("Plex server attic")
    shown = await manage(olivia, "inactive")
    assert "Its guests are left out." in shown.text
    shown = await manage(olivia, "unmatched", library=MOVIES)  # the mirror knows
    assert "Unmatched in Movies" in shown.text
    stage.plex.faults.clear()
    stage.plex.faults.add(".", 503, where="account")
    stage.clock.jump(60)
    shown = await manage(olivia, "inactive")
    assert "plex.tv is busy or starting" in shown.text


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("scan", {"library": MOVIES}), ("refresh", {"library": MOVIES}), ("analyze", {"library": MOVIES}),
        ("empty-trash", {"library": MOVIES}), ("unmatched", {"library": MOVIES}), ("duplicates", {"library": MOVIES}),
        ("stale", {"library": MOVIES}), ("activities", {}), ("inactive", {}), ("maintenance", {"message": "Mine now"}),
    ],
)  # fmt: skip
async def test_nobody_else_may(stage: Stage, command: str, options: dict[str, str]) -> None:
    before = len(stage.plex.requests)
    for member in (stage.guest(), stage.controller()):
        shown = await member.slash(f"manage {command}", **options)
        await shown.until("Only the owners of this bot may do that.")
        assert shown.is_private
    changing = [seen for seen in list(stage.plex.requests)[before:] if seen.method != "GET" or "refresh" in seen.path]
    assert changing == []


async def test_a_button_works_for_owners_only(stage: Stage, olivia: Member) -> None:
    stage.plex.trash(await there(stage, olivia, "Guarded Reel"))
    shown = await manage(olivia, "empty-trash", library=MOVIES)
    custom_id = button_id(shown, "Empty the trash")
    guest = stage.guest(olivia.channel)
    card = await answered(await guest.slash("now"))
    before = sent(stage, "PUT", EMPTY)
    refused = await guest.user.press_forged(card.message_id, custom_id)
    await refused.until("Only the owners of this bot may do that.")
    assert sent(stage, "PUT", EMPTY) == before
    await shown.click("Empty the trash")
    await shown.until("Removed 1 title")


async def test_a_library_that_is_removed_while_it_is_scanned(stage: Stage, olivia: Member) -> None:
    """The last test: the library is gone for good."""
    shown = await manage(olivia, "scan", library="Kids")
    trash = await manage(olivia, "empty-trash", library="Kids")
    assert "It is empty." in trash.text
    section = next(each for each in stage.plex.world.sections.values() if each.title == "Kids")
    stage.plex.remove_section(section.id)
    await until_ended(stage, shown, "Scanned Kids")
    gone = await manage(olivia, "scan", library=f"l:attic:{section.id}")
    assert re.search("has that library no more|I know no library", gone.text)
