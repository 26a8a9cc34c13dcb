"""/collection, as owners and guests meet it in chat."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import pytest
import pytest_asyncio

from simulators.discord.shown import Shown
from simulators.plex.items import Item
from simulators.plex.shelves import make_collection
from tests.acceptance.database import stored
from tests.acceptance.owners import open_stage_of_owners, owner
from tests.acceptance.stage import Member, Stage, answered
from tests.acceptance.test_linking import link

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


def films(stage: Stage, count: int) -> list[Item]:
    """Films that are in no collection yet."""
    world = stage.plex.world
    return [item for item in world.listed(1, "movie") if not world.shelves(item) and item.title.isascii()][-count:]


def shelf(stage: Stage, name: str, count: int = 3) -> Item:
    """A collection of the simulated Movies."""
    return make_collection(stage.plex.server, 1, name, films(stage, count))


async def until_listed(
    stage: Stage, member: Member, wanted: str, command: str = "collection list", **given: Any
) -> Shown:
    """What a command shows once it is what is wanted: the mirror follows within a second or two."""
    found: list[Shown] = []

    async def is_there() -> bool:
        found[:] = [await answered(await member.slash(command, **given))]
        return re.search(wanted, found[0].text, re.DOTALL) is not None

    await stage.wait_for(is_there, f"/{command} to show {wanted}", 20)
    return found[0]


async def chosen(stage: Stage, member: Member, name: str) -> dict[str, Any]:
    """A collection as it is chosen while typing, once the daemon knows it."""
    found: list[dict[str, Any]] = []

    async def is_there() -> bool:
        found[:] = await member.type_in("collection show", "collection", name)
        return bool(found)

    await stage.wait_for(is_there, f"{name} to be offered", 20)
    return found[0]


async def test_collections_are_listed_and_shown_in_their_order(stage: Stage) -> None:
    guest = stage.guest()
    there = stage.plex.world.find("Orbit and Beyond", "collection")
    shown = await answered(await guest.slash("collection list"))
    assert f"**{there.title}**\n-# {len(there.members)} titles · Movies" in shown.text
    only = await answered(await guest.slash("collection list", library="TV Shows"))
    assert there.title not in only.text
    opened = await answered(await shown.choose("Show one of them", there.title))
    places = [opened.text.index(str(item.title)) for _, item in there.members[:10]]
    assert places == sorted(places)
    again = await answered(await guest.slash("collection show", collection=there.title))
    assert again.text == opened.text
    unknown = await answered(await guest.slash("collection show", collection="No such thing"))
    assert "I know no collection called “No such thing”" in unknown.text


async def test_pages_work_after_a_restart_and_without_the_server(stage: Stage) -> None:
    guest = stage.guest()
    made = shelf(stage, "Long Row", 14)
    shown = await until_listed(
        stage, guest, "14 titles", "collection show", collection=await chosen(stage, guest, "long row")
    )
    titles = [item.title for _, item in made.members]
    assert titles[0] in shown.text
    assert titles[13] not in shown.text
    await stage.restart()
    await shown.click("Forward")
    await shown.until(lambda now: "Page 2/2" in " ".join(now.buttons))
    assert titles[13] in shown.text
    stage.plex.faults.add("/library/", 503)
    await shown.click("Back")
    await shown.until("its server does not tell its own order now")
    assert "14 titles" in shown.text
    down = await answered(await owner(stage).slash("collection delete", collection="Long Row"))
    assert "Plex server attic" in down.text
    stage.plex.faults.clear()
    assert made.key in stage.plex.world.items


async def test_an_owner_makes_one_with_a_first_title(stage: Stage, olivia: Member) -> None:
    first, second, *_ = films(stage, 2)
    draft = await answered(await olivia.slash("collection create", library="Movies", name="Night Shift"))
    assert draft.is_private
    assert "it begins with a title of Movies" in draft.text
    form = await draft.click("Name the first title")
    await form.submit({"title": first.title})
    if not draft.text.startswith("Collection made"):
        await draft.until(
            lambda now: "Night Shift" in now.text and ("has 1 title" in now.text or "The first title" in now.options)
        )
        if "has 1 title" not in draft.text:
            await draft.choose("The first title", next(o for o in draft.options["The first title"] if first.title in o))
    await draft.until("has 1 title")
    made = stage.plex.world.find("Night Shift", "collection")
    assert [item.key for _, item in made.members] == [first.key]
    value = await chosen(stage, olivia, "night shift")
    added = await answered(await olivia.slash("collection add", collection=value, title=f"t:attic:{second.key}"))
    assert f"{second.title}" in added.text
    assert "2 titles in all" in added.text
    twice = await answered(await olivia.slash("collection add", collection=value, title=f"t:attic:{second.key}"))
    assert "is in Night Shift already" in twice.text
    show = stage.plex.world.listed(2, "show")[0]
    strange = await answered(await olivia.slash("collection add", collection=value, title=f"t:attic:{show.key}"))
    assert "Plex keeps titles of one library in it" in strange.text
    await until_listed(stage, stage.guest(), r"Night Shift\W+2 titles")
    offered = await olivia.type_in("collection remove", "title", "", collection=value["value"])
    assert {one["value"] for one in offered} == {f"t:attic:{first.key}", f"t:attic:{second.key}"}
    gone = await answered(await olivia.slash("collection remove", collection=value, title=f"t:attic:{first.key}"))
    assert "1 title left" in gone.text
    none = await answered(await olivia.slash("collection remove", collection=value, title=f"t:attic:{first.key}"))
    assert "is not in Night Shift" in none.text
    last = await answered(await olivia.slash("collection remove", collection=value, title=f"t:attic:{second.key}"))
    assert "Plex keeps no empty collections" in last.text
    taken = await answered(await olivia.slash("collection create", library="Movies", name="night shift"))
    assert "There is a collection called “night shift” already" in taken.text
    actions = [row[0] for row in await stored(stage, "SELECT action FROM audit_log WHERE target = 'Night Shift'")]
    assert actions == ["collection created", "collection added to", "collection removed from"]


async def test_an_owner_makes_a_smart_one(stage: Stage, olivia: Member) -> None:
    rule = "genre=Drama,Comedy year>=2000 unwatched"
    shown = await answered(await olivia.slash("collection create", library="Movies", name="To See", filter=rule))
    assert "Collection made" in shown.text
    world = stage.plex.world
    wanted = {
        item.key for item in world.listed(1, "movie")
        if {"Drama", "Comedy"} & set(item.genres) and (item.year or 0) >= 2000 and not world.view(1, item).count
    }  # fmt: skip
    made = world.find("To See", "collection")
    assert {item.key for _, item in world.members(made)} == wanted
    assert f"{len(wanted)} titles" in shown.text
    await until_listed(stage, stage.guest(), f"To See\\W+{len(wanted)} titles")
    one = next(iter(wanted))
    by_hand = await answered(await olivia.slash("collection remove", collection="To See", title=f"t:attic:{one}"))
    assert "To See is a smart collection" in by_hand.text
    for filter_text, words in (
        ("genre=Horro", "Movies has no genre “Horro”; there is: Horror"),
        ("mood=good", "I know no field “mood”"),
        ("sparkling", "I do not know “sparkling”"),
        ("genre>=Drama", "is a word and no number"),
        ("year=soon", "“soon” is no number for “year”"),
        ("year>=2090", "Nothing in Movies is like that now"),
    ):
        refused = await answered(
            await owner(stage).slash("collection create", library="Movies", name="Other", filter=filter_text)
        )
        assert words in refused.text, filter_text
    with pytest.raises(LookupError):
        world.find("Other", "collection")


async def test_deleting_asks_once_and_two_owners_do_it_once(stage: Stage, olivia: Member, other: Member) -> None:
    made = shelf(stage, "Doomed Row")
    values = [await chosen(stage, member, "doomed row") for member in (olivia, other)]
    asked = [
        await answered(await member.slash("collection delete", collection=value))
        for member, value in zip((olivia, other), values, strict=True)
    ]
    assert all(shown.is_private and "Its 3 titles stay in Movies" in shown.text for shown in asked)
    assert made.key in stage.plex.world.items
    await asyncio.gather(*(shown.click("Delete the collection") for shown in asked))
    for shown in asked:
        await shown.until(lambda now: "is gone" in now.text)
    assert sorted("somebody else was quicker" in shown.text for shown in asked) == [False, True]
    assert made.key not in stage.plex.world.items
    assert all(item.key in stage.plex.world.items for item in films(stage, 3))
    assert len(await stored(stage, "SELECT 1 FROM audit_log WHERE action = 'collection deleted'")) == 1

    async def is_gone() -> bool:
        return "Doomed Row" not in (await answered(await olivia.slash("collection list"))).text

    await stage.wait_for(is_gone, "the collection to be gone from the list", 20)


async def test_a_deletion_that_was_not_meant_and_one_after_a_restart(stage: Stage, olivia: Member) -> None:
    made = shelf(stage, "Kept Row")
    value = await chosen(stage, olivia, "kept row")
    shown = await answered(await olivia.slash("collection delete", collection=value))
    await shown.click("Cancel")
    await shown.until("stays as it is")
    assert made.key in stage.plex.world.items
    shown = await answered(await olivia.slash("collection delete", collection=value))
    stage.plex.faults.add("/library/collections/", 503)
    refused = await shown.click("Delete the collection")
    await refused.until("Plex server attic")
    stage.plex.faults.clear()
    await stage.restart()
    await shown.click("Delete the collection")
    await shown.until("is gone; its 3 titles stay")
    assert made.key not in stage.plex.world.items


async def test_a_title_that_is_deleted_between_choice_and_press(stage: Stage, olivia: Member) -> None:
    film = stage.plex.appear(
        Item(0, "movie", "Passing Lantern", 1, int(stage.clock.now()), 2026, 5_400_000, ("Drama",))
    )
    made = shelf(stage, "Short Row")
    value = await chosen(stage, olivia, "short row")
    found: list[dict[str, Any]] = []

    async def is_offered() -> bool:
        found[:] = await olivia.type_in("collection add", "title", "passing lantern", collection=value["value"])
        return bool(found)

    await stage.wait_for(is_offered, "the film to be offered", 20)
    stage.plex.world.remove(film)  # and no notice of it
    shown = await answered(await olivia.slash("collection add", collection=value, title=found[0]))
    assert "That title is no longer on the server" in shown.text
    stage.plex.world.remove(made)
    shown = await answered(
        await olivia.slash("collection add", collection=value, title=f"t:attic:{films(stage, 1)[0].key}")
    )
    assert "That collection is no longer on the server" in shown.text

    async def is_gone() -> bool:
        return not await olivia.type_in("collection show", "collection", "short row")

    await stage.wait_for(is_gone, "the collection to be forgotten", 20)


async def test_guests_may_look_and_no_more(stage: Stage) -> None:
    guest, film = stage.guest(), films(stage, 1)[0]
    title = f"t:attic:{film.key}"
    for command, given in (
        ("create", {"library": "Movies", "name": "Mine"}),
        ("add", {"collection": "Orbit and Beyond", "title": title}),
        ("remove", {"collection": "Orbit and Beyond", "title": title}),
        ("delete", {"collection": "Orbit and Beyond"}),
    ):
        shown = await answered(await guest.slash(f"collection {command}", **given))
        assert "Only the owners of this bot may do that." in shown.text
    assert stage.plex.world.find("Orbit and Beyond", "collection")


async def test_a_restricted_account_sees_its_part(stage: Stage, olivia: Member) -> None:
    """Yuki sees films with one label only: what is hidden is neither listed nor counted, nor named by a collection."""
    row, hidden = shelf(stage, "Mixed Row"), shelf(stage, "Hidden Row", 2)
    (_, shown_film), (_, *_), (_, hidden_film) = row.members[0], row.members[1], row.members[2]
    for item in {shown_film, *[item for _, item in hidden.members]} - {shown_film}:
        assert "Yuki Sees" not in stage.plex.world.labels(item)
    stage.plex.edit(shown_film, labels=("Yuki Sees",))
    stage.plex.restrict("Yuki", sections=frozenset({1, 2}), filter_movies="label=Yuki Sees")
    yuki = stage.guest()
    await (await link(stage, yuki, "Yuki")).until("Your Plex account is linked.")
    await until_listed(stage, olivia, r"Mixed Row\W+3 titles")
    listed = await until_listed(stage, yuki, r"Mixed Row\W+1 title ·")
    assert "Hidden Row" not in listed.text
    assert "Rainy Day" not in listed.text
    value = await chosen(stage, yuki, "mixed row")
    opened = await answered(await yuki.slash("collection show", collection=value))
    assert shown_film.title in opened.text
    assert hidden_film.title not in opened.text
    assert "1 title ·" in opened.text
    assert await yuki.type_in("collection show", "collection", "hidden row") == []
    ref = f"c:attic:{hidden.key}"
    refused = await answered(await yuki.slash("collection show", collection=ref))
    assert "I know no collection" in refused.text
    pressed = await answered(
        await (await answered(await stage.guest().slash("collection list"))).choose("Show one of them", "Mixed Row")
    )
    assert hidden_film.title in pressed.text
    await asyncio.to_thread(_unlink_all, stage)


def _unlink_all(stage: Stage) -> None:
    with closing(sqlite3.connect(stage.folder / "data" / "marquee.db", timeout=10)) as connection, connection:
        for table in ("plex_accounts", "plex_rests", "link_requests"):
            connection.execute(f"DELETE FROM {table}")
