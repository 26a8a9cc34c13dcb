"""A small world with faults: publishers, workers that die, a clock that jumps, a Discord that loses answers.

Everything that varies is drawn from one seed. While the faults are on, anything may happen; once they are off, the
world must come to rest with every fact handled once.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, cast

import structlog
from sqlalchemy import Connection, func, select

from daemon.core.errors import UpstreamError
from daemon.core.events import Event, WatcherAlarmed, WatcherCleared
from daemon.core.ids import AppId, ChannelId, MemberId, ModuleId
from daemon.core.limits import NONCE_WINDOW_S
from daemon.data import audit
from daemon.data.audit import audit_log
from daemon.data.events import event_marks, event_subscriptions, events
from daemon.data.queue.tables import dead_letters, queue_messages
from daemon.data.store import Store, Unit
from daemon.kernel.health import Health
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.events import Catalog, Events
from daemon.services.notify import Notice, Notify
from daemon.services.notify.sender import Answer, Fate, Speakers
from daemon.services.queue import DatabaseTransport, FileClaims, Hint, Message, Queue, QueueSpec
from daemon.services.watcher import Watcher
from tests.simulation.store import Database, SimStore, Trouble

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
WORK = QueueSpec("work", concurrency=3, attempts_max=4, retry_max_s=20.0, lease_s=15.0, timeout_s=60.0)
APP, CHANNEL, MODULE = AppId(1), ChannelId(2), ModuleId("sim")
POISON_EVERY = 17
REST_S = 12 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened(Event):
    """Something, by its number."""

    TYPE: ClassVar[str] = "sim_happened"

    number: int

    def event_id(self) -> str:
        return f"sim:{self.number}"

    def ordering_key(self) -> str | None:
        return f"k{self.number % 3}" if self.number % 2 else None


class SimClock:
    """Wall time: the loop's, and jumps, as when the machine was asleep."""

    def __init__(self) -> None:
        self.jumps = 0
        self._ahead_s = 0.0
        self._jumped = asyncio.Event()

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self._now_s())

    async def sleep(self, seconds: float) -> None:
        until_s = self._now_s() + seconds
        while (left_s := until_s - self._now_s()) > 0:
            try:
                async with asyncio.timeout(left_s):
                    await self._jumped.wait()
            except TimeoutError:
                continue

    def jump(self, seconds: float) -> None:
        self.jumps += 1
        self._ahead_s += seconds
        self._jumped.set()
        self._jumped = asyncio.Event()

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time() + self._ahead_s


