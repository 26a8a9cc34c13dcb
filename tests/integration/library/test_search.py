"""Search: prefixes, words, slips of the finger, years, episodes, and never what somebody may not see."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
import structlog
from sqlalchemy import insert, text, update

from daemon.core.ids import ServerId
from daemon.core.media import TitleKind
from daemon.core.visibility import LibraryRef, Restriction, Visibility
from daemon.data.library import libraries as libraries_of
from daemon.data.library.tables import libraries, library_tags, library_title_tags, library_titles
from daemon.data.store import Store
from daemon.kernel.tasks import Supervisor
from daemon.services.library import Search

HOUSE = ServerId("house")
FILMS = [
    ("Dune", 2021), ("Dune", 1984), ("Dune: Part Two", 2024), ("The Matrix", 1999), ("Amélie", 2001), ("Alien", 1979),
    ("Aliens", 1986), ("A Quiet Place", 2018), ("Casablanca", 1942), ("Spirited Away", 2001), ("七人の侍", 1954),
    ("Сталкер", 1979), ("2001: A Space Odyssey", 1968),
]  # fmt: skip


async def _fill(store: Store) -> None:
    def unit(tx):  # type: ignore[no-untyped-def]
        for number, (key, kind) in enumerate((("1", "movie"), ("2", "show"), ("3", "movie")), 1):
            tx.execute(
                insert(libraries).values(id=number, server=HOUSE, key=key, kind=kind, name=f"Library {key}", revision=1)
            )
        rows = [_row(key, 1, "movie", name, year=year) for key, (name, year) in enumerate(FILMS, 1)]
        rows.append(_row(100, 2, "show", "The Office", year=2005))
        rows += [
            _row(
                100 + 10 * season + episode, 2, "episode", f"Chapter {season} {episode}",
                parent_name=f"Season {season}",
                grandparent_name="The Office", index_no=episode, parent_index_no=season, grandparent_key=100,
                parent_key=100 + season,
            )
            for season in (1, 2)
            for episode in range(1, 6)
        ]  # fmt: skip
        rows.append(_row(900, 3, "movie", "Dune of Secrets", year=2020))
        for row in rows:
            tx.execute(insert(library_titles).values(**row))

    await store.write(unit)


def _row(rating_key: int, library: int, kind: str, name: str, **more: object) -> dict[str, object]:
    return {
        "id": rating_key, "library_id": library, "server": HOUSE, "rating_key": rating_key, "kind": kind, "name": name,
        "digest": 0, "revision": 1, "first_pass": 1, "seen_pass": 1, **more,
    }  # fmt: skip


def _see(*keys: str, **restrictions: Restriction) -> Visibility:
    return Visibility(
        frozenset(LibraryRef(HOUSE, key) for key in keys),
        {LibraryRef(HOUSE, key.removeprefix("l")): one for key, one in restrictions.items()},
    )


@pytest.fixture
def supervisor() -> Supervisor:
    return Supervisor(log=structlog.get_logger("tests"))


@pytest_asyncio.fixture
async def search(store: Store, tmp_path: Path, supervisor: Supervisor) -> AsyncIterator[Search]:
    await _fill(store)
    made = Search(store, tmp_path / "search.sqlite3", supervisor, look_s=0.02)
    await made.catch_up()
    yield made
    await made.stop()


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("du", "Dune (2021)"),
        ("dune 2021", "Dune (2021)"),
        ("dune 1984", "Dune (1984)"),
        ("matrix", "The Matrix (1999)"),
        ("the matrix", "The Matrix (1999)"),
        ("amelie", "Amélie (2001)"),
        ("AMÉLIE", "Amélie (2001)"),
        ("quiet place", "A Quiet Place (2018)"),
        ("away", "Spirited Away (2001)"),
        ("2001", "2001: A Space Odyssey (1968)"),
        ("office s02e04", "The Office - S02E04 - Chapter 2 4"),
        ("the office 2x04", "The Office - S02E04 - Chapter 2 4"),
        ("offi", "The Office (2005)"),
        ("七人", "七人の侍 (1954)"),
        ("сталк", "Сталкер (1979)"),
    ],
)
async def test_what_is_typed_finds_what_is_meant(search: Search, typed: str, first: str) -> None:
    found = await search.suggest(typed)
    assert [str(title) for title in found[:1]] == [first]
    assert (await search.find(typed)).titles[0] == found[0]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("casablanka", "Casablanca (1942)"),
        ("the matirx", "The Matrix (1999)"),
        ("spirted away", "Spirited Away (2001)"),
        ("casablnca 1942", "Casablanca (1942)"),
        ("ofice s02e04", "The Office - S02E04 - Chapter 2 4"),
        ("amelye", "Amélie (2001)"),
    ],
)
async def test_slips_of_the_finger_are_put_right(search: Search, typed: str, first: str) -> None:
    assert str((await search.suggest(typed))[0]) == first
    assert str((await search.find(typed)).titles[0]) == first


@pytest.mark.parametrize(
    "typed", ["", "   ", "!!!", '"', "a* OR b", "__l1", "NEAR(", "x" * 5_000, "-", "'; DROP TABLE"]
)
async def test_nothing_typed_is_an_error(search: Search, typed: str) -> None:
    for ask in (search.suggest, search.find, search.nearest):
        await ask(typed)


async def test_kinds_and_one_library(search: Search) -> None:
    episodes = await search.suggest("office", kinds=[TitleKind.EPISODE])
    assert len(episodes) == 10
    only = await search.find("dune", only=LibraryRef(HOUSE, "3"))
    assert [title.name for title in only.titles] == ["Dune of Secrets"]
    assert only.titles[0].library == "Library 3"
    assert only.is_complete


async def test_nearest_names_are_told_for_what_is_not_there(search: Search) -> None:
    assert (await search.nearest("Alienz"))[0].name in ("Alien", "Aliens")


async def test_libraries_that_are_not_seen_are_not_searched(search: Search) -> None:
    sees = _see("3")
    assert [t.name for t in await search.suggest("dune", sees)] == ["Dune of Secrets"]
    assert [t.name for t in (await search.find("duen of secrets", sees)).titles] == ["Dune of Secrets"]
    assert (await search.find("matrix", sees)).titles == ()
    assert (await search.find("matirx", sees)).titles == ()
    assert await search.suggest("dune", Visibility(frozenset())) == []


async def test_labels_and_content_ratings_narrow_a_library_and_what_is_below(store: Store, search: Search) -> None:
    def unit(tx):  # type: ignore[no-untyped-def]
        tx.execute(insert(library_tags).values(id=1, library_id=2, kind="label", key="7", name="family"))
        tx.execute(insert(library_title_tags).values(title_id=100, tag_id=1))
        tx.execute(insert(library_tags).values(id=2, library_id=1, kind="label", key="7", name="family"))
        tx.execute(insert(library_title_tags).values(title_id=4, tag_id=2))
        tx.execute(text("UPDATE library_titles SET content_rating = 'R' WHERE id = 6"))
        tx.execute(text("UPDATE libraries SET revision = 2"))
        tx.execute(text("UPDATE library_titles SET revision = 2"))

    await store.write(unit)
    await search.catch_up()
    family = Restriction(labels=frozenset({"family"}))
    assert [t.name for t in await search.suggest("a", _see("1", l1=family))] == []
    assert [t.name for t in await search.suggest("matrix", _see("1", "3", l1=family))] == ["The Matrix"]
    assert len(await search.suggest("office s02", _see("2", l2=family))) == 5
    hidden = Restriction(hidden_labels=frozenset({"family"}))
    assert await search.suggest("office", _see("2", l2=hidden)) == []
    assert (await search.find("ofice s02e04", _see("2", l2=hidden))).titles == ()
    assert [t.name for t in await search.suggest("alien", _see("1", l1=Restriction(ratings=frozenset({"R"}))))] == [
        "Alien"
    ]
    no_r = Restriction(hidden_ratings=frozenset({"R"}))
    assert [t.name for t in await search.suggest("alien", _see("1", l1=no_r))] == ["Aliens"]


async def test_who_sees_a_twentieth_loses_no_hit(store: Store, tmp_path: Path, supervisor: Supervisor) -> None:
    rng = random.Random(5)
    nouns = ("River", "Harbor", "Garden", "Winter", "Orchard", "Lantern", "Comet", "Harvest", "Mirror", "Castle")

    def unit(tx):  # type: ignore[no-untyped-def]
        for number in range(1, 21):
            tx.execute(
                insert(libraries).values(
                    id=number, server=HOUSE, key=str(number), kind="movie", name=f"Library {number}", revision=1
                )
            )
        rows = [
            _row(
                key,
                key % 20 + 1,
                "movie",
                f"The {rng.choice(nouns)} of {rng.choice(nouns)} {key}",
                year=2000 + key % 20,
            )
            for key in range(1, 10_001)
        ]
        tx.execute(insert(library_titles), rows)
        return rows

    rows = await store.write(unit)
    search = Search(store, tmp_path / "search.sqlite3", supervisor)
    await search.catch_up()
    mine = [row for row in rows if row["library_id"] == 7]
    assert len(mine) == 500
    sees = _see("7")
    lost = []
    for row in mine:
        name = str(row["name"])
        typo = name[:5] + name[6:]
        for ask in (name, name.removeprefix("The ").lower()):
            found = await search.suggest(ask, sees)
            if not any(title.name == name for title in found):
                lost.append(ask)
        found = list((await search.find(typo, sees)).titles[:10])
        if not any(title.name == name for title in found):
            lost.append(typo)
        assert {title.library for title in found} <= {"Library 7"}
    assert lost == []
    for noun in nouns:  # as many as fit, all of what is seen
        assert len(await search.suggest(noun, sees)) == 25
    labelled = _see(*(str(n) for n in range(1, 21)), l7=Restriction(labels=frozenset({"none"})))
    assert all(title.library != "Library 7" for title in await search.suggest("the river", labelled))
    await search.stop()


async def test_an_empty_text_shows_what_is_new(store: Store, search: Search) -> None:
    def unit(tx):  # type: ignore[no-untyped-def]
        for title_id, day in ((4, 1), (900, 2), (100, 3), (111, 4)):  # a film, one of library 3, the show, an episode
            added_at = datetime(2026, 5, day, tzinfo=UTC)
            tx.execute(update(library_titles).where(library_titles.c.id == title_id).values(added_at=added_at))
        tx.execute(text("UPDATE library_titles SET revision = 2"))
        tx.execute(text("UPDATE libraries SET revision = 2"))

    await store.write(unit)
    await search.catch_up()
    assert [title.name for title in await search.suggest("")] == ["The Office", "Dune of Secrets", "The Matrix"]
    assert [title.name for title in await search.suggest(" ", limit=1)] == ["The Office"]
    assert [title.name for title in await search.suggest("", kinds={TitleKind.MOVIE})] == [
        "Dune of Secrets",
        "The Matrix",
    ]
    assert [title.name for title in await search.suggest("", _see("1"))] == ["The Matrix"]
    labelled = Restriction(labels=frozenset({"family"}))
    assert await search.suggest("", _see("1", l1=labelled)) == []
    assert (await search.find("")).titles == ()


async def test_it_tells_whether_all_titles_of_a_server_can_be_found(store: Store, tmp_path: Path) -> None:
    await _fill(store)
    search = Search(store, tmp_path / "search.sqlite3", Supervisor(log=structlog.get_logger("tests")))
    assert not search.holds(HOUSE)
    await search.catch_up()
    assert not search.holds(HOUSE)  # its libraries have not been read whole
    assert (await search.check()).observed is None
    await store.write(lambda tx: libraries_of.mark_read(tx, 1, "1", datetime(2026, 5, 1, tzinfo=UTC)))
    await search.catch_up()
    assert not search.holds(HOUSE)
    for library in (2, 3):
        await store.write(partial(libraries_of.mark_read, library_id=library, stamp="1", at=datetime.now(UTC)))
    await search.catch_up()
    assert search.holds(HOUSE)
    assert not search.holds(ServerId("cellar"))
    check = await search.check()
    assert (check.observed, check.unit) == (len(FILMS) + 12, "titles")
    await search.stop()


async def test_changes_and_removals_reach_the_file(store: Store, search: Search) -> None:
    def unit(tx):  # type: ignore[no-untyped-def]
        tx.execute(text("UPDATE libraries SET revision = 2 WHERE id = 1"))
        tx.execute(text("UPDATE library_titles SET name = 'Renamed Entirely', revision = 2 WHERE id = 4"))
        tx.execute(text("DELETE FROM library_titles WHERE id = 9"))
        tx.execute(text("DELETE FROM library_titles WHERE library_id = 3"))
        tx.execute(text("DELETE FROM libraries WHERE id = 3"))

    await store.write(unit)
    assert await search.catch_up() == 3
    assert [title.name for title in await search.suggest("renamed")] == ["Renamed Entirely"]
    for gone in ("matrix", "casablanca", "dune of secrets", "the matrix"):
        assert await search.suggest(gone) == []
    assert await search.catch_up() == 0


async def test_a_running_search_follows_by_itself(store: Store, search: Search) -> None:
    await search.start()

    def unit(tx):  # type: ignore[no-untyped-def]
        tx.execute(text("UPDATE libraries SET revision = 5 WHERE id = 1"))
        tx.execute(insert(library_titles).values(**(_row(50, 1, "movie", "Brand New Thing") | {"revision": 5})))

    await store.write(unit)
    async with asyncio.timeout(10):
        while not await search.suggest("brand new"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("damage", ["missing", "garbage", "torn", "foreign", "older"])
async def test_a_lost_file_is_made_again_and_is_no_error(
    store: Store, tmp_path: Path, supervisor: Supervisor, damage: str
) -> None:
    await _fill(store)
    path = tmp_path / "search.sqlite3"
    first = Search(store, path, supervisor)
    await first.catch_up()
    await first.stop()
    await asyncio.to_thread(_damage, path, damage)
    second = Search(store, path, supervisor, look_s=0.02)
    for typed in ("dune", "matirx"):  # before anything was made again: what can be found, and no error
        await second.find(typed)
    await second.start()
    async with asyncio.timeout(10):
        while not (await second.find("dune")).is_complete or not await second.suggest("matrix"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert str((await second.find("office s02e04")).titles[0]) == "The Office - S02E04 - Chapter 2 4"
    await second.stop()


def _damage(path: Path, damage: str) -> None:
    match damage:
        case "missing":
            path.unlink()
        case "garbage":
            path.write_bytes(b"this is no database" * 1_000)
        case "torn":
            whole = path.read_bytes()
            path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
        case "foreign":
            path.unlink()
            with sqlite3.connect(path) as other:
                other.execute("PRAGMA user_version = 1")
                other.execute("CREATE TABLE libraries (something TEXT)")
            other.close()
        case _:
            with sqlite3.connect(path) as older:
                older.execute("PRAGMA user_version = 0")
            older.close()
