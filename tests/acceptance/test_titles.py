"""/manage fix-match, split, merge and edit, as owners and guests meet them in chat."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from simulators.discord.shown import Shown
from simulators.plex.items import Item
from tests.acceptance.database import stored, until_stored
from tests.acceptance.owners import open_stage_of_owners, owner
from tests.acceptance.stage import Member, Stage, answered

pytestmark = pytest.mark.asyncio(loop_scope="module")
FROM_TOP_TO_BOTTOM = True


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage() -> AsyncIterator[Stage]:
    """A daemon of many owners."""
    async with open_stage_of_owners() as stage:
        yield stage


@pytest.fixture
def olivia(stage: Stage) -> Member:
    return owner(stage)


@pytest.fixture
def other(stage: Stage) -> Member:
    return owner(stage)


def film(stage: Stage, number: int) -> Item:
    return stage.named_once("movie")[number]


def ref(item: Item) -> str:
    return f"t:attic:{item.key}"


async def edit(member: Member, item: Item, field: str, mode: str, value: str) -> Shown:
    return await answered(await member.slash("manage edit", title=ref(item), field=field, mode=mode, value=value))


async def titles_of(stage: Stage, item: Item) -> int:
    """The number under which the mirror knows a title."""
    ((found,),) = await stored(stage, f"SELECT id FROM library_titles WHERE rating_key = {item.key}")
    return int(found)


# ---------------------------------------------------------------- edit


async def test_a_text_is_edited_shown_and_had_back(stage: Stage, olivia: Member) -> None:
    item = film(stage, 0)
    before = item.title
    offered = await olivia.type_in("manage edit", "title", before)
    assert ref(item) in [one["value"] for one in offered]
    shown = await edit(olivia, item, "Title", "Set", "Quite Another Name")
    assert shown.is_private
    assert before in shown.text
    assert "Quite Another Name" in shown.text
    assert (item.title, item.locked) == ("Quite Another Name", frozenset({"title"}))
    await until_stored(
        stage, f"SELECT name FROM library_titles WHERE rating_key = {item.key}", [("Quite Another Name",)]
    )
    await stage.restart()
    await shown.click("Undo")
    await shown.until("Undone")
    assert (item.title, item.locked) == (before, frozenset())
    assert "Undo" not in shown.buttons
    await until_stored(stage, f"SELECT name FROM library_titles WHERE rating_key = {item.key}", [(before,)])
    actions = [row[0] for row in await stored(stage, f"SELECT action FROM audit_log WHERE target = '{ref(item)}'")]
    assert actions == ["title edited", "title edit undone"]


async def test_an_undo_leaves_what_somebody_changed_since(stage: Stage, olivia: Member) -> None:
    item = film(stage, 1)
    shown = await edit(olivia, item, "summary", "set", "Quiet up there.")
    stage.plex.edit(item, summary="Written by hand.")
    told = await shown.click("Undo")
    await told.until("has been changed again since")
    assert stage.plex.world.facts(item).summary == "Written by hand."


async def test_no_tag_is_ever_lost(stage: Stage, olivia: Member) -> None:
    """Listings show two genres of a title; this one has many more."""
    world = stage.plex.world
    item = next(one for one in world.listed(1, "movie") if len(one.genres) > 3)
    before = [*item.genres, "Cosy", "Slow, very slow", "Autumn"]
    stage.plex.edit(item, genres=tuple(before))
    shown = await edit(olivia, item, "genre", "add", "Heist, cosy, Night")
    assert list(item.genres) == [*before, "Heist", "Night"]
    await until_stored(
        stage,
        "SELECT count(*) FROM library_title_tags m JOIN library_tags g ON g.id = m.tag_id JOIN library_titles t"
        f" ON t.id = m.title_id WHERE g.kind = 'genre' AND t.rating_key = {item.key}",
        [(len(before) + 2,)],
    )
    stage.plex.edit(item, genres=(*item.genres, "By somebody else"))
    await shown.click("Undo")
    await shown.until("Undone")
    assert list(item.genres) == [*before, "By somebody else"]
    assert "genre" not in item.locked
    await edit(olivia, item, "genre", "remove", '"slow, very slow", By Somebody Else')
    assert list(item.genres) == [word for word in before if word != "Slow, very slow"]
    shown = await edit(olivia, item, "genre", "set", "Drama")
    assert list(item.genres) == ["Drama"]
    await shown.click("Undo")
    await shown.until("Undone")
    assert list(item.genres) == [word for word in before if word != "Slow, very slow"]


async def test_two_who_edit_the_same_list(stage: Stage, olivia: Member) -> None:
    world = stage.plex.world
    item = next(one for one in world.listed(1, "movie") if len(one.genres) > 2 and one.title.isascii())
    before = list(item.genres)

    def meddle() -> None:
        stage.plex.edit(item, genres=(*before, "Of the other"))

    stage.plex.between(rf"PUT /library/sections/1/all.*id={item.key}", meddle)
    await edit(olivia, item, "genre", "add", "Of mine")
    assert list(item.genres) == [*before, "Of the other", "Of mine"]
    stage.plex.between(rf"PUT /library/sections/1/all.*id={item.key}", meddle, times=2)
    told = await edit(olivia, item, "genre", "add", "Again of mine")
    assert "Somebody else changed the genre at the same time" in told.text
    assert list(item.genres) == [*before, "Of the other"]


async def test_labels_collections_and_people(stage: Stage, olivia: Member) -> None:
    world, item = stage.plex.world, film(stage, 2)
    stage.plex.edit(item, labels=())
    await edit(olivia, item, "label", "add", "guest room, Attic")
    assert world.labels(item) == ("Guest room", "Attic")
    await until_stored(
        stage,
        "SELECT g.name FROM library_title_tags m JOIN library_tags g ON g.id = m.tag_id JOIN library_titles t"
        f" ON t.id = m.title_id WHERE g.kind = 'label' AND t.rating_key = {item.key} ORDER BY g.name",
        [("Attic",), ("Guest room",)],
    )
    await edit(owner(stage), item, "collection", "add", "Made by a Word")
    made = world.find("Made by a Word", "collection")
    marks = "SELECT count(*) FROM library_title_tags m JOIN library_tags g ON g.id = m.tag_id"
    members = f"{marks} WHERE g.name = 'Made by a Word'"
    await until_stored(stage, members, [(1,)])
    await edit(olivia, item, "collection", "remove", "made by a word")
    assert made.key not in world.items
    await until_stored(stage, "SELECT 1 FROM library_tags WHERE name = 'Made by a Word'", [])
    await edit(owner(stage), item, "director", "set", "Vera Novak, Ada Lund")
    assert list(world.facts(item).directors) == ["Vera Novak", "Ada Lund"]


async def test_what_cannot_be_edited_is_said_with_the_reason(stage: Stage, olivia: Member) -> None:
    item, season = film(stage, 3), stage.plex.world.listed(2, "season")[0]
    for given, words in (
        ((item, "year", "add", "1999"), "The year is one text and no list"),
        ((item, "year", "set", "soon"), "A year is four digits"),
        ((season, "director", "set", "Vera Novak"), "Plex keeps no director for a season"),
        ((item, "title", "set", "-"), "A title cannot be without a name"),
    ):
        told = await edit(owner(stage), *given)
        assert words in told.text
    stage.plex.faults.add(r"/library/metadata/", 503)
    told = await edit(olivia, item, "title", "set", "Never")
    assert "Plex server attic" in told.text
    assert item.title != "Never"


# ---------------------------------------------------------------- match


async def test_a_title_is_matched_anew_and_stays_itself(stage: Stage, olivia: Member) -> None:
    item = film(stage, 4)
    number, name = await titles_of(stage, item), item.title
    before = stage.plex.world.guid(item)
    shown = await answered(await olivia.slash("manage fix-match", title=ref(item)))
    assert shown.is_private
    assert "matched now · score 100 · Plex" in shown.text
    choices = shown.options["What is it?"]
    await shown.choose("What is it?", choices[3])
    await shown.until("Then:")
    assert stage.plex.world.guid(item) == before
    await shown.click("Cancel")
    await shown.until(lambda now: "What is it?" in now.options)
    await shown.choose("What is it?", choices[3])
    await shown.until("Then:")
    await shown.click("Match it so")
    await shown.until("Matched:")
    assert stage.plex.world.guid(item) != before
    assert item.title == f"{name}: The Beginning"
    await until_stored(
        stage, f"SELECT id, name, guid FROM library_titles WHERE rating_key = {item.key}",
        [(number, item.title, stage.plex.world.guid(item))],
    )  # fmt: skip
    assert shown.buttons == {}
    count = f"SELECT count(*) FROM library_titles WHERE guid IN ('{before}', '{stage.plex.world.guid(item)}')"
    assert await stored(stage, count) == [(1,)]


async def test_nothing_fits_and_what_is_not_matched_at_all(stage: Stage, olivia: Member) -> None:
    item, season = film(stage, 5), stage.plex.world.listed(2, "season")[0]
    stage.plex.server.faults.unmatchable.add(item.key)
    shown = await answered(await olivia.slash("manage fix-match", title=ref(item)))
    assert "Nothing fits" in shown.text
    shown = await answered(await olivia.slash("manage fix-match", title=ref(season)))
    assert "match the show that this belongs to" in shown.text


# ---------------------------------------------------------------- split and merge


async def test_versions_become_titles_and_one_again(stage: Stage, olivia: Member, other: Member) -> None:
    item = film(stage, 6)
    number = await titles_of(stage, item)
    stage.plex.add_version(item, "4k", file="/media/Extra/Cut.mkv")
    shown = await answered(await olivia.slash("manage split", title=ref(item)))
    assert f"Split {item.title}" in shown.text
    assert "Cut.mkv" in shown.text
    assert "4K" in shown.text
    await shown.click("Cancel")
    await shown.until("Nothing was changed")
    asked = [await answered(await member.slash("manage split", title=ref(item))) for member in (olivia, other)]
    told = await asyncio.gather(*(one.click("Split it") for one in asked))
    refused = ("so there is nothing to split", "have changed since")
    for card, press in zip(asked, told, strict=True):

        def is_told(card: Shown = card, press: Shown = press) -> bool:
            return "There are 2 titles" in card.text or any(words in press.text for words in refused)

        await stage.wait_for(is_told, "both to be told")
    twins = stage.plex.world.by_guid(stage.plex.world.guid(item))
    assert len(twins) == 2
    new = next(one for one in twins if one is not item)
    await until_stored(
        stage, f"SELECT count(*) FROM library_titles WHERE rating_key IN ({item.key}, {new.key})", [(2,)]
    )
    assert await titles_of(stage, item) == number
    single = await answered(await owner(stage).slash("manage split", title=ref(item)))
    assert "has one version only" in single.text
    shown = await answered(await olivia.slash("manage merge", title=ref(new), into=ref(item)))
    assert "Merge two titles?" in shown.text
    assert "Cut.mkv" in shown.text
    await stage.restart()
    await shown.click("Merge them")
    await shown.until("which has 2 versions")
    assert new.key not in stage.plex.world.items
    assert len(stage.plex.world.facts(item).media) == 2
    await until_stored(stage, f"SELECT 1 FROM library_titles WHERE rating_key = {new.key}", [])
    assert await titles_of(stage, item) == number
    versions = f"SELECT count(*) FROM library_versions WHERE title_id = {number}"
    await until_stored(stage, versions, [(2,)])


async def test_what_cannot_be_merged_is_said_with_the_reason(stage: Stage, olivia: Member) -> None:
    world = stage.plex.world
    item, show, season = film(stage, 7), world.listed(2, "show")[0], world.listed(2, "season")[0]
    for title, into, words in (
        (item, item, "That is the same title twice"),
        (item, show, "Plex merges within one library only"),
        (season, show, "these cannot be one"),
    ):
        told = await answered(await olivia.slash("manage merge", title=ref(title), into=ref(into)))
        assert words in told.text


async def test_a_title_that_goes_between_question_and_press(stage: Stage, olivia: Member) -> None:
    now = int(stage.clock.now())
    made = [
        stage.plex.appear(Item(0, "movie", name, 1, now, 2026, 5_400_000, ("Drama",)))
        for name in ("Leaving Lantern", "Staying Lantern")
    ]
    shown = await answered(await olivia.slash("manage merge", title=ref(made[0]), into=ref(made[1])))
    stage.plex.remove(made[0])
    told = await shown.click("Merge them")
    await told.until("That title is no longer on the server")
    split = film(stage, 8)
    stage.plex.add_version(split, "720")
    question = await answered(await olivia.slash("manage split", title=ref(split)))
    stage.plex.add_version(split, "sd")
    told = await question.click("Split it")
    await told.until("have changed since; nothing was done")
    assert len(stage.plex.world.facts(split).media) == 3


async def test_a_title_that_goes_between_the_candidates_and_the_choice(stage: Stage, olivia: Member) -> None:
    item = stage.plex.appear(Item(0, "movie", "Brief Lantern", 1, int(stage.clock.now()), 2026, 5_400_000, ("Drama",)))
    shown = await answered(await olivia.slash("manage fix-match", title=ref(item)))
    choices = shown.options["What is it?"]
    stage.plex.remove(item)
    told = await shown.choose("What is it?", choices[1])
    await told.until("That title is no longer on the server")
    edited = await edit(olivia, item, "title", "set", "Never")
    assert "That title is no longer on the server" in edited.text


async def test_guests_may_not(stage: Stage) -> None:
    guest, item = stage.guest(), film(stage, 9)
    given: dict[str, dict[str, Any]] = {
        "fix-match": {}, "split": {}, "merge": {"into": ref(item)},
        "edit": {"field": "title", "mode": "set", "value": "Mine"},
    }  # fmt: skip
    for command, options in given.items():
        shown = await answered(await guest.slash(f"manage {command}", title=ref(item), **options))
        assert "Only the owners of this bot may do that." in shown.text
    assert item.title != "Mine"
