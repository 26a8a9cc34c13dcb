"""One run of a schedule: asked for in a unit of work, handled from the queue, its outcome kept."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, TypeAlias

import structlog
from sqlalchemy import Connection

from daemon.core.clock import Clock
from daemon.core.errors import MarqueeError
from daemon.core.text import clamp, plain
from daemon.data import schedules
from daemon.data.store import Store, Unit, after_commit
from daemon.kernel.metrics import Metrics
from daemon.kernel.trace import new_trace_id
from daemon.services.queue import Entry, Message, QueueSpec, Reject

log = structlog.get_logger(__name__)

Job: TypeAlias = Callable[[], Awaitable[Unit[Any] | None]]
"""What a schedule does: slow reading first; what is returned is a unit of work that is committed with the run's end."""

DONE = "schedule_runs_done"
"""Topic of `Store.on_commit`: (name, when) of runs that ended well."""

_DETAIL_CHARS = 300


Put: TypeAlias = Callable[[Connection, str, Sequence[Entry]], Sequence[int | None]]
"""Puts messages into a queue within a unit of work: `Queue.put_many`, or `Inbox.put` without a running queue."""

JOBS = QueueSpec(schedules.QUEUE, concurrency=4, attempts_max=6, timeout_s=3600.0)
"""Runs wait here. A run that fails is tried again for some minutes, then it is a dead letter."""


def ask(tx: Connection, put: Put, name: str, slot_at: datetime, now: datetime) -> bool:
    """Ask for the run of a slot; False when it was asked for before, here or in another process."""
    trace_id = new_trace_id()
    if not schedules.add_run(tx, name, slot_at, now, trace_id):
        return False
    return _put(tx, put, name, slot_at, f"{name}@{slot_at.isoformat()}", "schedule", trace_id)


def ask_by_hand(tx: Connection, put: Put, name: str, now: datetime, source: str) -> str:
    """Ask for a run that no slot asks for; its trace id. KeyError when no daemon has declared the schedule."""
    if not schedules.is_known(tx, name):
        raise KeyError(name)
    trace_id = new_trace_id()
    slot_at = schedules.add_run_now(tx, name, now, trace_id, f"asked for by {source}")
    _put(tx, put, name, slot_at, f"{name}@manual-{trace_id}", source, trace_id)
    return trace_id


def _put(tx: Connection, put: Put, name: str, slot_at: datetime, dedupe: str, source: str, trace_id: str) -> bool:
    body = slot_at.isoformat().encode()
    entry = Entry(name, body, key=name, dedupe=dedupe, source=source, trace_id=trace_id)
    return put(tx, schedules.QUEUE, [entry])[0] is not None


@dataclass(frozen=True, slots=True)
class Runner:
    """Handles the messages of one schedule."""

    name: str
    job: Job
    store: Store
    clock: Clock
    metrics: Metrics

    async def __call__(self, message: Message) -> Unit[None] | None:
        """Run the job; the unit that ends the run, with the job's own effect in it.

        None when the run is done already: this process was held up and lost its lease to another.
        """
        slot_at = _read_slot(message.body)
        begun_at = self.clock.now()
        if not await self.store.write(lambda tx: schedules.begin_run(tx, self.name, slot_at, begun_at)):
            return None
        async with _Noted(self, slot_at):
            effect = await self.job()
        ended_at = self.clock.now()

        def end(tx: Connection) -> None:
            if effect is not None:
                effect(tx)
            schedules.finish_run(tx, self.name, slot_at, ended_at)
            after_commit(DONE, (self.name, ended_at))

        return end


@dataclass(frozen=True, slots=True)
class _Noted:
    """Writes down that a job failed; the queue decides what becomes of it. A job that is cancelled has not failed."""

    runner: Runner
    slot_at: datetime

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, Exception):
            return
        runner, now = self.runner, self.runner.clock.now()
        runner.metrics.schedule_runs_total.labels(runner.name, "failed").inc()
        detail = _to_detail(error)
        log.warning("schedule_run_failed", schedule=runner.name, slot_at=self.slot_at.isoformat(), error=detail)
        await runner.store.write(lambda tx: schedules.fail_run(tx, runner.name, self.slot_at, now, detail))


def _read_slot(body: bytes) -> datetime:
    try:
        return datetime.fromisoformat(body.decode())
    except ValueError:
        raise Reject("the message names no slot") from None


def _to_detail(error: Exception) -> str:
    text = str(error) if isinstance(error, MarqueeError) else traceback.format_exception_only(error)[-1]
    return clamp(plain(text), _DETAIL_CHARS)
