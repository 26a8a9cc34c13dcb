"""Leases: renewed while a handler runs, lost by who stands still, given back at the end; work that is shared."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from daemon.core.limits import PROGRESS_NOTE_CHARS_MAX
from daemon.data.columns import to_micros
from daemon.data.queue import leases
from daemon.data.store import Store
from daemon.kernel.metrics import Metrics
from daemon.services.queue import Entry, Message, Progress, QueueSpec
from tests.integration.queue.conftest import MakeStation
from tests.integration.queue.station import ManualClock, Station, effect, until

LEASE_S = 30.0


class Gate:
    """A handler that waits until it is opened, then has an effect."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.inside: Counter[int] = Counter()
        self.interrupted: list[int] = []

    async def __call__(self, message: Message) -> Any:
        self.inside[message.message_id] += 1
        try:
            await self.opened.wait()
        except asyncio.CancelledError:
            self.interrupted.append(message.message_id)
            raise
        return effect(message.message_id)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest_asyncio.fixture
async def other_store(database_url: str, store: Store) -> AsyncIterator[Store]:
    """What another process has open."""
    opened = await Store.open(database_url, metrics=Metrics())
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def other(make_station: MakeStation, other_store: Store) -> AsyncIterator[Station]:
    """Another process."""
    station = make_station(store=other_store)
    yield station
    await station.stop(drain_s=0.0)


async def test_a_slow_message_is_not_given_to_another(
    station: Station, other: Station, clock: ManualClock, gate: Gate
) -> None:
    station.handle(gate)
    other.handle()
    message_id = await station.put()
    await station.queue.start()
    await until(lambda: gate.inside)
    await other.queue.start()
    for _ in range(10):
        before = (await station.rows())[0]["due_at"]
        clock.advance(LEASE_S / 3 + 0.1)
        await until(lambda: _is_renewed(station, before))  # noqa: B023
    gate.opened.set()
    await until(station.is_empty)
    assert await station.effects() == [message_id]
    assert gate.inside == {message_id: 1}
    assert other.handled == []


async def _is_renewed(station: Station, before: int) -> bool:
    return bool((await station.rows())[0]["due_at"] > before)


async def test_what_waits_for_a_slot_is_renewed_as_well(make_station: MakeStation, clock: ManualClock) -> None:
    station = make_station(QueueSpec("work", concurrency=1))
    opened = asyncio.Event()

    async def wait_for_one(message: Message) -> None:
        if message.body == b"slow":
            await opened.wait()

    station.handle(wait_for_one)
    fast = [Entry("topic")] * 300  # so fast that many are claimed ahead
    await station.store.write(lambda tx: station.queue.put_many(tx, "work", fast))
    await station.queue.start()
    await until(station.is_empty)
    entries = [Entry("topic", b"slow"), *fast[:20]]
    await station.store.write(lambda tx: station.queue.put_many(tx, "work", entries))
    await until(lambda: len(station.handled) == 301)
    leased = (await station.queue.depths())["work"].leased
    assert leased > 1
    for _ in range(5):
        clock.advance(LEASE_S / 3 + 0.1)
        await until(lambda: _all_are_leased(station, clock))
    opened.set()
    await until(station.is_empty)
    assert Counter(message.attempt for message in station.handled) == {1: 321}


async def _all_are_leased(station: Station, clock: ManualClock) -> bool:
    leased = [row for row in await station.rows() if row["token"]]
    return all(row["due_at"] > to_micros(clock.now()) + LEASE_S / 2 * 1e6 for row in leased)


async def test_a_message_of_a_process_that_died_is_handled_after_its_lease(
    station: Station, other: Station, clock: ManualClock, gate: Gate
) -> None:
    station.handle(gate)
    message_id = await station.put()
    await station.queue.start()
    await until(lambda: gate.inside)
    await station.die()
    other.handle(_write)
    await other.queue.start()
    clock.advance(LEASE_S - 1)
    assert other.handled == []
    clock.advance(1)
    await until(other.is_empty)
    assert [message.attempt for message in other.handled] == [2]
    assert await other.effects() == [message_id]


async def _write(message: Message) -> Any:
    return effect(message.message_id)


async def test_the_effect_of_a_zombie_is_undone(
    station: Station, other: Station, clock: ManualClock, gate: Gate
) -> None:
    """A process that stood still for longer than its lease, and goes on as if nothing had happened."""
    station.handle(gate)
    other.handle(_write)
    message_id = await station.put()
    await station.queue.start()
    await until(lambda: gate.inside)
    for part in ("fetch", "upkeep"):  # nothing but its handler goes on
        await station.supervisor.cancel(f"queue:work:{part}")
    clock.advance(LEASE_S)
    await other.queue.start()
    await until(other.is_empty)
    assert await other.effects() == [message_id]
    gate.opened.set()
    await until(lambda: station.count("lost") == 1)
    assert await other.effects() == [message_id]
    assert (station.count("done"), other.count("done")) == (0, 1)


async def test_a_lost_lease_is_noticed_when_it_is_renewed(station: Station, clock: ManualClock, gate: Gate) -> None:
    station.handle(gate)
    message_id = await station.put()
    await station.queue.start()
    await until(lambda: gate.inside)
    stolen = await station.store.write(
        lambda tx: leases.claim(tx, "work", token=7, now=2**60, until=2**61, count=5)  # as if after a long time
    )
    assert [row.id for row in stolen] == [message_id]
    clock.advance(LEASE_S / 3)
    await until(lambda: gate.interrupted == [message_id])
    await until(lambda: station.count("lost") == 1)
    assert (await station.rows())[0]["token"] == 7


