"""What owners look for in the mirror, on both databases, against a library that the simulator serves."""

from __future__ import annotations

from datetime import timedelta

from daemon.core.ids import ServerId
from daemon.core.library import LibraryKind
from daemon.core.visibility import LibraryRef
from daemon.services.library import Stock
from simulators.plex.items import Item
from simulators.plex.scan import appear
from tests.integration.library.stage import Stage
from tests.simtime import SimTime

MOVIES, SHOWS, MUSIC = (LibraryRef(ServerId("attic"), key) for key in ("1", "2", "3"))
NOWHERE = LibraryRef(ServerId("attic"), "99")


def film(stage: Stage, title: str, **given: object) -> Item:
    """A new film in the library of films."""
    now = int(stage.sim.clock.now())
    return appear(stage.sim.server, Item(0, "movie", title, 1, now, 2026, 5_400_000, ("Drama",), given=given))


async def test_what_changed_since_a_mark_is_told(stage: Stage) -> None:
    stock = Stock(stage.store)
    await stage.sync()
    before = await stock.mark(MOVIES)
    assert before is not None
    assert before.count == len(stage.sim.world.listed(1, "movie"))
    same = await stock.changes(MOVIES, before, 5)
    assert same is not None
    assert (same.added, same.removed, same.changed, same.names) == (0, 0, 0, ())

    first, second, third = stage.sim.world.listed(1, "movie")[:3]
    new = [film(stage, f"Brand New {number}") for number in range(3)]
    stage.sim.remove(first)
    stage.sim.edit(second, title="Quite Another Name")
    stage.sim.rekey(third)
    await stage.sync()
    after = await stock.changes(MOVIES, before, 2)
    assert after is not None
    assert (after.added, after.removed) == (3, 1)
    assert after.changed == 2  # the edited one, and the one that goes by another number
    assert [shown.title.name for shown in after.names] == [item.title for item in new[:2]]
    assert await stock.mark(NOWHERE) is None
    assert await stock.changes(NOWHERE, before, 2) is None


async def test_unmatched_titles_are_counted_and_paged(stage: Stage) -> None:
    stock, world = Stock(stage.store), stage.sim.world
    added = [film(stage, f"Holiday Tape {number:02}", guid=f"local://{number}") for number in range(11)]
    film(stage, "Zebra Tape", guid="com.plexapp.agents.none://77?lang=xn")
    await stage.sync()
    expected = {
        item.title
        for item in world.listed(1, "movie")
        if (world.guid(item) or "local://").startswith(("local://", "com.plexapp.agents.none://"))
    }
    assert len(expected) >= 12
    total, page = await stock.unmatched(MOVIES, 0, 10)
    assert total == len(expected)
    assert len(page) == 10
    _, rest = await stock.unmatched(MOVIES, 10, 100)
    names = [one.shown.title.name for one in (*page, *rest)]
    assert sorted(names) == sorted(" ".join(title.split()) for title in expected)
    (tape,) = [one for one in (*page, *rest) if one.shown.title.name == added[0].title]
    assert tape.file is not None
    assert tape.file.startswith("/media/")
    assert (await stock.unmatched(NOWHERE, 0, 10)) == (0, [])
    shows = (await stock.unmatched(SHOWS, 0, 100))[1]
    assert {one.shown.title.kind.value for one in shows} <= {"show"}


