"""Rows that refer to what is not there, or that nobody will ever look at again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, Table, exists, func, select

from daemon.data import event_checks
from daemon.data.events import QUEUE as EVENTS
from daemon.data.events import event_marks, events
from daemon.data.notices import notices
from daemon.data.queue.tables import claim_bodies, dead_letters, queue_messages
from daemon.data.schedules import QUEUE as JOBS
from daemon.data.schedules import schedule_runs

_EXAMPLES = 5
_RANGE = 1_000  # events looked at with one query
_GIVEN_UP = ("missing-body", "truncated", "corrupt")  # dead letters whose body is known to be lost


@dataclass(frozen=True, slots=True)
class Orphans:
    """What is wrong, how often, and some that it is wrong with."""

    what: str
    count: int
    examples: tuple[str, ...]


class Large(NamedTuple):
    """A row whose body lies in the claim store."""

    label: str  # "message 12"
    digest: bytes
    size_bytes: int


def large(tx: Connection) -> list[Large]:
    """Messages and dead letters that still need a body of the claim store."""
    m, d = queue_messages.c, dead_letters.c
    messages = select(m.id, m.digest, m.size_bytes).where(m.body.is_(None))
    letters = select(d.id, d.digest, d.size_bytes).where(d.body.is_(None), d.reason.not_in(_GIVEN_UP))
    return [Large(f"message {row[0]}", *row[1:]) for row in tx.execute(messages)] + [
        Large(f"dead letter {row[0]}", *row[1:]) for row in tx.execute(letters)
    ]


def stored(tx: Connection) -> dict[bytes, tuple[int, datetime]]:
    """Bodies that lie in the database: by digest their size in bytes, and when they were last put there."""
    c = claim_bodies.c
    return {digest: (size, at) for digest, size, at in tx.execute(select(c.digest, func.length(c.body), c.used_at))}


def unposted(tx: Connection) -> list[str]:
    """Nonces of notices that are not in their channel yet."""
    return list(tx.execute(select(notices.c.nonce).where(notices.c.posted_at.is_(None))).scalars())


def bodies_in(tx: Connection, queue: str) -> list[bytes]:
    """Bodies of what waits in a queue, and of what died in it; large ones are left out."""
    found: list[bytes] = []
    for table in (queue_messages, dead_letters):
        found += tx.execute(select(table.c.body).where(table.c.queue == queue, table.c.body.is_not(None))).scalars()
    return found


def find(tx: Connection) -> list[Orphans]:
    """Whatever there is to find with a query."""
    e, m, q, r = events.c, event_marks.c, queue_messages.c, schedule_runs.c
    first = select(func.coalesce(func.min(e.seq), 0)).scalar_subquery()
    # Marks before the first event are retention's: it has yet to come to them.
    marks = (m.event_seq >= first, ~exists().where(e.seq == m.event_seq))
    deliveries = (q.queue == EVENTS, ~exists().where(e.seq == q.event_seq))
    runs = (r.outcome.is_(None), ~_is_in(queue_messages, r), ~_is_in(dead_letters, r))
    found = [
        _found(tx, "handled events that do not exist", select(m.event_seq).where(*marks)),
        _found(tx, "deliveries of events that do not exist", select(q.id).where(*deliveries)),
        _found(tx, "runs of schedules that nobody will do", select(r.name).where(*runs)),
        *_events(tx),
    ]
    return [orphans for orphans in found if orphans.count]


def _is_in(table: Table, run: Any) -> ColumnElement[bool]:
    return exists().where(table.c.queue == JOBS, table.c.topic == run.name, table.c.trace_id == run.trace_id)


def _found(tx: Connection, what: str, query: Select[Any]) -> Orphans:
    count = tx.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    examples = tx.execute(query.limit(_EXAMPLES)).scalars() if count else ()
    return Orphans(what, count, tuple(map(str, examples)))


def _events(tx: Connection) -> list[Orphans]:
    """What the watcher looks for, in all events that are left."""
    found: dict[str, list[str]] = {"missing": [], "differing": [], "cut": []}
    last = tx.execute(select(func.max(events.c.seq))).scalar() or 0
    after = 0
    while (end := event_checks.next_range_end(tx, after, last, _RANGE)) is not None:
        look = event_checks.look(tx, after + 1, end)
        found["missing"] += [f"event {one.seq} for {one.subscription}" for one in look.missing]
        found["differing"] += [f"event {one.seq} for {one.subscription}" for one in look.differing]
        found["cut"] += [f"event {one.seq}" for one in event_checks.cut(tx, after, _RANGE)[1]]
        after = end
    said = {
        "missing": "deliveries of events that were lost",
        "differing": "events that were handled differently from how they were published",
        "cut": "events whose body is not as published",
    }
    return [Orphans(said[kind], len(which), tuple(which[:_EXAMPLES])) for kind, which in found.items()]
