"""Attempts that fail, and messages that die."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
from sqlalchemy import Connection
from structlog.contextvars import get_contextvars

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.limits import DEAD_DETAIL_CHARS_MAX, UNKNOWN_TOPIC_RETRY_S, UNKNOWN_TOPIC_S
from daemon.data.store import Store
from daemon.kernel.health import Status
from daemon.kernel.metrics import Metrics
from daemon.kernel.trace import current_trace_id
from daemon.services.queue import DEATHS, Depth, Entry, Message, QueueSpec, Reject
from tests.integration.queue.conftest import MakeStation
from tests.integration.queue.station import AT, ManualClock, Station, effect, until


async def test_it_is_tried_again_after_a_growing_wait_then_dies(station: Station, clock: ManualClock) -> None:
    async def fail(_: Message) -> None:
        raise UpstreamError("Plex", UpstreamKind.UNREACHABLE)

    station.handle(fail)
    deaths: list[Any] = []
    station.store.on_commit(DEATHS, deaths.extend)
    message_id = await station.put(data=b"body", source="command play", trace_id="ab" * 16, key="k")
    await station.queue.start()
    for attempt, longest_s in ((1, 1), (2, 2)):
        await until(lambda: station.count("retried") == attempt)  # noqa: B023
        (row,) = await station.rows()
        wait_s = row["due_at"] / 1e6 - clock.now().timestamp()
        assert 0 <= wait_s <= longest_s
        assert (row["token"], row["attempts"]) == (0, attempt)
        clock.advance(longest_s)
    await until(station.is_empty)
    assert [message.attempt for message in station.handled] == [1, 2, 3]
    (letter,) = await station.rows("dead_letters")
    assert {
        name: letter[name] for name in ("message_id", "reason", "attempts", "trace_id", "source", "key", "body")
    } == {
        "message_id": message_id,
        "reason": "failed",
        "attempts": 3,
        "trace_id": "ab" * 16,
        "source": "command play",
        "key": "k",
        "body": b"body",
    }
    assert letter["detail"] == "UpstreamError: Plex: is unreachable"
    assert deaths == [("work", message_id)]
    await until(lambda: (station.count("retried"), station.count("dead")) == (2, 1))


async def test_a_rejected_message_dies_at_once(station: Station) -> None:
    async def reject(_: Message) -> None:
        raise Reject("no such channel")

    station.handle(reject)
    message_id = await station.put()
    await station.queue.start()
    await until(station.is_empty)
    assert await station.dead() == [(message_id, "rejected")]
    assert len(station.handled) == 1
    (letter,) = await station.rows("dead_letters")
    assert letter["detail"] == "no such channel"


async def test_an_effect_that_fails_is_undone_and_tried_again(station: Station, clock: ManualClock) -> None:
    async def write_half(message: Message) -> Any:
        def unit(tx: Connection) -> None:
            effect(message.attempt)(tx)
            if message.attempt < 3:
                raise ZeroDivisionError

        return unit

    station.handle(write_half)
    await station.put()
    await station.queue.start()
    for attempt in (1, 2):
        await until(lambda: station.count("retried") == attempt)  # noqa: B023
        clock.advance(2)
    await until(station.is_empty)
    assert await station.effects() == [3]


async def test_an_attempt_that_takes_too_long_is_ended(make_station: MakeStation) -> None:
    station = make_station(QueueSpec("work", attempts_max=1, timeout_s=0.05))

    async def hang(message: Message) -> None:
        if message.body == b"hang":
            await asyncio.Event().wait()

    station.handle(hang)
    message_id = await station.put(data=b"hang")
    await station.queue.start()
    await until(station.is_empty)
    assert await station.dead() == [(message_id, "timed-out")]
    for _ in range(20):
        await station.put()
    await until(lambda: station.count("done") == 20)


async def test_a_handler_that_cancels_itself_has_failed(make_station: MakeStation) -> None:
    station = make_station(QueueSpec("work", attempts_max=1, concurrency=1))

    async def cancel(message: Message) -> None:
        if message.body:
            raise asyncio.CancelledError

    station.handle(cancel)
    message_id = await station.put(data=b"x")
    await station.queue.start()
    await until(station.is_empty)
    assert await station.dead() == [(message_id, "failed")]
    await station.put()
    await until(lambda: station.count("done") == 1)


async def test_the_end_of_a_long_traceback_is_kept(make_station: MakeStation) -> None:
    station = make_station(QueueSpec("work", attempts_max=1))

    async def fail(_: Message) -> None:
        raise ValueError("x" * 2 * DEAD_DETAIL_CHARS_MAX + "\0\ud800 the end")

    station.handle(fail)
    await station.put()
    await station.queue.start()
    await until(station.is_empty)
    (letter,) = await station.rows("dead_letters")
    assert len(letter["detail"]) <= DEAD_DETAIL_CHARS_MAX
    assert letter["detail"].strip().endswith("the end")


async def test_a_topic_that_nobody_handles_waits_for_a_day(station: Station, clock: ManualClock) -> None:
    station.handle(topic="known")
    message_id = await station.put("unknown")
    await station.queue.start()

    async def is_put_off() -> bool:
        (row,) = await station.rows()
        return bool(row["token"] == 0 and row["due_at"] > clock.now().timestamp() * 1e6 and row["attempts"] == 0)

    await until(is_put_off)
    assert await station.queue.progress(message_id or 0) is None
    clock.advance(UNKNOWN_TOPIC_RETRY_S)
    await until(is_put_off)
    clock.advance(UNKNOWN_TOPIC_S + 1)
    await until(station.is_empty)
    assert await station.dead() == [(message_id, "unknown-topic")]


async def test_a_topic_is_handled_as_soon_as_its_handler_is_there_again(station: Station, clock: ManualClock) -> None:
    async def nothing(_: Message) -> None:
        return

    undo = station.queue.handle("work", "topic", nothing)
    undo()
    undo()
    await station.put()
    await station.queue.start()
    await until(lambda: station.count("enqueued") == 1)
    station.handle(topic="topic")
    clock.advance(UNKNOWN_TOPIC_RETRY_S)
    await until(lambda: len(station.handled) == 1)
    await until(station.is_empty)


async def test_a_message_that_kills_its_process_dies_after_some_attempts(
    make_station: MakeStation, clock: ManualClock
) -> None:
    for begun in range(1, 4):
        station = make_station()
        station.handle(_hang)
        message_id = await station.put() if begun == 1 else message_id  # noqa: F821
        await station.queue.start()
        await until(lambda: len(station.handled) == 1)  # noqa: B023
        assert station.handled[0].attempt == begun
        await station.die()
        clock.advance(31)
    survivor = make_station()
    survivor.handle()
    await survivor.queue.start()
    await until(survivor.is_empty)
    assert await survivor.dead() == [(message_id, "crashed")]
    assert survivor.handled == []


async def _hang(_: Message) -> None:
    await asyncio.Event().wait()


async def test_logs_of_a_handler_carry_its_message(station: Station) -> None:
    seen: list[dict[str, Any]] = []

    async def look(_: Message) -> None:
        seen.append({**get_contextvars(), "trace_id": current_trace_id()})

    station.handle(look)
    message_id = await station.put(trace_id="cd" * 16)
    await station.put()
    await station.queue.start()
    await until(lambda: len(seen) == 2)
    first, second = sorted(seen, key=lambda fields: fields["message_id"])
    assert first == {"trace_id": "cd" * 16, "queue": "work", "message_id": message_id, "attempt": 1}
    assert len(second["trace_id"]) == 32
    assert second["trace_id"] != first["trace_id"]


async def test_health_warns_of_what_waits_and_of_what_died(station: Station, clock: ManualClock) -> None:
    async def reject(_: Message) -> None:
        raise Reject("no")

    station.handle(reject, "bad")
    await station.put("bad")
    await station.queue.start()
    await until(station.is_empty)
    check = await station.queue.check()
    assert check.status is Status.WARN
    assert check.output == "work: 1 message died within the last hour"
    clock.advance(3601)
    assert (await station.queue.check()).status is Status.PASS
    await station.stop()
    await station.put()
    clock.advance(60)
    assert (await station.queue.check()).status is Status.PASS
    clock.advance(1)
    check = await station.queue.check()
    assert check.status is Status.WARN
    assert check.output == "work: 1 messages wait, the oldest for 61 s"
    assert station.sample("queue_depth", state="ready") == 1
    assert station.sample("queue_oldest_seconds") == 61
    assert station.sample("dead_letters") == 1


async def test_depths_tell_ready_delayed_and_leased_apart(station: Station, clock: ManualClock) -> None:
    station.handle(_hang)
    entries = [Entry("topic")] * 5 + [Entry("topic", due_at=AT + timedelta(seconds=60))]
    await station.store.write(lambda tx: station.queue.put_many(tx, "work", entries))
    assert await station.queue.depths() == {"work": Depth(ready=5, delayed=1)}
    await station.queue.start()
    await until(lambda: len(station.handled) == 4)
    clock.advance(15)
    assert await station.queue.depths() == {"work": Depth(ready=1, delayed=1, leased=4, oldest_s=15.0)}


async def test_nothing_is_lost_or_done_twice_while_the_database_fails(
    make_station: MakeStation, database_url: str, metrics: Metrics, clock: ManualClock
) -> None:
    url = f"{database_url}?timeout=0.05" if database_url.startswith("sqlite") else database_url
    store = await Store.open(url, metrics=metrics)
    station = make_station(QueueSpec("work", attempts_max=50), store=store)

    async def write(message: Message) -> Any:
        return effect(int(message.body)) if int(message.body) % 2 else None

    async def put(n: int) -> None:
        try:
            await station.put(data=b"%d" % n, dedupe=f"message {n}")
        except UpstreamError:  # perhaps committed, perhaps not: the dedupe key knows
            await asyncio.sleep(0.01)
            await put(n)

    def failed_units() -> float:
        labels = {"kind": "write", "outcome": "failed"}
        return metrics.registry.get_sample_value("marquee_store_units_total", labels) or 0

    async def put_until_units_fail(before: float) -> None:
        while failed_units() == before:
            await put(next(numbers))

    numbers = itertools.count()
    station.handle(write)
    await station.queue.start()
    for _ in range(4):
        before = failed_units()
        puts = [asyncio.ensure_future(put_until_units_fail(before)) for _ in range(20)]
        await disturb(database_url, lambda: failed_units() > before)  # noqa: B023
        await asyncio.gather(*puts)
    count = next(numbers)
    assert count >= 80
    while not await station.is_empty():
        clock.advance(1)
        await asyncio.sleep(0.01)
    assert await station.effects() == list(range(1, count, 2))
    assert len({message.body for message in station.handled}) == count
    assert await station.dead() == []
    await station.stop()
    await store.close()


async def disturb(url: str, is_enough: Callable[[], bool]) -> None:
    """Lock the file until a unit of work failed; end every connection to the server until one failed."""
    if url.startswith("sqlite"):
        file = url.removeprefix("sqlite:///")
        other = await asyncio.to_thread(sqlite3.connect, file, isolation_level=None, check_same_thread=False)
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
        await until(is_enough)
        await asyncio.to_thread(other.execute, "ROLLBACK")
        await asyncio.to_thread(other.close)
        return
    sql = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while not is_enough():
            await connection.execute(sql)
