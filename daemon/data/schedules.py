"""Schedules: which slot of each was last dealt with, and how the runs went."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Row,
    Select,
    Table,
    Text,
    Update,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)

from daemon.data.columns import Instant, metadata
from daemon.data.hot import insert
from daemon.data.queue.tables import dead_letters, queue_messages

schedules = Table(
    "schedules",
    metadata,
    Column("name", Text, primary_key=True),
    Column("slot_at", Instant, nullable=False),  # slots up to here have been dealt with
    Column("next_at", Instant),  # NULL: never again
    Column("plan", Text, nullable=False),  # for people and to notice a change: "30 4 * * *", "every 3600 s"
    Column("timezone", Text, nullable=False),
    Column("missed", Text, nullable=False),  # "skip", "once", "all"
    Column("seen_at", Instant, nullable=False),  # when a running daemon last knew it
    CheckConstraint("length(name) BETWEEN 1 AND 100", name="name"),
)

schedule_runs = Table(
    "schedule_runs",
    metadata,
    Column("name", Text, primary_key=True),
    Column("slot_at", Instant, primary_key=True),
    Column("asked_at", Instant, nullable=False, index=True),
    Column("started_at", Instant),  # of the last attempt
    Column("ended_at", Instant),
    Column("outcome", Text),  # "done", "failed"; NULL while it waits or runs
    Column("detail", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
)

_NOT_DONE = or_(schedule_runs.c.outcome.is_(None), schedule_runs.c.outcome != "done")

QUEUE = "jobs"
"""Runs wait in this queue; topic and key are the schedule's name, so that two runs of one never overlap."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A schedule as code declares it."""

    name: str
    plan: str
    timezone: str
    missed: str


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `outcome` is "done", "failed", "dead" (given up: see the dead letters), "running" or "waiting"."""

    name: str
    slot_at: datetime
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    outcome: str
    detail: str
    trace_id: str


@dataclass(frozen=True, slots=True)
class Known:
    """A schedule as the database knows it; `last` is its newest run."""

    declared: Declared
    slot_at: datetime
    next_at: datetime | None
    seen_at: datetime
    last: Run | None


def declare(tx: Connection, declared: Declared, now: datetime) -> datetime:
    """Make the schedule known; the slot up to which it has been dealt with.

    One that is new, or due at other times than before, has missed nothing: it begins `now`.
    """
    values = {"plan": declared.plan, "timezone": declared.timezone, "missed": declared.missed, "seen_at": now}
    statement = insert(tx.dialect.name, schedules).values(name=declared.name, slot_at=now, **values)
    tx.execute(statement.on_conflict_do_nothing())
    row = tx.execute(_locked(declared.name)).one()
    is_same = (row.plan, row.timezone) == (declared.plan, declared.timezone)
    slot_at: datetime = row.slot_at if is_same else max(row.slot_at, now)
    tx.execute(update(schedules).where(schedules.c.name == declared.name).values(slot_at=slot_at, **values))
    return slot_at


def slot_of(tx: Connection, name: str) -> datetime | None:
    """The newest slot that has been dealt with; the row is locked until the unit ends. None: it is not known."""
    row = tx.execute(_locked(name)).one_or_none()
    return None if row is None else row.slot_at


def _locked(name: str) -> Select[Any]:
    columns = select(schedules.c.slot_at, schedules.c.plan, schedules.c.timezone)
    return columns.where(schedules.c.name == name).with_for_update()


def move(tx: Connection, name: str, *, slot_at: datetime, next_at: datetime | None, now: datetime) -> None:
    """Everything up to `slot_at` has been dealt with; `next_at` comes next."""
    moved = update(schedules).where(schedules.c.name == name)
    tx.execute(moved.values(slot_at=slot_at, next_at=next_at, seen_at=now))


def see(tx: Connection, names: Collection[str], now: datetime) -> None:
    """A running daemon still knows these."""
    tx.execute(update(schedules).where(schedules.c.name.in_(names)).values(seen_at=now))


def forget(tx: Connection, before: datetime) -> None:
    """Forget schedules that no daemon has known since `before`, with their runs."""
    gone = select(schedules.c.name).where(schedules.c.seen_at < before)
    tx.execute(delete(schedule_runs).where(schedule_runs.c.name.in_(gone)))
    tx.execute(delete(schedules).where(schedules.c.seen_at < before))


def is_known(tx: Connection, name: str) -> bool:
    """Whether some daemon has declared it."""
    return tx.execute(select(schedules.c.name).where(schedules.c.name == name)).first() is not None


def has_waiting(tx: Connection, name: str) -> bool:
    """Whether a run waits that has not been begun."""
    waiting = select(queue_messages.c.id).where(
        queue_messages.c.queue == QUEUE, queue_messages.c.key == name, queue_messages.c.attempts == 0
    )
    return tx.execute(waiting.limit(1)).first() is not None


def add_run(tx: Connection, name: str, slot_at: datetime, now: datetime, trace_id: str, detail: str = "") -> bool:
    """Note that a run was asked for; False when there has been one of this slot."""
    statement = insert(tx.dialect.name, schedule_runs).values(
        name=name, slot_at=slot_at, asked_at=now, detail=detail, trace_id=trace_id
    )
    # PostgreSQL's driver gives no count of rows for it.
    return tx.execute(statement.on_conflict_do_nothing().returning(schedule_runs.c.name)).first() is not None


def add_run_now(tx: Connection, name: str, now: datetime, trace_id: str, detail: str) -> datetime:
    """Note a run that no slot asks for; it counts as that of the first free microsecond, which is returned."""
    slot_at = now
    while not add_run(tx, name, slot_at, now, trace_id, detail):
        slot_at += timedelta(microseconds=1)
    return slot_at


def begin_run(tx: Connection, name: str, slot_at: datetime, now: datetime) -> bool:
    """An attempt begins; False when the run is done already: whoever lost its lease comes late."""
    begun = _run(name, slot_at).where(_NOT_DONE).values(started_at=now, ended_at=None, outcome=None)
    if tx.execute(begun).rowcount == 1:
        return True
    c = schedule_runs.c
    found = tx.execute(select(c.outcome).where(c.name == name, c.slot_at == slot_at)).one_or_none()
    return found is None  # forgotten meanwhile: that it was done is not known


def fail_run(tx: Connection, name: str, slot_at: datetime, now: datetime, detail: str) -> None:
    """The attempt has failed; a run that is done stays so."""
    tx.execute(_run(name, slot_at).where(_NOT_DONE).values(ended_at=now, outcome="failed", detail=detail))


def finish_run(tx: Connection, name: str, slot_at: datetime, now: datetime) -> None:
    """The run is done."""
    tx.execute(_run(name, slot_at).values(ended_at=now, outcome="done", detail=""))


def _run(name: str, slot_at: datetime) -> Update:
    return update(schedule_runs).where(schedule_runs.c.name == name, schedule_runs.c.slot_at == slot_at)


def trim_runs(tx: Connection, name: str, kept: int) -> None:
    """Keep the newest `kept` runs of a schedule."""
    newest = select(schedule_runs.c.slot_at).where(schedule_runs.c.name == name)
    oldest_gone = newest.order_by(schedule_runs.c.slot_at.desc()).offset(kept).limit(1).scalar_subquery()
    tx.execute(delete(schedule_runs).where(schedule_runs.c.name == name, schedule_runs.c.slot_at <= oldest_gone))


def listing(tx: Connection) -> list[Known]:
    """Every schedule by name, with its newest run."""
    newest = select(schedule_runs.c.name, func.max(schedule_runs.c.slot_at).label("slot_at"))
    newest_by_name = newest.group_by(schedule_runs.c.name).subquery()
    is_newest = and_(schedule_runs.c.name == newest_by_name.c.name, schedule_runs.c.slot_at == newest_by_name.c.slot_at)
    last = {row.name: _to_run(row) for row in tx.execute(_runs().join(newest_by_name, is_newest))}
    return [
        Known(
            Declared(row.name, row.plan, row.timezone, row.missed), row.slot_at, row.next_at, row.seen_at,
            last.get(row.name),
        )
        for row in tx.execute(select(schedules).order_by(schedules.c.name))
    ]  # fmt: skip


def history(tx: Connection, name: str, most: int) -> list[Run]:
    """The newest runs of a schedule, newest first."""
    mine = _runs().where(schedule_runs.c.name == name).order_by(schedule_runs.c.slot_at.desc()).limit(most)
    return [_to_run(row) for row in tx.execute(mine)]


def _runs() -> Select[Any]:
    is_dead = exists().where(
        dead_letters.c.queue == QUEUE,
        dead_letters.c.topic == schedule_runs.c.name,
        dead_letters.c.trace_id == schedule_runs.c.trace_id,
    )
    return select(schedule_runs, is_dead.label("is_dead"))


def _to_run(row: Row[Any]) -> Run:
    outcome = row.outcome or ("waiting" if row.started_at is None else "running")
    if row.is_dead and outcome != "done":
        outcome = "dead"
    return Run(row.name, row.slot_at, row.asked_at, row.started_at, row.ended_at, outcome, row.detail, row.trace_id)
