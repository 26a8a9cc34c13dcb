"""Schedules: at each slot a message goes into the queue, once, however many processes there are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from daemon.core.clock import Clock
from daemon.core.errors import UpstreamError
from daemon.core.limits import (
    SCHEDULE_FORGOTTEN_S,
    SCHEDULE_NAP_S,
    SCHEDULE_RUNS_KEPT,
    SCHEDULE_SEEN_EVERY_S,
)
from daemon.data import schedules as rows
from daemon.data.schedules import Known, Run
from daemon.data.store import Store
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.queue import Queue
from daemon.services.schedule.plan import Missed, Schedule
from daemon.services.schedule.runs import DONE, JOBS, Job, Runner, ask, ask_by_hand
from daemon.services.schedule.slots import to_run
from daemon.services.schedule.timetable import Times, Timetable

log = structlog.get_logger(__name__)

_OWNER = "schedules"
_RETRY_S = 5.0  # of real time, after the database could not be used
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _Added:
    schedule: Schedule
    times: Times


class Schedules:
    """The schedules of this process, driven by its clock: jumps and speeds of a simulated one included.

    A slot is dealt with in one unit of work: it moves the schedule on, notes the run and puts the message into the
    queue "jobs". So two processes that know the same schedule, or a restart, run each slot once. Of a schedule that
    does not make up for everything (`Missed.ALL`) at most one run waits: while workers are away none pile up.
    """

    def __init__(self, store: Store, clock: Clock, queue: Queue, *, supervisor: Supervisor, metrics: Metrics) -> None:
        self._store = store
        self._clock = clock
        self._queue = queue
        self._supervisor = supervisor
        self._metrics = metrics
        self._table = Timetable()
        self._added: dict[str, _Added] = {}
        self._new: set[str] = set()  # not yet declared in the database
        self._seen_at: datetime | None = None
        self._looked_at: datetime | None = None
        queue.declare(JOBS)
        store.on_commit(DONE, self._count_done)

    async def add(self, schedule: Schedule, job: Job) -> Callable[[], None]:
        """Run `job` at the slots of `schedule`, in whichever process works on the queue; call what is returned to end.

        Every process that works on "jobs" has to add the same schedules. ValueError for a name that is taken and for
        what `Times` refuses.
        """
        if schedule.name in self._added:
            raise ValueError(f"there is a schedule {schedule.name} already")
        added = _Added(schedule, await asyncio.to_thread(Times, schedule))
        runner = Runner(schedule.name, job, self._store, self._clock, self._metrics)
        unhandle = self._queue.handle(rows.QUEUE, schedule.name, runner)
        self._added[schedule.name] = added
        self._new.add(schedule.name)
        for outcome in ("done", "failed"):  # 0 from here on, so that the first one is seen
            self._metrics.schedule_runs_total.labels(schedule.name, outcome)

        def remove() -> None:
            if self._added.get(schedule.name) is added:
                del self._added[schedule.name]
                self._new.discard(schedule.name)
                self._table.remove(schedule.name)
                unhandle()

        return remove

    async def start(self) -> None:
        """Begin to look for due slots; what is added later joins in."""
        self._supervisor.start("schedules", self._run, owner=_OWNER)

    async def stop(self) -> None:
        """Ask for nothing more; what waits in the queue stays there."""
        await self._supervisor.cancel(_OWNER)

    async def run_now(self, name: str, source: str) -> str:
        """Ask for a run by hand; the trace id of it. KeyError when no daemon has declared that schedule."""
        now = self._clock.now()
        return await self._store.write(lambda tx: ask_by_hand(tx, self._queue.put_many, name, now, source))

    async def listing(self) -> list[Known]:
        """Every schedule that the database knows, by name, with its newest run; those of other processes included."""
        return await self._store.read(rows.listing)

    async def history(self, name: str, most: int) -> list[Run]:
        """The newest runs, newest first."""
        return await self._store.read(lambda tx: rows.history(tx, name, most))

    def _count_done(self, done: list[tuple[str, datetime]]) -> None:
        for name, ended_at in done:
            self._metrics.schedule_runs_total.labels(name, "done").inc()
            self._metrics.schedule_last_run_timestamp_seconds.labels(name).set(ended_at.timestamp())

    async def _run(self) -> None:
        while True:
            try:
                nap_s = await self.tick()
            except UpstreamError as error:
                log.warning("schedules_wait", problem=str(error))
                await asyncio.sleep(_RETRY_S)
            else:
                await self._clock.sleep(nap_s)

    async def tick(self) -> float:
        """Deal with everything that is due; seconds of the clock until there is something to look at again."""
        now = self._clock.now()
        if self._looked_at is not None and now < self._looked_at:
            self._new |= self._added.keys()  # the clock was set back: slots come again that are further on in the table
        self._looked_at = now
        await self._declare(now)
        for name, due_at in self._table.due(now):
            await self._fire(name, due_at, now)
        await self._say_seen(now)
        next_at = self._table.next_at()
        wait_s = SCHEDULE_NAP_S if next_at is None else (next_at - self._clock.now()).total_seconds()
        return min(SCHEDULE_NAP_S, max(0.0, wait_s))

    async def _declare(self, now: datetime) -> None:
        if not self._new:
            return
        wanted = {name: self._added[name] for name in self._new}
        next_at = await self._store.write(_Declare(tuple(wanted.values()), now))
        for name, added in wanted.items():
            if self._added.get(name) is added:
                self._table.put(name, next_at[name])
        self._new -= wanted.keys()

    async def _fire(self, name: str, due_at: datetime, now: datetime) -> None:
        added = self._added.get(name)
        if added is None:
            return
        fired = await self._store.write(_Fire(added, self._queue, due_at, now))
        if fired.is_dropped:
            log.warning("schedule_slots_missed", schedule=name, policy=added.schedule.missed.value, runs=fired.runs)
        if self._added.get(name) is added:
            self._table.put(name, fired.next_at)

    async def _say_seen(self, now: datetime) -> None:
        if self._seen_at is not None and abs((now - self._seen_at).total_seconds()) < SCHEDULE_SEEN_EVERY_S:
            return
        names = sorted(self._added)
        forgotten = now - timedelta(seconds=SCHEDULE_FORGOTTEN_S)

        def see(tx: Connection) -> None:
            rows.see(tx, names, now)
            rows.forget(tx, forgotten)

        await self._store.write(see)
        self._seen_at = now


@dataclass(frozen=True, slots=True)
class _Declare:
    """The unit of work that makes schedules known; when each is next due, which may be in the past."""

    added: tuple[_Added, ...]
    now: datetime

    def __call__(self, tx: Connection) -> dict[str, datetime | None]:
        found = {}
        for one in self.added:
            schedule = one.schedule
            declared = rows.Declared(schedule.name, schedule.when, schedule.timezone, schedule.missed.value)
            # A slot in the future was dealt with before the clock was set back: from now on it is as good as none.
            slot_at = min(rows.declare(tx, declared, self.now), self.now)
            found[schedule.name] = one.times.after(slot_at)
            rows.move(tx, schedule.name, slot_at=slot_at, next_at=found[schedule.name], now=self.now)
        return found


@dataclass(frozen=True, slots=True)
class _Fired:
    runs: int
    is_dropped: bool
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Fire:
    """The unit of work that deals with every slot of one schedule up to now."""

    added: _Added
    queue: Queue
    due_at: datetime
    now: datetime

    def __call__(self, tx: Connection) -> _Fired:
        schedule, times = self.added.schedule, self.added.times
        after = rows.slot_of(tx, schedule.name)
        if after is None or after >= self.now:
            after = self.due_at - _MOMENT  # forgotten, or another process's clock is ahead: only what we know of
        slots, is_dropped = to_run(times, schedule.missed, after, self.now)
        if schedule.missed is not Missed.ALL and rows.has_waiting(tx, schedule.name):
            slots, is_dropped = [], bool(slots)
        asked = [ask(tx, self.queue.put_many, schedule.name, slot, self.now) for slot in slots]
        next_at = times.after(self.now)
        rows.move(tx, schedule.name, slot_at=self.now, next_at=next_at, now=self.now)
        rows.trim_runs(tx, schedule.name, SCHEDULE_RUNS_KEPT)
        return _Fired(sum(asked), is_dropped, next_at)
