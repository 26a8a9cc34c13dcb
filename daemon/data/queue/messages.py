"""Putting messages in: ids, dedupe keys, rows; what waits and how long."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, select, text

from daemon.data.columns import to_micros
from daemon.data.hot import Hot, HotInsert, insert
from daemon.data.queue.tables import dead_letters, queue_dedupe, queue_messages
from daemon.data.store.told import after_commit

TOPIC = "queue"
"""Of `Store.on_commit`; each value is a `Told`."""


class Told(NamedTuple):
    """Messages that may be claimed from `due_at` (microseconds) on. `is_new` when they were put just now."""

    queue: str
    ids: Sequence[int]
    due_at: int
    is_new: bool


class NewRow(NamedTuple):
    """A row of `queue_messages` as it goes to the driver; instants in microseconds."""

    id: int
    queue: str
    priority: int
    due_at: int
    key: str | None
    topic: str
    body: bytes | None
    size_bytes: int
    digest: bytes
    dedupe: str | None
    event_seq: int | None
    source: str
    trace_id: str
    enqueued_at: int
    attempts: int
    token: int


_ids = Hot(
    lambda dialect: (
        text("SELECT nextval('queue_messages_id_seq') FROM generate_series(1, :count)")
        if dialect == "postgresql"
        # Read in a writing transaction, of which there is one at a time.
        else text("SELECT seq FROM sqlite_sequence WHERE name = 'queue_messages' AND :count > 0")
    )
)
_insert = HotInsert(queue_messages, NewRow._fields)
_remember = Hot(
    lambda dialect: (
        insert(dialect, queue_dedupe)
        .values({name: bindparam(name) for name in ("queue", "dedupe", "message_id", "at")})
        .on_conflict_do_nothing()
    )
)
_lock = Hot(lambda _: text("SELECT pg_advisory_xact_lock(:number)"))
_count = Hot(
    lambda _: select(func.count()).select_from(queue_messages).where(queue_messages.c.queue == bindparam("queue"))
)


def next_ids(tx: Connection, count: int) -> Sequence[int]:
    """Ids that no message has had, ascending. On SQLite they are taken only once rows with them are inserted."""
    rows = _ids.run(tx, {"count": count}).fetchall()
    if tx.dialect.name == "postgresql":
        return [row[0] for row in rows]
    last: int = rows[0][0] if rows else 0
    return range(last + 1, last + 1 + count)


def insert_rows(tx: Connection, rows: Sequence[NewRow]) -> None:
    """Insert messages. Of two with one key, the smaller id comes first."""
    _insert.run(tx, rows)


def remember(tx: Connection, queue: str, dedupe: str, message_id: int, at: int) -> bool:
    """Whether this dedupe key is used for the first time; of several at once exactly one is told so."""
    parameters = {"queue": queue, "dedupe": dedupe, "message_id": message_id, "at": at}
    return _remember.run(tx, parameters).rowcount == 1


def lock_key(tx: Connection, queue: str, key: str) -> None:
    """Have units that put to one key commit in the order of their ids. Call it before the ids are drawn.

    Without it a smaller id could become visible on PostgreSQL when a larger one is being handled already.
    """
    if tx.dialect.name == "postgresql":
        digest = hashlib.blake2b(f"{queue}\0{key}".encode(), digest_size=8).digest()
        _lock.run(tx, {"number": int.from_bytes(digest, "big", signed=True)})


def tell(queue: str, ids: Sequence[int], due_at: int, *, is_new: bool) -> None:
    """In a unit of work that put or freed messages: wake who works on the queue, once it is committed."""
    after_commit(TOPIC, Told(queue, ids, due_at, is_new))


def count(tx: Connection, queue: str) -> int:
    """How many messages the queue holds, whatever their state."""
    row: Any = _count.run(tx, {"queue": queue}).fetchone()
    found: int = row[0]
    return found


def depths(tx: Connection, now: datetime) -> list[tuple[str, int, int, int, int | None]]:
    """(queue, ready, delayed, leased, when the oldest ready one became due in microseconds or None) by queue."""
    m = queue_messages.c
    at = to_micros(now)
    is_due = m.due_at <= now
    rows = tx.execute(
        select(
            m.queue,
            func.count().filter(is_due),
            func.count().filter(~is_due, m.token == 0),
            func.count().filter(~is_due, m.token != 0),
            func.min(m.due_at),
        ).group_by(m.queue)
    )
    return [
        (queue, ready, delayed, leased, to_micros(oldest) if to_micros(oldest) <= at else None)
        for queue, ready, delayed, leased, oldest in rows
    ]


def dead_by_queue(tx: Connection, since: datetime) -> dict[str, tuple[int, int]]:
    """(dead letters, those that died since then) by queue; queues with none are left out."""
    d = dead_letters.c
    rows = tx.execute(select(d.queue, func.count(), func.count().filter(d.died_at >= since)).group_by(d.queue))
    return {queue: (found, lately) for queue, found, lately in rows}
