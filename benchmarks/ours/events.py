"""Our events, each published in a unit of its own, delivered and handled with an effect. Usage: DATABASE_URL PER_SECOND

PER_SECOND events are published a second; with 0, 64 publishers go as fast as they can. The effect is a row. A delay
begins before the unit that publishes is handed to the store, and ends when the loop hears that the effect is committed.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, bindparam, func, select

from benchmarks.ours.backbone import Wired, wired
from benchmarks.peers.rounds import serve
from benchmarks.rows import percentile
from daemon.core.events import EVENTS, Event
from daemon.data.hot import Hot
from daemon.data.store import Unit, after_commit
from daemon.services.events import Catalog, Events

PUBLISHERS = 64
TOPIC = "bench"
_effects = Table("bench_effects", MetaData(), Column("number", BigInteger, primary_key=True))
_insert = Hot(lambda _: _effects.insert().values(number=bindparam("number")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened(Event):
    """One of the events of a round."""

    TYPE: ClassVar[str] = "happened"

    number: int
    server: str = "cinema"
    title: str = "The Clockwork Orchard"

    def event_id(self) -> str:
        return f"bench:{self.number}"


def effect(tx: Connection, number: int) -> None:
    _insert.run(tx, {"number": number})
    after_commit(TOPIC, number)


class Rounds:
    """Publishes, and notes when the effect of each event is committed."""

    def __init__(self, on: Wired, events: Events, per_second: int) -> None:
        self._on = on
        self._events = events
        self._per_second = per_second
        self._next = 0
        self._left = 0
        self._ended = asyncio.Event()
        self._began_s: dict[int, float] = {}
        self._delays_ms: list[float] = []

    async def handle(self, event: Happened) -> Unit[Any]:
        return partial(effect, number=event.number)

    def note(self, numbers: list[int]) -> None:
        now_s = time.perf_counter()
        self._delays_ms.extend((now_s - self._began_s.pop(number)) * 1000 for number in numbers)
        self._left -= len(numbers)
        if not self._left:
            self._ended.set()

    async def run(self, count: int) -> dict[str, float]:
        self._left = count
        self._ended.clear()
        self._delays_ms.clear()
        last = self._next + count
        await (self._publish_paced(count) if self._per_second else self._publish_fast(last))
        await self._ended.wait()
        assert await self._on.store.read(_count) == last  # each effect once
        return {"p50_ms": percentile(self._delays_ms, 50), "p99_ms": percentile(self._delays_ms, 99)}

    async def _publish_fast(self, last: int) -> None:
        async def publish() -> None:
            while self._next < last:
                await self._publish()

        await asyncio.gather(*(publish() for _ in range(PUBLISHERS)))

    async def _publish_paced(self, count: int) -> None:
        began_s = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                await asyncio.sleep(max(0.0, began_s + number / self._per_second - time.perf_counter()))
                group.create_task(self._publish())

    async def _publish(self) -> None:
        number = self._next
        self._next += 1
        self._began_s[number] = time.perf_counter()
        event = Happened(number=number, occurred_at=datetime.now(UTC))
        await self._on.store.write(partial(self._events.publish, event=event))


def _count(tx: Connection) -> int:
    return tx.execute(select(func.count()).select_from(_effects)).scalar_one()


async def main(database_url: str, per_second: int) -> None:
    async with wired(database_url, "") as on:
        await on.store.write(lambda tx: _effects.create(tx))
        events = Events(on.store, on.queue, on.clock, Catalog((*EVENTS, Happened)), on.metrics)
        rounds = Rounds(on, events, per_second)
        on.store.on_commit(TOPIC, rounds.note)
        events.subscribe("bench.handle", Happened, rounds.handle)
        await events.sync()
        await on.queue.start()
        await serve(rounds.run)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
