"""What only PostgreSQL can do to us."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.ids import GuildId, MemberId
from daemon.core.limits import STORE_RETRIES_MAX
from daemon.data import guilds, people, schema
from daemon.data.store import Store
from daemon.kernel.metrics import Metrics

AT = datetime(2026, 11, 20, tzinfo=UTC)


@pytest_asyncio.fixture
async def store(postgres_url: str, tmp_path: Path) -> AsyncIterator[Store]:
    await schema.ensure_head(postgres_url, tmp_path)
    opened = await Store.open(postgres_url, metrics=Metrics())
    yield opened
    await opened.close()


def run_elsewhere(url: str, sql: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql)


async def test_what_the_server_asks_to_repeat_is_repeated_whole(store: Store) -> None:
    runs = 0

    def unit(tx: Connection) -> int:
        nonlocal runs
        runs += 1
        tx.execute(text("INSERT INTO guilds (guild_id, created_at) VALUES (:n, 0)"), {"n": runs})
        if runs < 3:
            tx.execute(text("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$"))
        return runs

    assert await store.write(unit) == 3
    assert await store.read(lambda tx: tx.execute(text("SELECT guild_id FROM guilds")).scalars().all()) == [3]


async def test_repeating_ends(store: Store) -> None:
    runs = 0

    def unit(tx: Connection) -> None:
        nonlocal runs
        runs += 1
        tx.execute(text("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40P01'; END $$"))

    with pytest.raises(DBAPIError, match="again"):
        await store.write(unit)
    assert runs == STORE_RETRIES_MAX


async def test_a_real_deadlock_costs_nobody_a_write(store: Store) -> None:
    await store.write(lambda tx: tx.execute(text("CREATE TABLE accounts (id INT PRIMARY KEY, n INT)")) and None)
    await store.write(lambda tx: tx.execute(text("INSERT INTO accounts VALUES (1, 0), (2, 0)")) and None)
    meet = threading.Barrier(2, timeout=30)
    runs: list[int] = []

    def transfer(first: int, second: int) -> Callable[[Connection], None]:
        is_first_run = True

        def unit(tx: Connection) -> None:
            nonlocal is_first_run
            runs.append(first)
            tx.execute(text("SET LOCAL deadlock_timeout = '20ms'"))
            tx.execute(text("UPDATE accounts SET n = n + 1 WHERE id = :id"), {"id": first})
            if is_first_run:
                is_first_run = False
                meet.wait()
            tx.execute(text("UPDATE accounts SET n = n + 1 WHERE id = :id"), {"id": second})

        return unit

    await asyncio.gather(store.write(transfer(1, 2)), store.write(transfer(2, 1)))
    assert len(runs) > 2
    assert await store.read(lambda tx: tx.execute(text("SELECT n FROM accounts")).scalars().all()) == [2, 2]


@pytest.mark.parametrize("is_hot", [False, True])
async def test_a_connection_lost_in_the_middle(
    store: Store, postgres_url: str, is_hot: bool, caplog: pytest.LogCaptureFixture
) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def unit(tx: Connection) -> None:
        tx.execute(text("INSERT INTO guilds (guild_id, created_at) VALUES (1, 0)"))
        entered.set()
        assert go_on.wait(30)
        if is_hot:
            guilds.ensure_guild(tx, GuildId(2), None, AT)
        else:
            tx.execute(text("INSERT INTO guilds (guild_id, created_at) VALUES (2, 0)"))

    write = asyncio.ensure_future(store.write(unit))
    await asyncio.to_thread(entered.wait)
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'marquee'"
    await asyncio.to_thread(run_elsewhere, postgres_url, kill)
    go_on.set()
    with pytest.raises(UpstreamError, match="The database: is unreachable") as failure:
        await write
    assert failure.value.kind is UpstreamKind.UNREACHABLE
    count = text("SELECT count(*) FROM guilds")
    assert await store.read(lambda tx: tx.execute(count).scalar()) == 0
    await store.ping()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_idle_connections_that_were_lost_are_not_noticed(store: Store, postgres_url: str) -> None:
    await asyncio.gather(*(store.ping() for _ in range(20)))
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'marquee'"
    await asyncio.to_thread(run_elsewhere, postgres_url, kill)
    await asyncio.gather(*(store.ping() for _ in range(20)))


async def test_a_database_that_is_gone_and_comes_back(store: Store, postgres_url: str, tmp_path: Path) -> None:
    root, _, name = postgres_url.rpartition("/")
    await asyncio.to_thread(run_elsewhere, f"{root}/postgres", f'DROP DATABASE "{name}" WITH (FORCE)')
    for _ in range(3):
        with pytest.raises(UpstreamError):
            await store.ping()
    await asyncio.to_thread(run_elsewhere, f"{root}/postgres", f'CREATE DATABASE "{name}"')
    await schema.ensure_head(postgres_url, tmp_path)
    await store.ping()


async def test_a_lock_of_another_program(store: Store, postgres_url: str) -> None:
    other = await asyncio.to_thread(lambda: psycopg.connect(postgres_url))
    await asyncio.to_thread(other.execute, "LOCK TABLE guilds IN EXCLUSIVE MODE")

    def unit(tx: Connection) -> None:
        tx.execute(text("SET LOCAL lock_timeout = '20ms'"))
        tx.execute(text("INSERT INTO guilds (guild_id, created_at) VALUES (1, 0)"))

    with pytest.raises(UpstreamError) as failure:
        await store.write(unit)
    await asyncio.to_thread(other.close)
    assert failure.value.kind is UpstreamKind.BUSY


async def test_a_statement_that_takes_too_long(store: Store) -> None:
    def unit(tx: Connection) -> None:
        tx.execute(text("SET LOCAL statement_timeout = '20ms'"))
        tx.execute(text("SELECT pg_sleep(30)"))

    with pytest.raises(UpstreamError) as failure:
        await store.write(unit)
    assert failure.value.kind is UpstreamKind.TIMED_OUT


async def test_settings_of_the_url_win(postgres_url: str, tmp_path: Path) -> None:
    url = f"{postgres_url}?application_name=elsewhere&options=-c%20statement_timeout%3D1234"
    await schema.ensure_head(url, tmp_path)
    store = await Store.open(url, metrics=Metrics())
    shown = await store.read(
        lambda tx: [tx.execute(text(f"SHOW {name}")).scalar() for name in ("application_name", "statement_timeout")]
    )
    await store.close()
    assert shown == ["elsewhere", "1234ms"]


async def test_connections_stay_within_the_pool(store: Store, postgres_url: str) -> None:
    count = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'marquee'")
    seen = await asyncio.gather(
        *(store.read(lambda tx: tx.execute(count).scalar()) for _ in range(100)), *(store.ping() for _ in range(100))
    )
    assert 1 <= max(n for n in seen if n is not None) <= 10


async def test_two_processes_that_meet_a_member_in_the_same_instant(store: Store) -> None:
    added, go_on = threading.Event(), threading.Event()

    def first(tx: Connection) -> int:
        profile_id = people.ensure_member(tx, MemberId(5), "alice", AT)
        added.set()
        assert go_on.wait(30)
        return profile_id

    def second(tx: Connection) -> int:
        threading.Timer(0.05, go_on.set).start()  # by then this one waits for the other's row
        return people.ensure_member(tx, MemberId(5), "alice", AT)

    one = asyncio.ensure_future(store.write(first))
    await asyncio.to_thread(added.wait)
    assert await store.write(second) == await one
    assert await store.read(lambda tx: tx.execute(text("SELECT count(*) FROM profiles")).scalar()) == 1