class LossyTransport(DatabaseTransport):
    """Hints that get lost, come twice, or come late."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__()
        self._trouble = trouble

    def announce(self, queue: str, ids: Sequence[int]) -> None:
        if self._trouble.strikes("hint lost", 15):
            return
        super().announce(queue, ids)
        if self._trouble.strikes("hint doubled", 10):
            asyncio.get_running_loop().call_later(5 * self._trouble.rng.random(), super().announce, queue, ids)

    async def next(self, queue: str, count: int, wait_s: float) -> Hint:
        hint = await super().next(queue, count, wait_s)
        if hint.ids and self._trouble.strikes("hint reordered", 20):
            return Hint(hint.ids[::-1])
        return hint


@dataclass
class SimDiscord:
    """A channel. Answers get lost after arrival, and nonces are forgotten."""

    clock: SimClock
    trouble: Trouble
    remembers_nonces: bool = True
    posts: list[tuple[str, datetime]] = field(default_factory=list)

    def speakers(self, module: ModuleId) -> Speakers:
        return Speakers([APP], True)

    async def open_direct(self, app_id: AppId, member_id: MemberId) -> Answer:
        raise NotImplementedError

    async def post(self, app_id: AppId, channel_id: ChannelId, notice: Notice) -> Answer:
        jumps = self.clock.jumps
        await asyncio.sleep(self.trouble.rng.random() * 0.5)
        if jumps != self.clock.jumps:
            return Answer(Fate.UNKNOWN, detail="the connection did not outlive the sleep")
        if self.trouble.strikes("discord is busy", 10):
            return Answer(Fate.LATER, detail="busy")
        known = self._known(notice.nonce, self.clock.now() - timedelta(seconds=NONCE_WINDOW_S))
        if known is None or not self.remembers_nonces:
            self.posts.append((notice.nonce, self.clock.now()))
            known = len(self.posts)
        await asyncio.sleep(self.trouble.rng.random() * 0.5)
        if self.trouble.strikes("discord's answer lost", 15):
            return Answer(Fate.UNKNOWN, detail="lost")
        return Answer(Fate.DONE, known)

    async def find(self, app_id: AppId, channel_id: ChannelId, nonce: str, since: datetime) -> Answer:
        await asyncio.sleep(self.trouble.rng.random() * 0.5)
        if self.trouble.strikes("discord is busy", 10):
            return Answer(Fate.LATER, detail="busy")
        known = self._known(nonce, since)
        return Answer(Fate.ABSENT) if known is None else Answer(Fate.DONE, known)

    def _known(self, nonce: str, since: datetime) -> int | None:
        return next((n for n, (known, at) in enumerate(self.posts, start=1) if known == nonce and at >= since), None)


class World:
    """`cheat` makes handlers have their effect in a unit of their own instead of returning it."""

    def __init__(self, seed: int, folder: Path, *, cheat: bool = False, remembers_nonces: bool = True) -> None:
        self.rng = random.Random(seed)
        self.trouble = Trouble(random.Random(self.rng.random()))
        self.database = Database(folder / f"sim-{seed}.db")
        self.folder = folder
        self.clock = SimClock()
        self.discord = SimDiscord(self.clock, self.trouble, remembers_nonces)
        self.cheat = cheat
        self.confirmed: set[int] = set()  # facts whose publication was confirmed
        self.enqueued: dict[str, list[int]] = {}  # by key, in the order in which they were confirmed
        self.crashes = 0

    def store(self) -> SimStore:
        """A new process's way to the database."""
        return SimStore(self.database, self.trouble, random.Random(self.rng.random()))

    def effect(self, what: str) -> Unit[None]:
        """An effect that can be counted."""
        at = self.clock.now()
        return lambda tx: audit.add(tx, at=at, actor=None, action="sim effect", target=what, detail={}, trace_id="")

    def counts(self) -> Counter[str]:
        """How often each effect happened."""
        rows = self.database.run(
            lambda tx: tx.execute(
                select(audit_log.c.target, func.count())
                .where(audit_log.c.action == "sim effect")
                .group_by(audit_log.c.target)
            ).all()
        )
        return Counter({str(row[0]): int(row[1]) for row in rows})

    def rows(self, table: Any) -> int:
        """How many rows."""
        found = self.database.run(lambda tx: tx.execute(select(func.count()).select_from(table)).scalar())
        return int(found or 0)


