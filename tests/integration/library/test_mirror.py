"""Whole libraries: read, left alone, read again; interrupted, contradicted, removed, taken over."""

from __future__ import annotations

import asyncio
import json

import pytest

from daemon.core.errors import UpstreamError, UserError
from daemon.services.library import Outcome, Progress
from simulators.plex.items import Item
from simulators.plex.scan import appear, vanish
from tests.integration.library.stage import READ, UNCHANGED, Stage


async def test_everything_is_read_as_the_server_has_it(stage: Stage) -> None:
    done = await stage.sync()
    assert {name: summary.outcome for name, summary in done.items()} == dict.fromkeys(
        ("Movies", "TV Shows", "Music", "Kids"), READ
    )
    assert all(summary.is_whole and summary.taken.added for summary in done.values())
    await stage.assert_same()


async def test_versions_files_ids_and_people_are_kept(stage: Stage) -> None:
    await stage.sync()
    world = stage.sim.world
    film = next(item for item in world.listed(1, "movie") if world.facts(item).guids and world.facts(item).media)
    facts, title_id = world.facts(film), await stage.title_id(film)
    guids = await stage.rows("SELECT guid FROM library_guids WHERE title_id = :id", id=title_id)
    assert sorted(guid for (guid,) in guids) == sorted(set(facts.guids))
    versions = await stage.rows(
        "SELECT media_id, video_codec, resolution FROM library_versions WHERE title_id = :id ORDER BY media_id",
        id=title_id,
    )
    assert [row[0] for row in versions] == sorted(media.id for media in facts.media)
    assert {row[2] for row in versions} == {media.resolution for media in facts.media}
    parts = await stage.rows("SELECT sum(size_bytes), count(*) FROM library_parts WHERE title_id = :id", id=title_id)
    files = [part for media in facts.media for part in media.parts]
    assert parts == [(sum(part.size for part in files), len(files))]
    ((people,),) = await stage.rows("SELECT people FROM library_titles WHERE id = :id", id=title_id)
    assert json.loads(people)["director"] == list(facts.directors[:3])
    assert len(json.loads(people)["role"]) == 3


async def test_genres_are_whole_though_listings_cut_them(stage: Stage) -> None:
    await stage.sync()
    film = max(stage.sim.world.listed(1, "movie"), key=lambda item: len(item.genres))
    assert len(film.genres) > 2
    genres = await stage.rows(
        "SELECT g.name FROM library_tags g JOIN library_title_tags m ON m.tag_id = g.id "
        "WHERE m.title_id = :id AND g.kind = 'genre'",
        id=await stage.title_id(film),
    )
    assert sorted(name for (name,) in genres) == sorted(film.genres)


async def test_collections_know_their_titles_and_lose_them(stage: Stage) -> None:
    await stage.sync()
    world = stage.sim.world
    shelf = world.find("Orbit and Beyond", "collection")

    async def members() -> list[int]:
        rows = await stage.rows(
            "SELECT t.rating_key FROM library_titles t JOIN library_title_tags m ON m.title_id = t.id "
            "JOIN library_tags g ON g.id = m.tag_id WHERE g.name = 'Orbit and Beyond' ORDER BY 1"
        )
        return [key for (key,) in rows]

    assert await members() == sorted(item.key for _, item in shelf.members)
    shelf.members = shelf.members[:1]
    world.touch(shelf.section)
    await stage.sync()
    assert await members() == [shelf.members[0][1].key]
    world.remove(shelf)
    await stage.sync()
    assert await stage.rows("SELECT 1 FROM library_tags WHERE name = 'Orbit and Beyond'") == []


async def test_an_unchanged_server_costs_one_request(stage: Stage) -> None:
    await stage.sync()
    before = len(stage.sim.requests)
    done = await stage.sync()
    assert {summary.outcome for summary in done.values()} == {UNCHANGED}
    assert len(stage.sim.requests) == before + 1


async def test_only_the_library_that_changed_is_read_and_only_what_changed_is_written(stage: Stage) -> None:
    await stage.sync()
    world = stage.sim.world
    film = world.listed(1, "movie")[3]
    title_id = await stage.title_id(film)
    world.edit(film, world.now + 5, title="Another Name Altogether")
    done = await stage.sync()
    assert {name for name, summary in done.items() if summary.outcome is READ} == {"Movies"}
    assert (done["Movies"].taken.added, done["Movies"].taken.changed) == (0, 1)
    assert done["Movies"].taken.same == len(world.listed(1, "movie")) - 1
    assert (await stage.names("movie"))[film.key] == "Another Name Altogether"
    assert await stage.title_id(film) == title_id


