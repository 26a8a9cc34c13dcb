"""Collections and tags in the mirror: followed between two passes, and seen by each as far as they see the titles."""

from __future__ import annotations

from daemon.core.library import CollectionRef
from daemon.core.visibility import LibraryRef, Restriction, Visibility
from daemon.services.library import Shelves
from daemon.services.library.shelves import Collected
from simulators.plex.items import Item
from simulators.plex.shelves import fill, make_collection
from simulators.plex.upkeep import merge, split
from tests.integration.library.stage import ATTIC, Stage

MOVIES = LibraryRef(ATTIC, "1")
EVERYTHING = Visibility()


async def listing(stage: Stage, sees: Visibility = EVERYTHING, only: LibraryRef | None = None) -> dict[str, Collected]:
    return {one.name: one for one in await Shelves(stage.store).collections(sees, only)}


async def tagged(stage: Stage, item: Item, kind: str) -> list[str]:
    rows = await stage.rows(
        "SELECT g.name FROM library_title_tags m JOIN library_tags g ON g.id = m.tag_id JOIN library_titles t"
        " ON t.id = m.title_id WHERE t.rating_key = :key AND g.kind = :kind ORDER BY g.name",
        key=item.key, kind=kind,
    )  # fmt: skip
    return [name for (name,) in rows]


async def test_collections_are_followed_by_their_keys(stage: Stage) -> None:
    world, server = stage.sim.world, stage.sim.server
    await stage.sync()
    pages = stage.asked("/all")
    films = world.listed(1, "movie")[10:14]
    made = make_collection(server, 1, "Night Shift", films[:3])
    await stage.mirror.catch_up(stage.reader, [made.key])
    assert (await listing(stage))["Night Shift"].count == 3
    fill(server, made, [(item.key, item) for item in films[1:]])
    world.edit(made, world.now + 9, title="Day Shift")
    await stage.mirror.catch_up(stage.reader, [made.key])
    found = await listing(stage, only=MOVIES)
    assert "Night Shift" not in found
    assert found["Day Shift"].ref == CollectionRef(ATTIC, str(made.key))
    shown = await Shelves(stage.store).collected(EVERYTHING, found["Day Shift"], None)
    assert {each.title.name for each in shown} == {item.title for item in films[1:]}
    order = [item.key for item in reversed(films)]
    shown = await Shelves(stage.store).collected(EVERYTHING, found["Day Shift"], order)
    assert [each.title.ref.rating_key for each in shown] == [str(key) for key in order]
    world.remove(made)
    await stage.mirror.catch_up(stage.reader, [made.key])
    assert "Day Shift" not in await listing(stage)
    assert stage.asked("/all") == pages
    await stage.assert_same()


async def test_genres_and_labels_follow_their_titles(stage: Stage) -> None:
    world = stage.sim.world
    film, show = world.listed(1, "movie")[3], world.listed(2, "show")[0]
    await stage.sync()
    for item in (film, show):
        world.edit(item, world.now + 5, genres=("Drama", "Never Seen Before"), labels=("Attic",))
    episode = world.leaves(show)[0]
    changes = await stage.mirror.catch_up(stage.reader, [film.key, show.key, episode.key])
    assert changes >= 4
    for item in (film, show):
        assert await tagged(stage, item, "genre") == ["Drama", "Never Seen Before"]
        assert await tagged(stage, item, "label") == ["Attic"]
    assert await tagged(stage, episode, "label") == []
    sees = Visibility(frozenset({MOVIES}), {MOVIES: Restriction(labels=frozenset({"Attic"}))})
    assert [each.title.name for each in await Shelves(stage.store).recent(sees, None, None, 10)] == [film.title]
    for item in (film, show):
        world.edit(item, world.now + 6, genres=("Drama",), labels=())
    await stage.mirror.catch_up(stage.reader, [film.key, show.key])
    assert await tagged(stage, film, "label") == []
    assert await stage.rows("SELECT 1 FROM library_tags WHERE name = 'Never Seen Before'") == []
    assert await Shelves(stage.store).recent(sees, None, None, 10) == []
    assert await stage.mirror.catch_up(stage.reader, [film.key, show.key]) == 0


async def test_a_pass_finds_nothing_to_put_right_after_it(stage: Stage) -> None:
    """What was followed by keys is what a listing of everything says."""
    world = stage.sim.world
    film = world.listed(1, "movie")[3]
    await stage.sync()
    world.edit(film, world.now + 5, genres=("Drama", "Western"), labels=("Attic",))
    made = make_collection(stage.sim.server, 1, "Night Shift", [film])
    await stage.mirror.catch_up(stage.reader, [film.key, made.key])
    sql = "SELECT title_id, tag_id FROM library_title_tags ORDER BY title_id, tag_id"
    before = await stage.rows(sql)
    await stage.sync(afresh=True)
    assert await stage.rows(sql) == before


async def test_what_is_hidden_is_neither_named_nor_counted(stage: Stage) -> None:
    world, server = stage.sim.world, stage.sim.server
    films = [item for item in world.listed(1, "movie") if not world.shelves(item)][:6]
    world.edit(films[0], world.now + 5, labels=("Kids",))
    make_collection(server, 1, "Mixed", films[:3])
    make_collection(server, 1, "Hidden", films[3:])
    make_collection(server, 2, "Shows", world.listed(2, "show")[:2])
    await stage.sync()
    kids = Visibility(frozenset({MOVIES, LibraryRef(ATTIC, "2")}), {MOVIES: Restriction(labels=frozenset({"Kids"}))})
    found = await listing(stage, kids)
    assert {name: one.count for name, one in found.items()} == {"Mixed": 1, "Shows": 2}
    every = await listing(stage)
    assert (every["Mixed"].count, every["Hidden"].count) == (3, 3)
    for keys in (None, [item.key for item in films]):
        shown = await Shelves(stage.store).collected(kids, every["Mixed"], keys)
        assert [each.title.name for each in shown] == [films[0].title]
        assert await Shelves(stage.store).collected(kids, every["Shows"], [item.key for item in films]) == []
    assert await listing(stage, Visibility(frozenset())) == {}
    assert list(await listing(stage, Visibility(frozenset({LibraryRef(ATTIC, "2")})))) == ["Shows"]


async def test_a_film_that_is_split_and_merged_again_stays_itself(stage: Stage) -> None:
    film = stage.sim.world.listed(1, "movie")[4]
    stage.sim.add_version(film, "4k")
    await stage.sync()
    before = await stage.title_id(film)
    (new,) = split(stage.sim.server, film)
    await stage.mirror.catch_up(stage.reader, [film.key, new.key])
    assert await stage.title_id(film) == before
    assert await stage.title_id(new) != before
    merge(stage.sim.server, film, [new])
    await stage.mirror.catch_up(stage.reader, [film.key, new.key])
    assert await stage.title_id(film) == before
    assert await stage.rows("SELECT 1 FROM library_titles WHERE rating_key = :key", key=new.key) == []