class Worker:
    """One process: it may die at any moment, and leaves nothing but the database."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sim = world.store()
        self.store = cast(Store, self.sim)
        self.supervisor = Supervisor(log=structlog.get_logger("sim"), rng=random.Random(world.rng.random()))
        metrics, rng = Metrics(), random.Random(world.rng.random())
        self.queue = Queue(
            self.store,
            world.clock,
            claims=FileClaims(world.folder, self.store, world.clock),
            transport=LossyTransport(world.trouble),
            supervisor=self.supervisor,
            metrics=metrics,
            rng=rng,
        )
        self.queue.declare(WORK)
        catalog = Catalog([Happened, WatcherAlarmed, WatcherCleared])
        self.events = Events(self.store, self.queue, world.clock, catalog, metrics)
        self.notify = Notify(self.store, self.queue, world.clock, metrics)
        health = Health(self.supervisor, world.clock)
        self.watcher = Watcher(self.store, self.events, world.clock, health, metrics)
        self.notify.deliver(world.discord)
        self.events.subscribe("sim.count", Happened, self._count)
        self.events.subscribe("sim.tell", Happened, self._tell)
        self.queue.handle(WORK.name, "", self._work)

    async def start(self) -> None:
        """Begin to work."""
        while True:
            try:
                await self.events.sync()
                break
            except UpstreamError:
                continue
        await self.queue.start()
        self.supervisor.start("watcher", self.watcher.run)

    async def die(self) -> None:
        """As by kill -9."""
        self.sim.is_dead = True
        await self.supervisor.drain(0.0)

    async def _count(self, event: Happened) -> Unit[None] | None:
        await asyncio.sleep(self.world.rng.random() * 0.2)
        return await self._have(self.world.effect(f"count {event.number}"))

    async def _tell(self, event: Happened) -> Unit[Any]:
        notice = Notice(MODULE, f"told {event.number}", f"It happened: {event.number}", channel_id=CHANNEL)
        return lambda tx: self.notify.post(tx, notice)

    async def _work(self, message: Message) -> Unit[None] | None:
        number = int(message.body)
        await asyncio.sleep(self.world.rng.random() * (20 if number % 11 == 0 else 0.3))
        if number % POISON_EVERY == 0:
            raise ValueError("poison")
        return await self._have(self.world.effect(f"work {message.key} {number}"))

    async def _have(self, effect: Unit[None]) -> Unit[None] | None:
        if not self.world.cheat:
            return effect
        await self.store.write(effect)
        return None


async def publish(world: World, worker: Callable[[], Worker], number: int) -> None:
    """Publish one fact and put one message, as somebody would who tries again until it is confirmed."""
    event = Happened(occurred_at=world.clock.now(), number=number)
    key = f"key-{number % 4}"

    def unit(tx: Connection) -> None:
        by = worker()
        by.events.publish(tx, event)
        by.queue.put(tx, WORK.name, "work", str(number).encode(), key=key, dedupe=f"work-{number}")

    for _ in range(200):
        try:
            await worker().store.write(unit)
        except UpstreamError:
            await asyncio.sleep(world.rng.random())
            continue
        world.confirmed.add(number)
        world.enqueued.setdefault(key, []).append(number)
        return


async def live(world: World, *, facts: int, workers: int = 2) -> None:
    """Faults for as long as the facts are published, then peace until nothing moves any more."""
    crew = [Worker(world) for _ in range(workers)]
    for worker in crew:
        await worker.start()
    for number in range(1, facts + 1):
        # The client of a dead process would not go on; ours asks whoever lives, as a restarted one would.
        await asyncio.wait_for(publish(world, lambda: crew[-1], number), 3600)
        await asyncio.sleep(world.rng.random() * 2)
        if world.rng.randrange(100) < 8:
            victim = world.rng.randrange(workers)
            await crew[victim].die()
            world.crashes += 1
            crew[victim] = Worker(world)
            await crew[victim].start()
        if world.rng.randrange(100) < 5:
            world.clock.jump(world.rng.choice([3.0, 70.0, 4000.0]))
    world.trouble.is_on = False
    await come_to_rest(world)
    for worker in crew:
        await worker.queue.stop()
        await worker.die()


async def come_to_rest(world: World) -> None:
    """Until nothing waits, at most twelve hours of the simulation; then long enough for the watcher to look."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + REST_S
    while world.rows(queue_messages) and loop.time() < until_s:  # noqa: ASYNC110  nobody would set an event
        await asyncio.sleep(30)
    await asyncio.sleep(600)


def check(world: World) -> None:
    """What must be true of every world that came to rest."""
    assert world.confirmed, "nothing was published"
    assert world.rows(queue_messages) == 0
    counts = world.counts()
    happened = {int(row) for row in _numbers(world)}
    assert world.confirmed <= happened, "a confirmed fact was lost"
    assert {number: counts[f"count {number}"] for number in happened} == dict.fromkeys(happened, 1)
    worked = {
        (key, number): counts[f"work {key} {number}"]
        for key, row in world.enqueued.items()
        for number in row
        if number % POISON_EVERY
    }
    assert worked == dict.fromkeys(worked, 1)
    poisoned = {number for number in world.confirmed if number % POISON_EVERY == 0}
    assert world.rows(dead_letters) == len(poisoned)
    _check_order(world)
    told = Counter(nonce for nonce, _ in world.discord.posts)
    assert set(told.values()) == {1}, "a notice stands twice"
    assert len(told) == len(happened)
    assert world.rows(event_marks) >= 2 * len(happened)
    assert world.rows(event_subscriptions) == 2


def _numbers(world: World) -> list[str]:
    rows = world.database.run(lambda tx: tx.execute(select(events.c.event_id).where(events.c.type == "sim_happened")))
    return [str(row[0]).removeprefix("sim:") for row in rows]


def _check_order(world: World) -> None:
    """Of each key the effects came in the order in which the messages were put."""
    rows = world.database.run(
        lambda tx: tx.execute(select(audit_log.c.target).where(audit_log.c.target.like("work %")).order_by("id")).all()
    )
    seen: dict[str, list[int]] = {}
    for (target,) in rows:
        _, key, number = target.split()
        seen.setdefault(key, []).append(int(number))
    for key, order in seen.items():
        assert order == sorted(order), f"{key} out of order: {order}"