async def test_what_was_watched_changes_nothing(stage: Stage) -> None:
    await stage.sync()
    film = stage.sim.world.listed(1, "movie")[0]
    stage.sim.world.change_view(1, film).count += 1
    done = await stage.sync(afresh=True)
    assert all(summary.taken.changed == summary.taken.added == 0 for summary in done.values())


async def test_titles_come_and_go(stage: Stage) -> None:
    await stage.sync()
    world, server = stage.sim.world, stage.sim.server
    vanish(server, world.listed(1, "movie")[0])
    vanish(server, world.listed(2, "show")[0])
    appear(server, Item(0, "movie", "A New Film", 1, world.now + 9, 2026, 5_400_000, ("Drama",)))
    done = await stage.sync()
    assert done["Movies"].taken.added == 1
    assert done["Movies"].removed == 1
    assert done["TV Shows"].removed > 2
    await stage.assert_same()


async def test_a_title_with_a_new_rating_key_keeps_its_id(stage: Stage) -> None:
    await stage.sync()
    world = stage.sim.world
    film, show = world.listed(1, "movie")[5], world.listed(2, "show")[1]
    before, of_show = await stage.title_id(film), await stage.title_id(show)
    genres = await stage.rows("SELECT count(*) FROM library_title_tags WHERE title_id = :id", id=before)
    world.rekey(film)
    world.rekey(show)
    done = await stage.sync()
    assert (done["Movies"].healed, done["Movies"].removed) == (1, 0)
    assert (await stage.title_id(film), await stage.title_id(show)) == (before, of_show)
    assert await stage.rows("SELECT count(*) FROM library_title_tags WHERE title_id = :id", id=before) == genres
    assert genres != [(0,)]
    await stage.assert_same()


async def test_an_interrupted_pass_goes_on_where_it_was(stage: Stage) -> None:
    # In the middle of the episodes the server starts to answer with errors, for longer than anybody is patient.
    fault = stage.sim.server.faults.add(r"/library/sections/2/all\?type=4", 500, after=1)
    done = await stage.sync()
    assert done["TV Shows"].outcome is Outcome.INTERRUPTED
    assert done["TV Shows"].problem == "Plex server attic gave an unreadable answer"
    assert {name for name, summary in done.items() if summary.outcome is READ} == {"Movies", "Music", "Kids"}
    assert fault.hits > 2
    stage.sim.server.faults.remove(fault)
    before = {part: stage.asked_for(part) for part in ("type=2", "type=3", "type=4")}
    assert (await stage.sync())["TV Shows"].outcome is READ
    again = {part: stage.asked_for(part) - count for part, count in before.items()}
    assert again["type=3"] == 0
    assert again["type=4"] > 0
    await stage.assert_same()


async def test_what_was_read_before_an_interruption_is_not_read_again(stage: Stage) -> None:
    fault = stage.sim.server.faults.add(r"/library/sections/2/genre", 500)
    assert (await stage.sync())["TV Shows"].outcome is Outcome.INTERRUPTED
    ((problem, stage_no),) = await stage.rows("SELECT problem, stage FROM library_passes WHERE problem IS NOT NULL")
    assert (problem, stage_no) == ("Plex server attic gave an unreadable answer", 3)
    stage.sim.server.faults.remove(fault)
    pages = stage.asked("/library/sections/2/all")
    done = await stage.sync()
    assert done["TV Shows"].outcome is READ
    assert done["TV Shows"].taken.same == done["TV Shows"].taken.added == 0
    tagged = len({genre for show in stage.sim.world.listed(2, "show") for genre in show.genres})
    assert stage.asked("/library/sections/2/all") - pages == tagged
    await stage.assert_same()


async def test_totals_that_never_agree_lose_nothing_and_remove_nothing(stage: Stage) -> None:
    await stage.sync()
    stage.sim.server.faults.totals_drift = True
    stage.sim.world.touch(1)
    stage.sim.world.touch(1)
    for _ in range(2):
        done = await stage.sync(afresh=True)
        assert all(summary.removed == 0 for summary in done.values())
        await stage.assert_same()
    assert not all(summary.is_whole for summary in done.values())
    stage.sim.server.faults.totals_drift = False
    done = await stage.sync()
    assert all(summary.is_whole for summary in done.values())


