"""Events on a real store and a real queue, with events of the tests' own."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import structlog
from sqlalchemy import Connection, text

from daemon.core.events import EVENTS, Event
from daemon.data.store import Store, Unit
from daemon.kernel.health import Health
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.events import Catalog, Events
from daemon.services.queue import DatabaseClaims, DatabaseTransport, Queue

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fed(Event):
    """A pet got something to eat."""

    TYPE: ClassVar[str] = "fed"

    pet: str
    meal: int
    is_ordered: bool = False

    def event_id(self) -> str:
        return f"fed:{self.pet}:{self.meal}"

    def ordering_key(self) -> str | None:
        return self.pet if self.is_ordered else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked(Event):
    """A pet was outside. Version 1 counted metres by the name `distance`."""

    TYPE: ClassVar[str] = "walked"
    VERSION: ClassVar[int] = 2

    pet: str
    metres: int

    def event_id(self) -> str:
        return f"walked:{self.pet}:{self.micros()}"


def lift_walked(old: dict[str, Any]) -> dict[str, Any]:
    return {"pet": old["pet"], "metres": old["distance"], "occurred_at": old["occurred_at"]}


CATALOG = Catalog([*EVENTS, Fed, Walked], {("walked", 1): lift_walked})


def fed(meal: int, pet: str = "rex", *, is_ordered: bool = False) -> Fed:
    return Fed(pet=pet, meal=meal, occurred_at=AT, is_ordered=is_ordered)


class MovedClock:
    """The time of day, `ahead` of what it is; waiting takes as long as it says."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass
class Bus:
    """One process: its queue and its events."""

    store: Store
    clock: MovedClock
    metrics: Metrics
    supervisor: Supervisor
    health: Health
    queue: Queue
    events: Events
    is_started: bool = field(default=False)

    async def start(self) -> None:
        self.is_started = True
        await self.queue.start()

    async def stop(self) -> None:
        if self.is_started:
            self.is_started = False
            await self.queue.stop()

    async def publish(self, *events: Event, source: str = "test", trace_id: str = "t") -> int:
        return await self.store.write(lambda tx: self.events.publish_many(tx, events, source=source, trace_id=trace_id))

    async def rows(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        return await self.store.read(lambda tx: [tuple(row) for row in tx.execute(text(sql), values)])

    async def change(self, sql: str, **values: object) -> int:
        def unit(tx: Connection) -> int:
            return tx.execute(text(sql), values).rowcount

        return await self.store.write(unit)

    async def metric(self, name: str, **labels: str) -> float:
        """A sample, 0 when there is none; in a thread, because the registry reads what the system knows of us, too."""
        found = await asyncio.to_thread(self.metrics.registry.get_sample_value, f"marquee_{name}", labels)
        return found or 0.0

    async def count(self, table: str) -> int:
        return int((await self.rows(f"SELECT count(*) FROM {table}"))[0][0])

    async def drained(self) -> None:
        """Nothing waits on the queue of events."""
        await eventually(lambda: self._is_empty())

    async def _is_empty(self) -> bool:
        return await self.count("queue_messages") == 0


def make_bus(store: Store, clock: MovedClock | None = None, *, poll_s: float = 0.05) -> Bus:
    clock = clock or MovedClock()
    metrics = Metrics()
    supervisor = Supervisor(log=structlog.get_logger("tests"), metrics=metrics)
    queue = Queue(
        store,
        clock,
        claims=DatabaseClaims(store, clock),
        transport=DatabaseTransport(),
        supervisor=supervisor,
        metrics=metrics,
        rng=random.Random(1),
        poll_s=poll_s,
    )
    events = Events(store, queue, clock, CATALOG, metrics)
    return Bus(store, clock, metrics, supervisor, Health(supervisor, clock), queue, events)


@asynccontextmanager
async def process(store: Store, clock: MovedClock | None = None, *, poll_s: float = 0.05) -> AsyncIterator[Bus]:
    """A process that ends with the block; nothing of it stays."""
    made = make_bus(store, clock, poll_s=poll_s)
    try:
        yield made
    finally:
        await made.stop()
        await made.supervisor.drain(1.0)


async def eventually(condition: Callable[[], Awaitable[object]], timeout_s: float = 20.0) -> None:
    """Wait until it is true; it looks into the database, so it is asked again and again."""
    async with asyncio.timeout(timeout_s):
        while not await condition():  # noqa: ASYNC110  what is waited for has no event of its own
            await asyncio.sleep(0.01)


class Book:
    """A handler whose effect is a row of the audit log: what was done, and how often, stands in the database."""

    def __init__(self) -> None:
        self.seen: list[Event] = []

    async def __call__(self, event: Event) -> Unit[None]:
        self.seen.append(event)
        return effect(event.event_id())


def effect(what: str) -> Unit[None]:
    def unit(tx: Connection) -> None:
        tx.execute(
            text("INSERT INTO audit_log (at, action, target, detail, trace_id) VALUES (1, 'done', :what, '{}', '')"),
            {"what": what},
        )

    return unit


async def done(bus: Bus) -> list[str]:
    """What effects there were, in their order."""
    return [row[0] for row in await bus.rows("SELECT target FROM audit_log WHERE action = 'done' ORDER BY id")]
