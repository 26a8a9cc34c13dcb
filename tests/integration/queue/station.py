"""A process's part in the queue, as `daemon.parts` would put it together, and what tests ask of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, text

from daemon.core.clock import Clock
from daemon.data.store import Store
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.queue import ClaimStore, Handler, Message, Queue, QueueSpec, Transport

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
WORK = QueueSpec("work", concurrency=4, attempts_max=3, lease_s=30.0)


class ManualClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self._at = AT
        self._sleepers: list[tuple[datetime, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._at

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._at + timedelta(seconds=seconds), woken))
        await woken

    def advance(self, seconds: float) -> None:
        self._at += timedelta(seconds=seconds)
        due = [woken for at, woken in self._sleepers if at <= self._at]
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self._at]
        for woken in due:
            if not woken.done():
                woken.set_result(None)


class Station:
    """A queue with what it needs. `stop` is like the end of a process that has the time to put things in order."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        transport: Transport,
        claims: ClaimStore,
        spec: QueueSpec,
        *,
        poll_s: float = 0.02,
    ) -> None:
        self.store = store
        self.clock = clock
        self.spec = spec
        self.metrics = Metrics()
        self.supervisor = Supervisor(log=structlog.get_logger(), backoff_first_s=0.0, backoff_max_s=0.0)
        self.queue = Queue(
            store,
            clock,
            claims=claims,
            transport=transport,
            supervisor=self.supervisor,
            metrics=self.metrics,
            rng=random.Random(1),
            poll_s=poll_s,
        )
        self.queue.declare(spec)
        self.handled: list[Message] = []

    def handle(self, handler: Handler | None = None, topic: str = "") -> None:
        """Have messages noted in `handled`, then given to `handler`."""

        async def note(message: Message) -> Any:
            self.handled.append(message)
            return None if handler is None else await handler(message)

        self.queue.handle(self.spec.name, topic, note)

    async def put(self, topic: str = "topic", data: bytes = b"", **rest: Any) -> int | None:
        return await self.queue.send(self.spec.name, topic, data, **rest)

    async def stop(self, drain_s: float = 5.0) -> None:
        await self.queue.stop(drain_s)
        await self.supervisor.drain(1.0)

    async def die(self) -> None:
        """End as `kill -9` would: nothing is given back."""
        await self.supervisor.drain(0.0)

    def count(self, outcome: str) -> int:
        return int(self.sample("queue_messages_total", outcome=outcome))

    def sample(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"marquee_{name}", {"queue": self.spec.name, **labels}) or 0.0

    def ids(self) -> list[int]:
        return [message.message_id for message in self.handled]

    async def rows(self, table: str = "queue_messages") -> list[dict[str, Any]]:
        def unit(tx: Connection) -> list[dict[str, Any]]:
            return [dict(row) for row in tx.execute(text(f"SELECT * FROM {table} ORDER BY id")).mappings()]

        return await self.store.read(unit)

    async def is_empty(self) -> bool:
        return not await self.rows()

    async def dead(self) -> list[tuple[int, str]]:
        return [(row["message_id"], row["reason"]) for row in await self.rows("dead_letters")]

    async def effects(self) -> list[int]:
        return await self.store.read(lambda tx: list(tx.execute(text("SELECT n FROM effects ORDER BY n")).scalars()))


def effect(n: int) -> Callable[[Connection], None]:
    """A unit of work that leaves a trace, once more each time it is committed."""
    return lambda tx: tx.execute(text("INSERT INTO effects VALUES (:n)"), {"n": n}) and None


async def until(condition: Callable[[], Any], timeout_s: float = 20.0) -> None:
    """Wait until a condition, asked again and again, holds; it may be a coroutine function."""
    async with asyncio.timeout(timeout_s):
        while True:
            found = condition()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return
            await asyncio.sleep(0.003)
