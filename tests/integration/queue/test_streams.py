"""Redis as transport: hints travel, work is shared, and losing Redis or anything in it loses nothing but time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import structlog
from sqlalchemy import text

from daemon.core.limits import QUEUE_HINTS_MAX, STREAM_ENTRY_IDS_MAX
from daemon.data.store import Store
from daemon.kernel.clock import SystemClock
from daemon.kernel.health import Health, Status
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.queue import Entry, FileClaims, Message, Priority, QueueSpec
from daemon.services.queue.streams import StreamsTransport
from daemon.services.redis import Redis, execute
from tests.integration.queue.station import WORK, Station, effect, until
from tests.servers import Server, start_redis

NEVER_S = 600.0  # between two looks into the database: whatever arrives sooner came through Redis
BULK = QueueSpec("work", concurrency=8, attempts_max=3)


@dataclass
class Process:
    """A queue with a Redis connection of its own."""

    station: Station
    redis: Redis
    health: Health
    metrics: Metrics
    supervisor: Supervisor

    @property
    def is_degraded(self) -> bool:
        return bool(self.metrics.registry.get_sample_value("marquee_transport_degraded"))

    async def ask(self, *words: Any) -> Any:
        return await self.redis.call(lambda client: execute(client, *words))

    @property
    def key(self) -> str:
        return self.redis.key("queue", self.station.spec.name)

    async def is_stream_empty(self) -> bool:
        return await self.ask("XLEN", self.key) == 0 and not await self.pending()

    async def pending(self) -> int:
        summary = await self.ask("XPENDING", self.key, "workers")
        return int(summary["pending"] if isinstance(summary, dict) else summary[0])


@dataclass
class Hall:
    """Processes on one database; all of them end with the test."""

    store: Store
    folder: Path
    clock: SystemClock = field(default_factory=SystemClock)
    processes: list[Process] = field(default_factory=list)

    async def open(
        self,
        url: str,
        spec: QueueSpec = WORK,
        *,
        patience_s: float = NEVER_S,
        idle_s: float = 30.0,
        poll_s: float = 0.02,
    ) -> Process:
        metrics = Metrics()
        supervisor = Supervisor(log=structlog.get_logger("test"), metrics=metrics)
        health = Health(supervisor, self.clock)
        name = f"process-{len(self.processes)}"
        redis = Redis(url, namespace="test", process=name, supervisor=supervisor, health=health, metrics=metrics)
        await redis.start()
        transport = StreamsTransport(
            redis, process=name, supervisor=supervisor, metrics=metrics, idle_s=idle_s, patience_s=patience_s
        )
        claims = FileClaims(self.folder / "claims", self.store, self.clock)
        station = Station(self.store, self.clock, transport, claims, spec, poll_s=poll_s)
        self.processes.append(Process(station, redis, health, metrics, supervisor))
        return self.processes[-1]

    async def close(self) -> None:
        for process in self.processes:
            await process.station.queue.stop(drain_s=0.0)
            await process.station.supervisor.drain(0.0)
            await process.redis.stop()
            await process.supervisor.drain(0.0)


@pytest_asyncio.fixture
async def hall(store: Store, tmp_path: Path) -> AsyncIterator[Hall]:
    await store.write(lambda tx: tx.execute(text("CREATE TABLE effects (n BIGINT NOT NULL)")) and None)
    made = Hall(store, tmp_path)
    yield made
    await made.close()


@pytest.fixture
def own_redis() -> Iterator[Server]:
    """A server that a test may stop and start."""
    server = start_redis()
    yield server
    server.stop()


def url_of(server: Server) -> str:
    return f"redis://:{server.password}@127.0.0.1:{server.port}/0"


async def start(*processes: Process, handler: Callable[[Message], Any] | None = None) -> None:
    """Begin, and wait until each has read its stream once: from then on only hints tell of work."""
    for process in processes:
        process.station.handle(handler)
        await process.station.queue.start()

    async def are_reading() -> bool:
        told = await processes[0].ask("INFO", "clients")
        return bool(told["blocked_clients"] >= len(processes))

    await until(are_reading)


async def test_what_one_process_puts_another_handles_at_once(hall: Hall, redis_url: str) -> None:
    here, there = await hall.open(redis_url), await hall.open(redis_url)
    await here.station.queue.start([])
    await start(there)
    sent = [await here.station.put("topic", b"x") for _ in range(20)]
    await until(lambda: sorted(there.station.ids()) == sent)
    await until(there.station.is_empty)
    await until(there.is_stream_empty)
    assert not here.is_degraded
    assert not there.is_degraded


async def test_what_is_due_later_is_announced_when_it_is_due(hall: Hall, redis_url: str) -> None:
    here, there = await hall.open(redis_url), await hall.open(redis_url)
    await here.station.queue.start([])
    await start(there)
    due_at = hall.clock.now() + timedelta(seconds=0.3)
    sent = await here.station.put("topic", due_at=due_at)
    await until(lambda: there.station.ids() == [sent])
    assert hall.clock.now() >= due_at


async def test_processes_share_the_work(hall: Hall, redis_url: str) -> None:
    made = [await hall.open(redis_url) for _ in range(2)]

    async def work(message: Message) -> Any:
        await asyncio.sleep(0.005)
        return effect(message.message_id)

    await start(*made, handler=work)
    sent = []
    for _ in range(200):
        sent.append(await made[0].station.put("topic"))
    await until(made[0].station.is_empty)
    assert await made[0].station.effects() == sent
    await until(lambda: sum(process.station.count("done") for process in made) == len(sent))
    assert min(process.station.count("done") for process in made) > 20
    await until(made[0].is_stream_empty)


async def test_a_backlog_is_handled_urgent_first_and_by_all(hall: Hall, redis_url: str) -> None:
    spec = QueueSpec("work", concurrency=1)
    made = [await hall.open(redis_url, spec) for _ in range(2)]
    gate = asyncio.Event()

    async def work(message: Message) -> None:
        await gate.wait()
        await asyncio.sleep(0.005)  # long enough for the other to get its part

    await start(*made, handler=work)
    for _ in range(20):
        await made[0].station.put("topic", b"", priority=Priority.LOW)
    await until(lambda: all(process.station.handled for process in made))
    urgent = [await made[0].station.put("topic", priority=Priority.URGENT) for _ in range(4)]
    gate.set()
    await until(made[0].station.is_empty)
    handled = [process.station.ids() for process in made]
    assert set(urgent) <= {one for ids in handled for one in ids[:6]}  # one was in hand, a few were claimed ahead
    assert all(len(ids) > 2 for ids in handled)
    await until(made[0].is_stream_empty)


async def test_many_at_once_travel_in_few_entries(hall: Hall, redis_url: str) -> None:
    here, there = await hall.open(redis_url, BULK), await hall.open(redis_url, BULK)
    await here.station.queue.start([])
    await there.ask("XGROUP", "CREATE", there.key, "workers", "0", "MKSTREAM")
    count = 10 * STREAM_ENTRY_IDS_MAX
    await put_many(here, count)

    async def are_announced() -> bool:
        return int(await here.ask("XLEN", here.key)) == 10

    await until(are_announced)
    there.station.handle()
    await there.station.queue.start()
    await until(lambda: len(there.station.handled) == count)
    await until(there.is_stream_empty)


async def put_many(process: Process, count: int) -> None:
    queue = process.station.queue
    entries = [Entry("topic", str(number).encode()) for number in range(count)]
    await process.station.store.write(lambda tx: queue.put_many(tx, "work", entries))


async def test_more_than_can_be_named_is_swept(hall: Hall, redis_url: str) -> None:
    process = await hall.open(redis_url, BULK)
    await start(process)
    await put_many(process, 3 * QUEUE_HINTS_MAX)
    await until(lambda: len(process.station.handled) == 3 * QUEUE_HINTS_MAX)
    await until(process.is_stream_empty)


async def test_redis_dies_under_way_and_comes_back(hall: Hall, own_redis: Server) -> None:
    made = [await hall.open(url_of(own_redis), BULK) for _ in range(2)]

    async def work(message: Message) -> Any:
        await asyncio.sleep(0.001)
        return effect(message.message_id)

    await start(*made, handler=work)
    sent: list[int | None] = []
    is_over = asyncio.Event()

    async def keep_putting() -> None:
        while not is_over.is_set():
            sent.append(await made[0].station.put("topic"))
            await asyncio.sleep(0.002)

    putting = asyncio.create_task(keep_putting())
    await until(lambda: len(sent) > 50)
    await asyncio.to_thread(own_redis.stop)
    await until(lambda: all(process.is_degraded for process in made))
    assert made[0].health.report().checks["redis"].status is Status.WARN
    before = len(sent)
    done = made[0].station.count("done") + made[1].station.count("done")
    await until(lambda: len(sent) > before + 50)
    await until(lambda: made[0].station.count("done") + made[1].station.count("done") > done + 50)
    assert await asyncio.to_thread(own_redis.start)
    await until(lambda: not any(process.is_degraded for process in made))
    assert made[0].health.report().checks["redis"].status is Status.PASS
    before = len(sent)
    await until(lambda: len(sent) > before + 50)
    is_over.set()
    await putting
    await until(made[0].station.is_empty)
    assert await made[0].station.effects() == sent
    await until(made[0].is_stream_empty)


async def test_what_was_announced_to_a_redis_that_dies_is_found_when_it_is_back(hall: Hall, own_redis: Server) -> None:
    """Nobody looks into the database while it is away, so that the sweep after it is what finds the work."""
    here = await hall.open(url_of(own_redis), poll_s=NEVER_S)
    there = await hall.open(url_of(own_redis), poll_s=NEVER_S)
    await here.station.queue.start([])
    await start(there)
    await asyncio.to_thread(own_redis.stop)
    await until(lambda: here.is_degraded and there.is_degraded)
    sent = await here.station.put("topic")
    assert there.station.ids() == []
    assert await asyncio.to_thread(own_redis.start)
    await until(lambda: there.station.ids() == [sent])


async def test_everything_in_redis_is_flushed(hall: Hall, redis_url: str) -> None:
    here, there = await hall.open(redis_url), await hall.open(redis_url)
    await here.station.queue.start([])
    gate = asyncio.Event()

    async def work(message: Message) -> Any:
        await gate.wait()
        return effect(message.message_id)

    await start(there, handler=work)
    sent = [await here.station.put("topic") for _ in range(30)]
    await until(lambda: len(there.station.handled) == WORK.concurrency)
    await here.ask("FLUSHALL")
    sent.append(await here.station.put("topic"))
    gate.set()
    await until(there.station.is_empty)
    assert await there.station.effects() == sent
    after = await here.station.put("topic")
    await until(lambda: there.station.ids()[-1:] == [after])
    await until(there.is_stream_empty)
    assert not there.is_degraded


async def test_the_stream_of_a_reader_that_waits_is_deleted(hall: Hall, redis_url: str) -> None:
    here, there = await hall.open(redis_url), await hall.open(redis_url)
    await here.station.queue.start([])
    await start(there)
    await here.ask("DEL", here.key)
    sent = await here.station.put("topic")
    await until(lambda: there.station.ids() == [sent])


async def test_a_key_of_another_type_in_the_place_of_a_stream_degrades_only(hall: Hall, redis_url: str) -> None:
    process = await hall.open(redis_url)
    await process.ask("SET", process.key, "not a stream")
    process.station.handle()
    await process.station.queue.start()
    await until(lambda: process.is_degraded)
    sent = await process.station.put("topic")
    await until(lambda: process.station.ids() == [sent])
    await process.ask("DEL", process.key)
    await until(lambda: not process.is_degraded)


async def test_what_a_dead_process_had_is_given_to_others(hall: Hall, redis_url: str) -> None:
    """Its messages were not even claimed, and nobody looks into the database."""
    here = await hall.open(redis_url)
    await here.station.queue.start([])
    await here.ask("XGROUP", "CREATE", here.key, "workers", "0", "MKSTREAM")
    sent = [await here.station.put("topic") for _ in range(5)]

    async def are_announced() -> bool:
        return int(await here.ask("XLEN", here.key)) > 0

    await until(are_announced)
    await here.ask("XREADGROUP", "GROUP", "workers", "dead", "COUNT", 100, "STREAMS", here.key, ">")
    assert await here.pending() > 0
    survivor = await hall.open(redis_url, idle_s=0.2, poll_s=NEVER_S)
    survivor.station.handle()
    await survivor.station.queue.start()
    await until(lambda: sorted(survivor.station.ids()) == sent)
    await until(survivor.is_stream_empty)


async def test_entries_of_others_are_no_trouble(hall: Hall, redis_url: str) -> None:
    process = await hall.open(redis_url)
    await start(process)
    for fields in (("ids", "x,y"), ("ids", "99999999"), ("other", "1"), ("ids", "\xff")):
        await process.ask("XADD", process.key, "*", *fields)
    sent = await process.station.put("topic")
    await until(lambda: process.station.ids() == [sent])
    await until(process.is_stream_empty)


async def test_a_process_that_ends_leaves_no_consumer_behind(hall: Hall, redis_url: str) -> None:
    process = await hall.open(redis_url)
    await start(process)
    sent = await process.station.put("topic")
    await until(lambda: process.station.ids() == [sent])
    await until(process.is_stream_empty)
    await process.station.queue.stop()
    assert await process.ask("XINFO", "CONSUMERS", process.key, "workers") == []


async def test_what_a_process_gives_back_at_its_end_another_takes_up_at_once(hall: Hall, redis_url: str) -> None:
    first, second = await hall.open(redis_url), await hall.open(redis_url)

    async def never(message: Message) -> None:
        await asyncio.Event().wait()

    await start(first, handler=never)
    sent = [await first.station.put("topic") for _ in range(WORK.concurrency)]
    await until(lambda: len(first.station.handled) == len(sent))
    await start(second)
    await first.station.queue.stop(drain_s=0.05)
    await until(lambda: sorted(second.station.ids()) == sent)
