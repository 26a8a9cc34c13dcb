"""The store's promises, on both databases."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.limits import STORE_SLOW_S, STORE_WAITING_MAX
from daemon.data.store import Store
from daemon.kernel.metrics import Metrics
from daemon.kernel.trace import traced


@pytest_asyncio.fixture(autouse=True)
async def notes(store: Store) -> None:
    await store.write(lambda tx: tx.execute(text("CREATE TABLE notes (n BIGINT PRIMARY KEY)")) and None)
    await store.write(lambda tx: tx.execute(text("CREATE TABLE total (n BIGINT)")) and None)
    await store.write(lambda tx: tx.execute(text("INSERT INTO total VALUES (0)")) and None)


def add(n: int) -> Callable[[Connection], int]:
    def unit(tx: Connection) -> int:
        tx.execute(text("INSERT INTO notes VALUES (:n)"), {"n": n})
        return n

    return unit


def every(tx: Connection) -> list[int]:
    return list(tx.execute(text("SELECT n FROM notes ORDER BY n")).scalars())


class Gate:
    """Holds every writing thread of the store until opened, so that units queue behind it."""

    def __init__(self, store: Store, url: str) -> None:
        self._store = store
        self._threads = 1 if url.startswith("sqlite") else 6
        self._opened = threading.Event()

    async def __aenter__(self) -> Gate:
        entered = threading.Semaphore(0)
        self._opened.clear()

        def hold(_: Connection) -> None:
            entered.release()
            assert self._opened.wait(30)

        self._held = [asyncio.ensure_future(self._store.write(hold)) for _ in range(self._threads)]
        for _ in self._held:
            await asyncio.to_thread(entered.acquire)
        return self

    def open(self) -> None:
        self._opened.set()

    async def __aexit__(self, *_: object) -> None:
        self._opened.set()
        await asyncio.gather(*self._held)


@pytest.fixture
def gate(store: Store, database_url: str) -> Gate:
    return Gate(store, database_url)


@pytest_asyncio.fixture
async def other(database_url: str, store: Store) -> AsyncIterator[Store]:
    """A second store on the same database, as another process would have."""
    opened = await Store.open(database_url, metrics=Metrics())
    yield opened
    await opened.close()


async def test_what_was_written_is_there_for_others_when_write_returns(store: Store, other: Store) -> None:
    assert await store.write(add(1)) == 1
    assert await other.read(every) == [1]


async def test_a_failing_unit_leaves_nothing(store: Store) -> None:
    def half(tx: Connection) -> None:
        add(1)(tx)
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        await store.write(half)
    assert await store.read(every) == []


async def test_units_of_a_group_fail_alone(store: Store, gate: Gate) -> None:
    async with gate:
        writes = [asyncio.ensure_future(store.write(add(n % 7))) for n in range(14)]
        await asyncio.sleep(0)
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert sorted(outcome for outcome in outcomes if isinstance(outcome, int)) == list(range(7))
    assert sum(isinstance(outcome, IntegrityError) for outcome in outcomes) == 7
    assert await store.read(every) == list(range(7))


async def test_a_unit_that_fails_in_a_group_is_not_run_again(store: Store, gate: Gate) -> None:
    runs = 0

    def fail(_: Connection) -> None:
        nonlocal runs
        runs += 1
        raise ValueError

    for first in (0, 10):  # the second time the store expects it
        async with gate:
            units = [add(first), add(first + 1), fail, add(first + 2)]
            writes = [asyncio.ensure_future(store.write(unit)) for unit in units]
            await asyncio.sleep(0)
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [int, int, ValueError, int]
    assert runs == 2
    assert await store.read(every) == [0, 1, 2, 10, 11, 12]


async def test_units_that_wait_share_a_commit_on_sqlite(
    store: Store, gate: Gate, database_url: str, metrics: Metrics
) -> None:
    before = _commits(metrics)
    async with gate:
        writes = [asyncio.ensure_future(store.write(add(n))) for n in range(100)]
        await asyncio.sleep(0)
        gate.open()
        await asyncio.gather(*writes)
    # The gate's own units are 1 or 6 commits; behind it 64 and 36 go together, or each alone.
    assert _commits(metrics) - before == (3 if database_url.startswith("sqlite") else 106)
    assert await store.read(every) == list(range(100))


async def test_two_hundred_at_once_lose_no_update(store: Store) -> None:
    def increment(tx: Connection) -> None:
        tx.execute(text("UPDATE total SET n = n + 1"))

    await asyncio.gather(*(store.write(increment) for _ in range(200)))
    assert await store.read(lambda tx: tx.execute(text("SELECT n FROM total")).scalar()) == 200


async def test_a_read_is_one_snapshot(store: Store, other: Store) -> None:
    first_done, written = threading.Event(), threading.Event()

    def twice(tx: Connection) -> tuple[list[int], list[int]]:
        before = every(tx)
        first_done.set()
        assert written.wait(30)
        return before, every(tx)

    reading = asyncio.ensure_future(store.read(twice))
    await asyncio.to_thread(first_done.wait)
    await other.write(add(1))
    written.set()
    assert await reading == ([], [])
    assert await store.read(every) == [1]


async def test_a_reading_unit_cannot_write(store: Store) -> None:
    with pytest.raises((DBAPIError, UpstreamError)):
        await store.read(add(1))
    assert await store.read(every) == []
    assert await store.write(add(1)) == 1  # connections that read are not those that write


async def test_cancelled_callers_do_no_harm(store: Store, gate: Gate) -> None:
    async with gate:
        writes = [asyncio.ensure_future(store.write(add(n))) for n in range(20)]
        await asyncio.sleep(0)
        for write in writes[::2]:
            write.cancel()
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert [outcome for outcome in outcomes if isinstance(outcome, int)] == list(range(1, 20, 2))
    assert await store.read(every) == list(range(1, 20, 2))
    assert await store.write(add(100)) == 100


async def test_a_caller_cancelled_while_its_unit_runs(store: Store) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def slow(tx: Connection) -> None:
        add(1)(tx)
        entered.set()
        assert go_on.wait(30)

    write = asyncio.ensure_future(store.write(slow))
    await asyncio.to_thread(entered.wait)
    write.cancel()
    with pytest.raises(asyncio.CancelledError):
        await write
    go_on.set()
    await store.write(add(2))
    assert await store.read(every) == [1, 2]  # whole, though nobody waited for it


async def test_a_full_queue_refuses(store: Store, gate: Gate, metrics: Metrics) -> None:
    async with gate:
        held = int(gate._threads)
        writes = [asyncio.ensure_future(store.write(lambda _: None)) for _ in range(STORE_WAITING_MAX - held)]
        await asyncio.sleep(0)
        with pytest.raises(UpstreamError) as refusal:
            await store.write(add(1))
        for write in writes:
            write.cancel()
    await asyncio.gather(*writes, return_exceptions=True)
    assert refusal.value.kind is UpstreamKind.BUSY
    assert metrics.registry.get_sample_value("marquee_store_units_total", {"kind": "write", "outcome": "refused"}) == 1
    assert await store.write(add(1)) == 1


async def test_close_finishes_what_waits_and_refuses_more(store: Store, gate: Gate, other: Store) -> None:
    async with gate:
        writes = [asyncio.ensure_future(store.write(add(n))) for n in range(50)]
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(store.close())
        await asyncio.sleep(0)
    await closing
    assert await asyncio.gather(*writes) == list(range(50))
    with pytest.raises(UpstreamError):
        await store.write(add(100))
    with pytest.raises(UpstreamError):
        await store.read(every)
    assert await other.read(every) == list(range(50))
    await store.close()  # again: no harm


async def test_when_the_commit_fails_every_unit_of_the_group_is_told(
    store: Store, gate: Gate, database_url: str
) -> None:
    is_sqlite = database_url.startswith("sqlite")
    reference = "INTEGER REFERENCES notes (n) DEFERRABLE INITIALLY DEFERRED"
    await store.write(lambda tx: tx.execute(text(f"CREATE TABLE notes_about (n {reference})")) and None)

    def dangling(tx: Connection) -> None:
        tx.execute(text("INSERT INTO notes_about VALUES (12345)"))

    async with gate:
        writes = [asyncio.ensure_future(store.write(unit)) for unit in (add(1), dangling, add(2))]
        await asyncio.sleep(0)
        if is_sqlite:
            await asyncio.sleep(0)
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert isinstance(outcomes[1], IntegrityError)
    if is_sqlite:
        # The gate's own unit is a group of one before them.
        assert all(isinstance(outcome, IntegrityError) for outcome in outcomes)
        assert await store.read(every) == []
    else:
        assert await store.read(every) == [1, 2]
    await store.write(add(3))
    assert 3 in await store.read(every)


@pytest.mark.parametrize("how", ["commit", "rollback"])
async def test_a_unit_that_ends_the_transaction_is_a_fault(store: Store, how: str) -> None:
    def meddling(tx: Connection) -> None:
        add(1)(tx)
        getattr(tx, how)()

    with pytest.raises(RuntimeError, match="must not commit"):
        await store.write(meddling)
    assert await store.write(add(2)) == 2


async def test_a_unit_may_nest_and_undo_a_part(store: Store) -> None:
    def nested(tx: Connection) -> None:
        add(1)(tx)
        with pytest.raises(IntegrityError), tx.begin_nested():
            add(1)(tx)
        add(2)(tx)

    await store.write(nested)
    assert await store.read(every) == [1, 2]


async def test_stop_iteration_reaches_the_caller(store: Store) -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        await store.write(lambda _: next(iter([])))


async def test_errors_do_not_show_values(store: Store) -> None:
    secret = 7_012_345_678_901

    def unit(tx: Connection) -> None:
        tx.execute(text("INSERT INTO notes VALUES (:n), (:n)"), {"n": secret})

    with pytest.raises(IntegrityError) as failure:
        await store.write(unit)
    assert str(secret) not in str(failure.value)


async def test_ping_needs_the_right_revision(store: Store) -> None:
    await store.ping()
    await store.write(lambda tx: tx.execute(text("UPDATE marquee_version SET version_num = '0001'")) and None)
    with pytest.raises(UpstreamError, match="revision"):
        await store.ping()


async def test_open_refuses_a_database_without_tables(database_url: str, store: Store) -> None:
    await store.write(lambda tx: tx.execute(text("DROP TABLE marquee_version")) and None)
    with pytest.raises(UpstreamError, match="no tables"):
        await Store.open(database_url, metrics=Metrics())


def told(caplog: pytest.LogCaptureFixture, event: str) -> list[dict[str, Any]]:
    """Lines of the log with this name, as their fields."""
    return [record.msg for record in caplog.records if isinstance(record.msg, dict) and record.msg["event"] == event]


async def test_a_slow_unit_is_named_with_the_trace_of_its_caller(
    store: Store, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    def slow(_: Connection) -> None:
        time.sleep(1.2 * STORE_SLOW_S)

    async with gate:
        work = [asyncio.ensure_future(store.write(add(n))) for n in range(3)]
        with traced("") as trace_id:
            work.append(asyncio.ensure_future(store.write(slow)))
        work += [asyncio.ensure_future(store.write(add(n))) for n in range(3, 6)]
        await asyncio.sleep(0)
        gate.open()
        await asyncio.gather(*work)
    await store.ping()  # whatever was to be logged has been
    lines = [line for line in told(caplog, "unit_slow") if "hold" not in line["unit"]]
    assert [(line["kind"], line["trace_id"]) for line in lines] == [("write", trace_id)]
    assert lines[0]["unit"].endswith("slow")
    assert lines[0]["seconds"] > STORE_SLOW_S


async def test_trouble_of_the_database_is_logged_and_faults_of_units_are_not(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    def fault(_: Connection) -> None:
        raise ValueError("mine")

    def away(_: Connection) -> None:
        raise DBAPIError("SELECT", None, sqlite3.OperationalError("gone"), connection_invalidated=True)

    with traced("") as trace_id:
        with pytest.raises(ValueError, match="mine"):
            await store.write(fault)
        with pytest.raises(UpstreamError):
            await store.write(away)
    (line,) = told(caplog, "unit_failed")
    assert (line["trace_id"], line["kind"]) == (trace_id, "write")
    assert "gone" in line["error"]


async def test_metrics_count_units(store: Store, metrics: Metrics) -> None:
    def count(kind: str, outcome: str) -> float:
        return metrics.registry.get_sample_value("marquee_store_units_total", {"kind": kind, "outcome": outcome}) or 0

    before = count("write", "ok"), count("write", "failed"), count("read", "ok")
    await store.write(add(1))
    with pytest.raises(IntegrityError):
        await store.write(add(1))
    await store.read(every)
    assert (count("write", "ok"), count("write", "failed"), count("read", "ok")) == tuple(n + 1 for n in before)


def _commits(metrics: Metrics) -> int:
    return int(metrics.registry.get_sample_value("marquee_store_commit_seconds_count") or 0)