async def test_an_empty_listing_removes_nothing_that_is_there(stage: Stage) -> None:
    await stage.sync()
    world = stage.sim.world
    hidden = world._lists.pop((1, "movie"))
    world.touch(1)
    done = await stage.sync()
    assert done["Movies"].removed == 0
    world._lists[1, "movie"] = hidden
    world.touch(1)
    await stage.sync()
    await stage.assert_same()


@pytest.mark.parametrize("fault", ["truncate", "html", "empty", "garbage", "drop", 503, 520])
async def test_a_bad_answer_now_and_then_does_no_harm(stage: Stage, fault: str | int) -> None:
    struck = stage.sim.server.faults.add("/library/", fault, times=6, probability=0.3)
    done = await stage.sync()
    assert struck.hits >= 3
    assert all(summary.outcome is READ for summary in done.values())
    await stage.assert_same()


async def test_a_library_that_is_gone_takes_its_titles_along(stage: Stage) -> None:
    await stage.sync()
    world = stage.sim.world
    for item in list(world.listed(4, "movie")):
        world.remove(item)
    del world.sections[4]
    done = await stage.sync()
    assert done["Kids"].outcome is Outcome.REMOVED
    assert await stage.rows("SELECT count(*) FROM libraries") == [(3,)]
    await stage.assert_same()


async def test_a_library_removed_while_it_is_read(stage: Stage) -> None:
    world = stage.sim.world
    fault = stage.sim.server.faults.add(r"/library/sections/4/genre", "hold")
    async with asyncio.TaskGroup() as tasks:
        syncing = tasks.create_task(stage.sync())
        await fault.wait_hit()
        for item in list(world.listed(4, "movie")):
            world.remove(item)
        del world.sections[4]
        fault.release()
    assert syncing.result()["Kids"].outcome in (Outcome.REMOVED, READ)
    await stage.sync()
    assert await stage.rows("SELECT count(*) FROM libraries") == [(3,)]
    await stage.assert_same()


async def test_a_token_revoked_in_the_middle_is_said_and_nothing_is_removed(stage: Stage) -> None:
    await stage.sync()
    before = await stage.rows("SELECT count(*) FROM library_titles")
    stage.sim.world.touch(2)
    stage.sim.server.faults.add(r"/library/sections/2/all\?type=3", 401)
    done = await stage.sync()
    assert done["TV Shows"].problem == "Plex server attic rejected the token"
    stage.sim.server.faults.clear()
    stage.sim.server.faults.add(r"/library/sections", 401)
    with pytest.raises(UpstreamError, match="rejected the token"):
        await stage.sync()
    assert await stage.rows("SELECT count(*) FROM library_titles") == before


async def test_two_processes_do_not_read_the_same_library(stage: Stage) -> None:
    fault = stage.sim.server.faults.add(r"/library/sections/1/genre", "hold")
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(stage.sync(only="Movies"))
        await fault.wait_hit()
        (second,) = await stage.another("two").sync(stage.reader, only="1")
        fault.release()
    assert second.outcome is Outcome.BUSY
    assert first.result()["Movies"].outcome is READ


async def test_a_process_that_died_is_followed_by_another(stage: Stage) -> None:
    fault = stage.sim.server.faults.add(r"/library/sections/1/genre", "hold")
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(stage.sync(only="Movies"))
        await fault.wait_hit()
        stage.sim.clock.jump(120.0)  # the first one shows no sign of life
        other = stage.another("two")
        heir = tasks.create_task(other.sync(stage.reader, only="1"))
        fault.release()
    assert {first.result()["Movies"].outcome, heir.result()[0].outcome} == {READ, Outcome.BUSY}
    assert (await stage.sync())["Movies"].outcome in (READ, UNCHANGED)
    await stage.assert_same()


async def test_one_library_by_name_and_none_by_a_wrong_one(stage: Stage) -> None:
    assert set(await stage.sync(only="tv shows")) == {"TV Shows"}
    with pytest.raises(UserError, match="attic has no library 'nothing'"):
        await stage.sync(only="nothing")


async def test_progress_is_told(stage: Stage) -> None:
    told: list[Progress] = []
    await stage.sync(report=told.append)
    shows = [progress for progress in told if progress.name == "TV Shows"]
    assert [progress.done for progress in shows] == sorted(progress.done for progress in shows)
    total = sum(len(stage.sim.world.listed(2, kind)) for kind in ("show", "season", "episode"))
    assert (shows[-1].done, shows[-1].total) == (total, total)
    assert {progress.what for progress in shows} >= {"show", "season", "episode", "genre"}
