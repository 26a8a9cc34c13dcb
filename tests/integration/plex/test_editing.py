"""Titles put right, against the simulator: nothing is lost, whoever writes at the same time."""

from __future__ import annotations

import asyncio

import pytest

from daemon.core.errors import UpstreamError, UserError
from daemon.core.media import TitleRef
from integrations.plex import Editing
from integrations.plex.editing_fields import Field, Mode
from simulators.plex.items import Item
from tests.integration.plex.stage import Stage


@pytest.fixture
def editing(stage: Stage) -> Editing:
    return Editing(stage.plex)


def rich(stage: Stage) -> Item:
    """A film with more genres than listings show."""
    return next(item for item in stage.sim.world.listed(1, "movie") if len(item.genres) > 3)


async def test_two_of_ours_add_at_once(stage: Stage, editing: Editing) -> None:
    item = rich(stage)
    before, ref = list(item.genres), stage.title(item)
    words = [f"Word {number}" for number in range(6)]
    await asyncio.gather(*(editing.edit(ref, Field.GENRE, Mode.ADD, word) for word in words))
    assert list(item.genres)[: len(before)] == before
    assert sorted(list(item.genres)[len(before) :]) == words


async def test_a_removal_names_only_what_is_to_go(stage: Stage, editing: Editing) -> None:
    item = rich(stage)
    before = list(item.genres)
    path = rf"GET /library/metadata/{item.key}$"
    stage.sim.between(path, lambda: stage.sim.edit(item, genres=(*item.genres, "Late")), after=1)
    change = await editing.edit(stage.title(item), Field.GENRE, Mode.REMOVE, before[0])
    assert list(item.genres) == [*before[1:], "Late"]
    assert change.before[0] == before[0]


async def test_words_with_commas_and_odd_signs_come_and_go(stage: Stage, editing: Editing) -> None:
    item, odd = rich(stage), ("Tyler, the Word", "50% & more", "[0].tag=x", "Übung/Ärger?", "🌋")
    before, ref = list(item.genres), stage.title(item)
    stage.sim.edit(item, genres=(*before, *odd))
    await editing.edit(ref, Field.GENRE, Mode.ADD, "Plain")
    assert list(item.genres) == [*before, *odd, "Plain"]
    change = await editing.edit(ref, Field.GENRE, Mode.REMOVE, '"tyler, the word", 50% & more, [0].tag=x, 🌋')
    assert list(item.genres) == [*before, "Übung/Ärger?", "Plain"]
    await editing.undo(change)
    assert sorted(item.genres) == sorted([*before, *odd, "Plain"])


async def test_more_than_fits_into_a_request_is_refused_whole(stage: Stage, editing: Editing) -> None:
    item, ref = rich(stage), stage.title(rich(stage))
    many = tuple(f"A rather long word number {number}" for number in range(150))
    stage.sim.edit(item, genres=many)
    with pytest.raises(UserError) as caught:
        await editing.edit(ref, Field.GENRE, Mode.ADD, "One more")
    assert caught.value.code == "too_long"
    assert item.genres == many
    await editing.edit(ref, Field.GENRE, Mode.REMOVE, many[7])
    assert list(item.genres) == [word for word in many if word != many[7]]


@pytest.mark.parametrize(("field", "value", "name"), [
    (Field.SORT_TITLE, "Orbit, Low", "title_sort"), (Field.ORIGINAL_TITLE, "Niedrige Bahn", "original_title"),
    (Field.SUMMARY, "Quiet & far; 100 %?", "summary"), (Field.TAGLINE, "Up.", "tagline"),
    (Field.CONTENT_RATING, "PG-13", "content_rating"), (Field.STUDIO, "Own", "studio"),
])  # fmt: skip
async def test_texts_of_a_film(stage: Stage, editing: Editing, field: Field, value: str, name: str) -> None:
    item = stage.sim.world.find("Low Orbit")
    before = getattr(stage.sim.world.facts(item), name)
    change = await editing.edit(stage.title(item), field, Mode.SET, value)
    assert getattr(stage.sim.world.facts(item), name) == value
    assert field.plex_name in item.locked
    assert change.after == (value,)
    await editing.undo(change)
    assert (getattr(stage.sim.world.facts(item), name) or None) == (before or None)
    assert field.plex_name not in item.locked