async def test_a_clock_that_jumps_does_not_double_what_runs_here(
    station: Station, clock: ManualClock, gate: Gate
) -> None:
    station.handle(gate)
    message_id = await station.put()
    await station.queue.start()
    await until(lambda: gate.inside)
    clock.advance(10 * LEASE_S)
    await until(lambda: _is_renewed(station, to_micros(clock.now())))
    gate.opened.set()
    await until(station.is_empty)
    assert await station.effects() == [message_id]
    assert gate.inside == {message_id: 1}


async def test_the_work_is_shared_and_each_message_handled_once(
    station: Station, other: Station, store: Store, other_store: Store
) -> None:
    async def slowly(message: Message) -> Any:
        await asyncio.sleep(0.001)
        return effect(message.message_id)

    station.handle(slowly)
    other.handle(slowly)
    entries = [Entry("topic", key=f"key {n % 7}" if n % 2 else None) for n in range(400)]
    ids = await store.write(lambda tx: station.queue.put_many(tx, "work", entries))
    await station.queue.start()
    await other.queue.start()
    await until(station.is_empty)
    assert await station.effects() == ids
    assert len(station.handled) + len(other.handled) == 400
    assert min(len(station.handled), len(other.handled)) > 0
    assert Counter(station.ids() + other.ids()) == Counter(ids)


async def test_cancelling_takes_out_what_waits_runs_or_is_unknown(
    station: Station, clock: ManualClock, gate: Gate
) -> None:
    station.handle(gate)
    running = await station.put(key="k")
    waiting = await station.put(key="k")
    behind = await station.put(key="k")
    await station.queue.start()
    await until(lambda: gate.inside)
    assert await station.queue.cancel(waiting or 0) is True
    assert await station.queue.cancel(running or 0) is True
    assert await station.queue.cancel(running or 0) is False
    assert await station.queue.cancel(12345) is False
    await until(lambda: behind in gate.inside)
    assert gate.interrupted == [running]
    gate.opened.set()
    await until(station.is_empty)
    assert await station.effects() == [behind]
    assert gate.inside == {running: 1, behind: 1}
    await until(lambda: station.count("done") == 1)
    assert (station.count("cancelled"), station.count("lost")) == (2, 0)


async def test_cancelling_from_elsewhere_interrupts_at_the_next_renewal(
    station: Station, other: Station, clock: ManualClock, gate: Gate
) -> None:
    station.handle(gate)
    message_id = await station.put()
    await station.queue.start()
    await until(lambda: gate.inside)
    assert await other.queue.cancel(message_id or 0) is True
    assert gate.interrupted == []
    clock.advance(LEASE_S / 3)
    await until(lambda: gate.interrupted == [message_id])
    assert await station.is_empty()


async def test_a_cancelled_message_has_no_effect_though_its_handler_ended(
    station: Station, other: Station, gate: Gate
) -> None:
    station.handle(gate)
    message_id = await station.put()
    await station.queue.start()
    await until(lambda: gate.inside)
    await other.queue.cancel(message_id or 0)
    gate.opened.set()
    await until(lambda: station.count("lost") == 1)
    assert await station.effects() == []


async def test_a_long_job_reports(station: Station, gate: Gate) -> None:
    async def report(message: Message) -> None:
        message.report(1, 10)
        message.report(2, 10, "x" * 1000)
        await gate.opened.wait()

    station.handle(report)
    message_id = await station.put() or 0
    assert await station.queue.progress(message_id) is None
    await station.queue.start()
    expected = Progress(2, 10, "x" * PROGRESS_NOTE_CHARS_MAX)

    async def is_stored() -> bool:
        return await station.queue.progress(message_id) == expected

    await until(is_stored)
    gate.opened.set()
    await until(station.is_empty)
    assert await station.queue.progress(message_id) is None


async def test_stopping_lets_handlers_end_and_gives_back_the_rest(
    make_station: MakeStation, clock: ManualClock, gate: Gate
) -> None:
    station = make_station(QueueSpec("work", concurrency=2))
    station.handle(gate)
    fast = [Entry("topic")] * 5
    ids = await station.store.write(lambda tx: station.queue.put_many(tx, "work", fast))
    await station.queue.start()
    await until(lambda: len(gate.inside) == 2)
    stopping = asyncio.ensure_future(station.queue.stop(drain_s=20.0))
    await asyncio.sleep(0)
    late = await station.put()
    gate.opened.set()
    await stopping
    assert await station.effects() == ids[:2]
    rows = await station.rows()
    assert [row["id"] for row in rows] == [*ids[2:], late]
    assert {(row["token"], row["attempts"]) for row in rows} == {(0, 0)}
    assert {row["due_at"] <= to_micros(clock.now()) for row in rows} == {True}


async def test_what_does_not_end_in_time_is_given_back_at_once(station: Station, other: Station, gate: Gate) -> None:
    station.handle(gate)
    ids = [await station.put() for _ in range(6)]
    await station.queue.start()
    await until(lambda: len(gate.inside) == 4)
    await station.queue.stop(drain_s=0.05)
    assert sorted(gate.interrupted) == ids[:4]
    rows = await station.rows()
    assert [(row["id"], row["token"], row["attempts"]) for row in rows] == [(message_id, 0, 0) for message_id in ids]
    other.handle(_write)
    await other.queue.start()
    await until(other.is_empty)
    assert {message.attempt for message in other.handled} == {1}
    assert await other.effects() == ids


async def test_a_process_that_only_puts_handles_nothing(station: Station, other: Station) -> None:
    station.handle()
    other.handle()
    await station.queue.start(())
    message_id = await station.put()
    await other.queue.start(["work"])
    await until(other.is_empty)
    assert (station.ids(), other.ids()) == ([], [message_id])
