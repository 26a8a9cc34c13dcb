"""What only SQLite can do to us."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import Connection, text

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.data import schema
from daemon.data.store import Store
from daemon.kernel.metrics import Metrics


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "marquee.sqlite3"


@pytest_asyncio.fixture
async def store(path: Path, tmp_path: Path) -> AsyncIterator[Store]:
    url = f"sqlite:///{path}?timeout=0.05"
    await schema.ensure_head(url, tmp_path)
    opened = await Store.open(url, metrics=Metrics())
    yield opened
    await opened.close()


@pytest.fixture
def elsewhere(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program with the same file open."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection:
        yield connection


def add_key(name: str, size_bytes: int = 16) -> Callable[[Connection], None]:
    def unit(tx: Connection) -> None:
        row = {"name": name, "value": b"x" * size_bytes}
        tx.execute(text("INSERT INTO installation_keys (name, value, created_at) VALUES (:name, :value, 0)"), row)

    return unit


async def test_a_file_locked_by_another_program(store: Store, elsewhere: sqlite3.Connection) -> None:
    await asyncio.to_thread(elsewhere.execute, "BEGIN IMMEDIATE")
    with pytest.raises(UpstreamError) as failure:
        await store.write(add_key("a"))
    assert failure.value.kind is UpstreamKind.BUSY
    assert await store.read(lambda tx: tx.execute(text("SELECT 1")).scalar()) == 1
    await asyncio.to_thread(elsewhere.execute, "COMMIT")
    await store.write(add_key("a"))


async def test_a_full_disk_is_told_and_survived(store: Store) -> None:
    await store.write(lambda tx: tx.execute(text("PRAGMA max_page_count = 60")) and None)
    outcomes = await asyncio.gather(
        *(store.write(add_key(f"large {n}", 50_000)) for n in range(20)), return_exceptions=True
    )
    assert all(isinstance(outcome, UpstreamError) for outcome in outcomes if outcome is not None)
    refused = sum(outcome is not None for outcome in outcomes)
    assert refused > 0
    count = text("SELECT count(*) FROM installation_keys")
    assert await store.read(lambda tx: tx.execute(count).scalar()) == 20 - refused
    await store.write(lambda tx: tx.execute(text("PRAGMA max_page_count = 100000")) and None)
    await store.write(add_key("large again", 50_000))


async def test_the_files_are_private(store: Store, path: Path) -> None:
    def find_modes() -> dict[str, int]:
        return {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}

    await store.ping()
    modes = await asyncio.to_thread(find_modes)
    assert set(modes) >= {path.name, f"{path.name}-wal"}
    assert set(modes.values()) == {0o600}


async def test_a_closed_store_leaves_one_file(store: Store, path: Path) -> None:
    await store.write(add_key("a"))
    await store.close()
    assert await asyncio.to_thread(lambda: [file.name for file in path.parent.iterdir()]) == [path.name]


async def test_confirmed_writes_reach_the_database_file(store: Store, path: Path) -> None:
    """The sync that bounds what a power failure can take: it moves the log into the file."""
    await store.write(add_key("needle-in-the-file"))

    async def is_in_file() -> bool:
        return b"needle-in-the-file" in await asyncio.to_thread(path.read_bytes)

    for _ in range(100):
        if await is_in_file():
            break
        await asyncio.sleep(0.05)
    assert await is_in_file()


async def test_foreign_keys_are_checked_in_every_connection(store: Store) -> None:
    pragma = text("PRAGMA foreign_keys")
    assert await store.write(lambda tx: tx.execute(pragma).scalar()) == 1


async def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UpstreamError, match="unable to open database file"):
        await Store.open(f"sqlite:///{tmp_path}/missing/marquee.sqlite3", metrics=Metrics())


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    await asyncio.to_thread(path.write_text, "Dear Sir or Madam, " * 100)
    with pytest.raises(UpstreamError, match="not a database"):
        await schema.ensure_head(f"sqlite:///{path}", tmp_path)


async def test_a_program_that_comes_and_goes_takes_nothing_with_it(store: Store, path: Path) -> None:
    """Every thread's connection is open here. The other one closes last only if our locks are lost: it would delete the
    log that we write to, and nothing of ours would be there for others from then on."""
    await asyncio.gather(*(store.read(lambda tx: time.sleep(0.1)) for _ in range(2)))
    program = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); print(c.execute(sys.argv[2]).fetchall()); c.close()"
    )

    async def elsewhere(sql: str) -> str:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, str(path), sql, stdout=asyncio.subprocess.PIPE
        )
        return (await child.communicate())[0].decode().strip()

    for number in range(1, 4):
        await store.write(add_key(str(number)))
        assert await elsewhere("SELECT count(*) FROM installation_keys") == f"[({number},)]"
    assert await asyncio.to_thread(path.with_name(f"{path.name}-wal").exists)
