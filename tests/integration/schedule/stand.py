"""Schedules on a real store and a real queue, driven by a clock that the test sets."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from daemon.data.schedules import Known
from daemon.data.store import Store
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.queue import DatabaseClaims, DatabaseTransport, Queue
from daemon.services.schedule import Schedules

START = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
WAIT_S = 20


class SetClock:
    """Stands still until it is set; who sleeps wakes when it has been set far enough."""

    def __init__(self) -> None:
        self._now = START
        self._changed = asyncio.Event()

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        until = self._now + timedelta(seconds=seconds)
        while self._now < until:
            await self._changed.wait()

    def move(self, **by: float) -> None:
        self._now += timedelta(**by)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def set(self, text: str) -> None:
        """To a time of the first day, or to a whole date."""
        found = datetime.fromisoformat(text if "-" in text else f"{START:%Y-%m-%d} {text}").replace(tzinfo=UTC)
        self.move(seconds=(found - self._now).total_seconds())


@dataclass
class Stand:
    """One process of possibly several on the store."""

    store: Store
    clock: SetClock
    metrics: Metrics
    supervisor: Supervisor
    queue: Queue
    schedules: Schedules
    ran: list[str] = field(default_factory=list)

    async def job(self) -> None:
        """A job that only says that it ran."""
        self.ran.append(f"{self.clock.now():%H:%M}")

    async def known(self, name: str) -> Known:
        return next(known for known in await self.schedules.listing() if known.declared.name == name)

    async def slots(self, name: str) -> list[str]:
        """Slots that were asked for, oldest first."""
        runs = await self.schedules.history(name, 200)
        return [f"{run.slot_at:%d %H:%M}" for run in reversed(runs)]

    async def outcomes(self, name: str) -> list[str]:
        runs = await self.schedules.history(name, 200)
        return [run.outcome for run in reversed(runs)]


async def until(is_so: Callable[[], Any], what: str) -> None:
    """Wait until `is_so()`, plain or async, is true."""
    try:
        async with asyncio.timeout(WAIT_S):
            while True:
                found = is_so()
                if asyncio.iscoroutine(found):
                    found = await found
                if found:
                    return
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"waited in vain for {what}") from None


@asynccontextmanager
async def open_stand(store: Store, clock: SetClock, *, works: bool = True) -> AsyncIterator[Stand]:
    """A process; with `works` it also handles the queue. The loop of the schedules is the test's to start."""
    metrics = Metrics()
    supervisor = Supervisor(log=structlog.get_logger())
    queue = Queue(
        store,
        clock,
        claims=DatabaseClaims(store, clock),
        transport=DatabaseTransport(),
        supervisor=supervisor,
        metrics=metrics,
        rng=random.Random(1),
        poll_s=0.02,
    )
    schedules = Schedules(store, clock, queue, supervisor=supervisor, metrics=metrics)
    await queue.start(None if works else ())
    try:
        yield Stand(store, clock, metrics, supervisor, queue, schedules)
    finally:
        await schedules.stop()
        await queue.stop()
        await supervisor.drain(0.0)