async def test_what_was_locked_stays_locked(stage: Stage, editing: Editing) -> None:
    item = stage.sim.world.find("Low Orbit")
    first = await editing.edit(stage.title(item), Field.YEAR, Mode.SET, "1999")
    second = await editing.edit(stage.title(item), Field.YEAR, Mode.SET, "-")
    assert (item.year, first.was_locked, second.was_locked) == (None, False, True)
    await editing.undo(second)
    assert (item.year, item.locked) == (1999, frozenset({"year"}))
    stage.sim.edit(item, year=2001)
    with pytest.raises(UserError) as caught:
        await editing.undo(second)
    assert caught.value.code == "changed_since"


async def test_a_title_that_is_gone(stage: Stage, editing: Editing) -> None:
    told: list[int | None] = []
    stage.plex.on_library(lambda server, key: told.append(key))
    item = stage.sim.world.find("Low Orbit")
    ref = stage.title(item)
    stage.sim.between(rf"GET /library/metadata/{item.key}$", lambda: stage.sim.world.remove(item))
    with pytest.raises(UserError) as caught:
        await editing.edit(ref, Field.TITLE, Mode.SET, "Lower Orbit")
    assert caught.value.code == "title_gone"
    assert int(ref.rating_key) in told
    for work in (editing.read(ref), editing.split(ref), editing.merge(ref, stage.title("Blue Hour"))):
        with pytest.raises(UserError, match="no longer on the server"):
            await work


async def test_a_server_that_fails_in_the_middle(stage: Stage, editing: Editing) -> None:
    item = rich(stage)
    before, ref = item.genres, stage.title(item)
    for fault in (503, 401, "drop", "html"):
        stage.sim.faults.add(r"/library/sections/1/all.*", fault)
        with pytest.raises(UpstreamError):
            await editing.edit(ref, Field.GENRE, Mode.ADD, "Never")
        assert item.genres == before, fault
        stage.sim.faults.clear()


async def test_an_answer_that_is_lost_is_looked_for(stage: Stage, editing: Editing) -> None:
    item = rich(stage)
    before, ref = list(item.genres), stage.title(item)
    stage.sim.faults.add(r"/library/sections/1/all", "drop_after", times=1, method="PUT")
    change = await editing.edit(ref, Field.GENRE, Mode.ADD, "Arrived")
    assert list(item.genres) == [*before, "Arrived"]
    await editing.undo(change)
    assert list(item.genres) == before
    reading = rf"/library/metadata/{item.key}"
    stage.sim.faults.add(reading, 503, after=1, method="GET")
    with pytest.raises(UserError) as caught:
        await editing.edit(ref, Field.GENRE, Mode.ADD, "Unseen")
    assert caught.value.code == "unverified"
    stage.sim.faults.clear()
    stage.sim.faults.add(r"/library/sections/1/all", "drop_after", times=1, method="PUT")
    stage.sim.faults.add(reading, 503, after=1, method="GET")
    with pytest.raises(UpstreamError):
        await editing.edit(ref, Field.GENRE, Mode.ADD, "Again")
    assert list(item.genres) == [*before, "Unseen", "Again"]


async def test_a_match_keeps_the_rating_key_and_what_is_locked(stage: Stage, editing: Editing) -> None:
    item = stage.sim.world.find("Low Orbit")
    await editing.edit(stage.title(item), Field.TITLE, Mode.SET, "My Orbit")
    found = await editing.candidates(await editing.read(stage.title(item)))
    assert found
    after = await editing.match(stage.title(item), found[-1])
    assert after.ref == stage.title(item)
    assert (after.guid, after.name) == (found[-1].guid, "My Orbit")


async def test_split_and_merge(stage: Stage, editing: Editing) -> None:
    item = stage.sim.world.find("Low Orbit")
    ref = stage.title(item)
    with pytest.raises(UserError, match="one version only"):
        await editing.split(ref)
    stage.sim.add_version(item, "4k", parts=2)
    title = await editing.read(ref)
    assert [len(version.files) for version in title.versions] == [1, 2]
    results = await asyncio.gather(*(editing.split(ref) for _ in range(2)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in results) == ["UserError", "int"]
    new = next(one for one in stage.sim.world.by_guid(stage.sim.world.guid(item)) if one is not item)
    crosswise = await asyncio.gather(
        editing.merge(stage.title(new), ref), editing.merge(ref, stage.title(new)), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in crosswise) == ["Editable", "UserError"]
    assert sum(one.key in stage.sim.world.items for one in (item, new)) == 1
    with pytest.raises(UserError, match="same title twice"):
        await editing.merge(_other(stage), _other(stage))


def _other(stage: Stage) -> TitleRef:
    return stage.title("Blue Hour")
