"""The restore drill: back up a database that is being written to, restore it elsewhere, and work with it."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from daemon.core.ids import GuildId
from daemon.data import schema, version
from daemon.data.migrations import run
from daemon.services.backup import BackupError, Place
from daemon.services.backup.making import make, read_through
from daemon.services.backup.restoring import drill, restore
from tests.integration.backup.house import (
    AT,
    GUILD,
    House,
    Known,
    check,
    count,
    fill,
    in_house,
    place_of,
    silent,
    until,
)
from tests.integration.backup.older import write_older


class Writer:
    """Writes as fast as it is let, and counts what was confirmed."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._stop = asyncio.Event()
        self.written = 0

    async def run(self) -> None:
        for number in itertools.count():
            if self._stop.is_set():
                return
            await self._house.audit.record(None, "write", f"{number}", {}, "")
            await self._house.queue.send("films", "later", b"x" * 300)
            await self._house.guilds.set_setting(GUILD, "count", str(number))
            self.written += 1

    def stop(self) -> None:
        self._stop.set()


async def back_up_while_writing(house: House, place: Place) -> tuple[Path, int]:
    """The archive, and how many writes were confirmed inside the making.

    It waits within its snapshot until there were some: however fast it is, the two overlap.
    """
    writer = Writer(house)
    began: list[int] = []
    enough = threading.Event()

    def report(what: str, *_: int) -> None:
        if what == "copying rows" and not began:
            began.append(writer.written)
            assert enough.wait(30)

    async def has_written() -> bool:
        return bool(began) and writer.written >= began[0] + 20

    async def watch() -> None:
        await until(has_written)
        enough.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(writer.run())
        group.create_task(watch())
        archive, _ = await asyncio.to_thread(lambda: make(place, at=AT, report=report))
        writer.stop()
    return archive.path, writer.written - began[0]


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Another empty database, of the same kind or of the other."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/elsewhere/restored.sqlite3"
    name: str = request.getfixturevalue("second_postgres_url")
    return name


@pytest.fixture
def second_postgres_url(postgres_url: str) -> Iterator[str]:
    root, _, name = postgres_url.rpartition("/")
    with psycopg.connect(f"{root}/postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}_b"')
        yield f"{root}/{name}_b"
        admin.execute(f'DROP DATABASE "{name}_b" WITH (FORCE)')


@pytest.mark.parametrize(
    ("passphrase", "in_database"), [(None, True), ("correct horse", False)], ids=["plain-rows", "sealed-files"]
)
def test_what_was_backed_up_while_it_was_written_to_works_elsewhere(
    database_url: str, fresh_url: str, tmp_path: Path, passphrase: str | None, in_database: bool
) -> None:
    before = place_of(database_url, tmp_path / "before", passphrase=passphrase, in_database=in_database)
    schema.upgrade(database_url, before.data_dir)

    async def live(house: House) -> tuple[Known, Path, int, int]:
        known = await fill(house)
        archive, written = await back_up_while_writing(house, before)
        return known, archive, written, await count(house.store, "audit_log")

    known, archive, written, later = in_house(before, live)
    assert written > 0
    assert archive.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in before.folder.iterdir() if path.suffix == ".part"] == []

    # Large bodies may lie in files before and in the database afterwards, and the other way round.
    after = place_of(fresh_url, tmp_path / "after", passphrase=passphrase, in_database=not in_database)
    done = restore(after, archive, force=False, at=AT, report=silent)
    assert done.safety is None
    assert (done.manifest.claims, done.manifest.lost_claims) == (2, ())
    assert schema.current(fresh_url) == version.HEAD

    async def look(house: House) -> dict[str, int]:
        return {table.name: await count(house.store, table.name) for table in done.manifest.tables}

    counts = in_house(after, look)
    assert counts == {table.name: table.rows for table in done.manifest.tables}
    assert 300 <= counts["audit_log"] <= later - written + 1, "it is not of the moment at which it began"
    assert counts["dead_letters"] == 2
    in_house(after, lambda house: check(house, after, known))


def test_a_drill_needs_nothing_but_the_archive(database_url: str, tmp_path: Path) -> None:
    _, archive = back_up(database_url, tmp_path, passphrase="pass")
    assert drill(archive, "pass", at=AT, report=silent) == read_through(archive, "pass", silent)


def back_up(url: str, folder: Path, passphrase: str | None = None) -> tuple[Place, Path]:
    place = place_of(url, folder / "before", passphrase=passphrase)
    schema.upgrade(url, place.data_dir)
    in_house(place, fill)
    archive, _ = make(place, at=AT, report=silent)
    return place, archive.path


def test_what_is_there_is_replaced_by_force_only_and_kept(database_url: str, tmp_path: Path) -> None:
    place, archive = back_up(database_url, tmp_path)
    in_house(place, lambda house: house.guilds.set_setting(GUILD, "since", "the backup"))
    with pytest.raises(BackupError, match="already holds data: --force"):
        restore(place, archive, force=False, at=AT, report=silent)
    done = restore(place, archive, force=True, at=AT, report=silent)
    assert in_house(place, lambda house: house.guilds.setting(GUILD, "since")) is None
    assert done.safety is not None
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(done.safety)) as old:
            assert old.execute("SELECT value FROM guild_settings WHERE key = 'since'").fetchall() == [("the backup",)]
    else:
        restore(place, done.safety, force=True, at=AT + timedelta(days=1), report=silent)
        assert in_house(place, lambda house: house.guilds.setting(GUILD, "since")) == "the backup"


def test_a_database_that_is_worked_with_is_not_replaced(database_url: str, tmp_path: Path) -> None:
    place, archive = back_up(database_url, tmp_path)

    async def live(house: House) -> int:
        with pytest.raises(BackupError, match="stop it first"):
            await asyncio.to_thread(lambda: restore(place, archive, force=True, at=AT, report=silent))
        return await count(house.store, "dead_letters")

    assert in_house(place, live) == 2


def test_an_older_archive_is_upgraded_on_its_way_in(fresh_url: str, tmp_path: Path) -> None:
    """As an older version made it: the same format, at the first revision, with tables of that time."""
    old = tmp_path / "old.sqlite3"
    run.migrate(f"sqlite:///{old}", "0001")
    with closing(sqlite3.connect(old)) as database:
        database.execute("INSERT INTO guilds (guild_id, name, created_at) VALUES (1, 'House', 0)")
        database.execute("INSERT INTO guild_settings (guild_id, key, value, changed_at) VALUES (1, 'k', 'v', 0)")
        database.commit()
    write_older(tmp_path / "old.tar.zst", old)
    place = place_of(fresh_url, tmp_path / "after")
    done = restore(place, tmp_path / "old.tar.zst", force=False, at=AT, report=silent)
    assert done.manifest.revision == "0001"
    assert schema.current(fresh_url) == version.HEAD
    assert in_house(place, lambda house: house.guilds.setting(GuildId(1), "k")) == "v"
    assert in_house(place, lambda house: count(house.store, "panels")) == 0
