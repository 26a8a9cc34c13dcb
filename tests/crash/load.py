"""A process that handles many messages of mixed sizes on the production wiring, and measures its own event loop.

Settings come from MARQUEE_*. Argument: how many messages. Each line that it prints is a JSON object: `handled` so far;
`lags_ms`, how late the event loop was at each moment at which it was to wake up; `busy_ms`, the same without the time
in which its thread was ready and the machine ran others. The last line says `done`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import sys
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import Connection

from daemon.backbone import Backbone, Kernel
from daemon.core.roles import Role
from daemon.data import audit, schema
from daemon.data.store import Store, Unit
from daemon.kernel import logs
from daemon.kernel.health import Health
from daemon.kernel.identity import process_name
from daemon.kernel.memory import share_arena
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.parts import compose
from daemon.services.queue import Entry, Message, QueueSpec
from daemon.settings.load import load

WORK = QueueSpec("load", concurrency=16)
BATCH, UNDER_WAY_MAX = 50, 1_000  # messages
EFFECT_EVERY = 20  # messages, of which one writes into the database
LOOK_S, SAY_S = 0.005, 0.25
KIB = 1024
SIZES = (  # of a million messages so many are of up to so many bytes, and of more than the line above
    (100_000, 0),
    (750_000, KIB),
    (140_000, 16 * KIB),
    (8_800, 256 * KIB),
    (1_000, 2_048 * KIB),
    (200, 10 * 1024 * KIB),
)
LARGEST = SIZES[-1][1]


@dataclass
class Clock:
    """The machine's, set ahead."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def draw_sizes(rng: random.Random, count: int) -> list[int]:
    """Sizes of messages in bytes; those of the largest kind are all as large as a message can be."""
    found: list[int] = []
    for number in rng.choices(range(len(SIZES)), [share for share, _ in SIZES], k=count):
        size_max = SIZES[number][1]
        found.append(size_max if size_max in (0, LARGEST) else rng.randint(SIZES[number - 1][1] + 1, size_max))
    return found


@dataclass
class Load:
    """A producer that is never far ahead, and handlers that look at what they get."""

    backbone: Backbone
    store: Store
    clock: Clock
    times: bytearray  # how often each message was handled; as long as there are messages, so that it never grows
    handled: int = 0
    largest: int = 0
    lags_ms: list[float] = field(default_factory=list)
    busy_ms: list[float] = field(default_factory=list)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(UNDER_WAY_MAX))

    async def produce(self) -> None:
        rng, queue, count = random.Random(1), self.backbone.queue, len(self.times)
        for first in range(0, count, BATCH):
            sizes = draw_sizes(rng, min(BATCH, count - first))
            entries = []
            for number, size in enumerate(sizes, first):
                await self._room.acquire()
                data = await asyncio.to_thread(os.urandom, size) if size > 16 * KIB else os.urandom(size)
                entries.append(Entry("work", await queue.stage(data), source=f"{number} {size}"))
            self.largest += sizes.count(LARGEST)
            await self.store.write(lambda tx, entries=entries: queue.put_many(tx, WORK.name, entries))  # type: ignore[misc]

    async def wait_until_empty(self) -> None:
        while True:
            depths = (await self.backbone.queue.depths()).values()
            if not any(depth.ready or depth.delayed or depth.leased for depth in depths):
                return
            await asyncio.sleep(0.1)

    async def handle(self, message: Message) -> Unit[None] | None:
        number, size = map(int, message.source.split())
        assert len(message.body) == size
        self.times[number] += 1
        self.handled += 1
        self._room.release()
        if number % EFFECT_EVERY:
            return None
        at = self.clock.now()

        def effect(tx: Connection) -> None:
            audit.add(tx, at=at, actor=None, action="effect", target=str(number), detail={}, trace_id="")

        return effect

    async def watch_loop(self) -> None:
        """Note how late the loop is, for ever."""
        loop = asyncio.get_running_loop()
        path = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        with await asyncio.to_thread(path.open, "rb", buffering=0) as schedstat:
            while True:
                due_s, waited_ns = loop.time() + LOOK_S, _waited_ns(schedstat.read())
                await asyncio.sleep(LOOK_S)
                schedstat.seek(0)
                late_s = loop.time() - due_s
                elsewhere_s = (_waited_ns(schedstat.read()) - waited_ns) / 1e9
                schedstat.seek(0)
                self.lags_ms.append(round(max(0.0, late_s) * 1000, 2))
                self.busy_ms.append(round(max(0.0, late_s - elsewhere_s) * 1000, 2))

    async def report(self) -> None:
        """Print how it goes, for ever."""
        while True:
            await asyncio.sleep(SAY_S)
            self.say()

    def say(self, **more: object) -> None:
        said = {"handled": self.handled, "lags_ms": self.lags_ms, "busy_ms": self.busy_ms, **more}
        self.lags_ms, self.busy_ms = [], []
        print(json.dumps(said), flush=True)


def _waited_ns(schedstat: bytes) -> int:
    """For how long the thread was ready and did not run."""
    return int(schedstat.split()[1])


async def main(count: int) -> None:
    settings = load(os.environ, use_local=False)
    supervisor, metrics, clock = Supervisor(log=structlog.get_logger("load")), Metrics(), Clock()
    await schema.ensure_head(settings.database_url, settings.data_dir)
    store = await Store.open(settings.database_url, metrics=metrics)
    kernel = Kernel(supervisor, Health(supervisor, clock), metrics, clock, process_name())
    backbone = (await compose(settings, kernel, store, Role.WORKER)).backbone
    work = Load(backbone, store, clock, bytearray(count))
    backbone.queue.declare(WORK)
    backbone.queue.handle(WORK.name, "work", work.handle)
    await backbone.queue.start()
    gc.collect()
    gc.freeze()  # as the daemon does
    supervisor.start("watch_loop", work.watch_loop)
    supervisor.start("report", work.report)
    await work.produce()
    await work.wait_until_empty()
    await backbone.queue.stop()
    clock.ahead = timedelta(days=1)  # what was put away is old now, and nothing refers to it
    await backbone.retention.run_once()
    claims = await asyncio.to_thread(lambda: len(list(settings.claims_folder.glob("??/*"))))
    work.say(done=True, once=work.times.count(1), largest=work.largest, claims=claims)
    os._exit(0)


if __name__ == "__main__":
    share_arena()
    logs.configure("json", "warning", [])
    asyncio.run(main(int(sys.argv[1])))