async def test_versions_and_twins_are_doubles(stage: Stage) -> None:
    stock, world = Stock(stage.store), stage.sim.world
    single = next(item for item in world.listed(1, "movie") if len(world.facts(item).media) == 1)
    stage.sim.add_version(single, "sd", size_bytes=700_000_000)
    one = film(stage, "Twice Told", guid="plex://movie/twice", guids=("imdb://tt7000001",))
    film(stage, "Twice Told Again", guid="plex://movie/twice", guids=())
    film(stage, "Twice Told by Another Name", guid="plex://movie/other", guids=("imdb://tt7000001",))
    film(stage, "Nobody Knows One", guid="local://1", guids=())
    film(stage, "Nobody Knows Two", guid="local://1", guids=())
    await stage.sync()
    doubles = await stock.doubles(MOVIES)
    by_name = {double.titles[0].title.name: double for double in doubles}

    versions = by_name[" ".join(single.title.split())]
    assert len(versions.titles) == 1
    sizes = sorted(media.size_bytes for media in world.facts(single).media)
    assert versions.saved_bytes == sum(sizes[:-1]) == 700_000_000
    assert {version.size_bytes for version in versions.versions} == set(sizes)

    twins = by_name[one.title]
    assert len(twins.titles) == 3
    assert len(twins.versions) == 3
    assert twins.saved_bytes == sum(version.size_bytes for version in twins.versions[1:])
    assert not {"Nobody Knows One", "Nobody Knows Two"} & set(by_name)
    saved = [double.saved_bytes for double in doubles]
    assert saved == sorted(saved, reverse=True)
    assert await stock.doubles(NOWHERE) == []


async def test_a_file_of_two_titles_saves_nothing(stage: Stage) -> None:
    both = film(stage, "One File", guid="plex://movie/file", guids=())
    twin = film(stage, "One File Again", guid="plex://movie/file", guids=())
    stage.sim.edit(twin, media=stage.sim.world.facts(both).media)
    await stage.sync()
    (double,) = [one for one in await Stock(stage.store).doubles(MOVIES) if one.titles[0].title.name == "One File"]
    assert len(double.titles) == 2
    assert double.saved_bytes == 0


async def test_old_shelves_are_the_largest_first_and_new_parts_make_them_new(stage: Stage) -> None:
    stock, world = Stock(stage.store), stage.sim.world
    await stage.sync()
    now = SimTime(stage.sim.clock).now()
    films = await stock.shelved(MOVIES, now)
    assert [one.size_bytes for one in films] == sorted((one.size_bytes for one in films), reverse=True)
    assert {one.rating_key for one in films} == {item.key for item in world.listed(1, "movie")}
    biggest = films[0]
    files = world.facts(world.items[biggest.rating_key]).media
    assert biggest.size_bytes == sum(media.size_bytes for media in files)

    shows = await stock.shelved(SHOWS, now)
    assert {one.rating_key for one in shows} == {item.key for item in world.listed(2, "show") if world.leaves(item)}
    some = world.items[shows[0].rating_key]
    assert shows[0].size_bytes == sum(
        media.size_bytes for leaf in world.leaves(some) for media in world.facts(leaf).media
    )
    season = some.children[0]
    appear(
        stage.sim.server,
        Item(0, "episode", "Late Arrival", 2, int(stage.sim.clock.now()), 2026, 1_500_000, (), season, 99),
    )
    await stage.sync()
    before = now - timedelta(hours=1)
    old = {one.rating_key for one in await stock.shelved(SHOWS, before)}
    assert some.key not in old
    albums = {one.rating_key for one in await stock.shelved(MUSIC, now)}
    assert albums == {item.key for item in world.listed(3, "album")}
    named = await stock.by_keys(SHOWS, [some.key, 1])
    assert {key: shown.title.name for key, shown in named.items()} == {some.key: " ".join(some.title.split())}
    assert await stock.shelved(NOWHERE, now) == []


async def test_files_are_counted_by_folder(stage: Stage) -> None:
    stock, world = Stock(stage.store), stage.sim.world
    await stage.sync()
    files = [p.file for item in world.listed(1, "movie") for media in world.facts(item).media for p in media.parts]
    folder = files[0].rsplit("/", 2)[0] + "/"
    total, below = await stock.files_below(MOVIES, [folder, "/nowhere/"])
    assert total == len(files)
    assert below == {folder: sum(file.startswith(folder) for file in files), "/nowhere/": 0}
    assert below[folder] > 0
    assert await stock.files_below(NOWHERE, [folder]) == (0, {})
    assert await stock.kind(MOVIES) is LibraryKind.MOVIE
    assert await stock.kind(NOWHERE) is None
