"""Events: what happened, who wants to know, and who has been told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy import Insert as PlainInsert
from sqlalchemy import insert as plain_insert

from daemon.data.columns import BigInt, Instant, metadata, to_micros
from daemon.data.hot import Hot, insert
from daemon.data.queue import messages
from daemon.data.queue.tables import dead_letters, queue_messages

QUEUE: Final = "events"
"""The queue that carries deliveries: topic is the subscription, `event_seq` the event."""

events = Table(
    "events",
    metadata,
    Column("seq", BigInt, primary_key=True),
    Column("event_id", Text, nullable=False),  # derived from the fact, so that one fact is one event
    Column("type", Text, nullable=False),
    Column("version", SmallInteger, nullable=False),  # of the body's shape
    Column("body", LargeBinary, nullable=False),  # JSON
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of the body
    Column("source", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("published_at", Instant, nullable=False),
    UniqueConstraint("event_id"),
    CheckConstraint("length(event_id) BETWEEN 1 AND 300", name="event_id"),
    CheckConstraint("length(digest) = 32", name="digest"),
    sqlite_autoincrement=True,
)

event_subscriptions = Table(
    "event_subscriptions",
    metadata,
    Column("subscription", Text, primary_key=True),  # "ops.server_lost"
    Column("event_type", Text, primary_key=True),
    Column("since_seq", BigInt, nullable=False),  # events up to this one were published before it was there
    Column("added_at", Instant, nullable=False),
    CheckConstraint("length(subscription) BETWEEN 1 AND 100", name="subscription"),
)

event_marks = Table(
    "event_marks",
    metadata,
    Column("event_seq", BigInt, primary_key=True, autoincrement=False),
    Column("subscription", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of the body that was handled
    Column("attempts", SmallInteger, nullable=False),
    Column("handled_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)


class NewEvent(NamedTuple):
    """A row of `events` as it goes to the driver; instants in microseconds."""

    event_id: str
    type: str
    version: int
    body: bytes
    digest: bytes
    source: str
    trace_id: str
    occurred_at: int
    published_at: int


class Published(NamedTuple):
    """What a delivery is made of."""

    body: bytes
    digest: bytes
    trace_id: str


_q = queue_messages.c


class Death(NamedTuple):
    """A dead letter, for those who tell of it."""

    letter_id: int
    queue: str
    topic: str
    reason: str
    attempts: int
    source: str
    trace_id: str
    died_at: datetime


def _returning(dialect: str, statement: PlainInsert, key: Column[int]) -> PlainInsert:
    """With RETURNING where `_inserted` needs it: on SQLite it doubles what an INSERT costs."""
    return statement.returning(key) if dialect == "postgresql" else statement


_insert = Hot(
    lambda dialect: _returning(
        dialect,
        insert(dialect, events)
        .values({name: bindparam(name) for name in NewEvent._fields})
        .on_conflict_do_nothing(index_elements=["event_id"]),
        events.c.seq,
    )
)
_FAN_OUT = {
    "queue": literal_column(f"'{QUEUE}'"),
    "priority": literal_column("1"),
    "due_at": bindparam("published_at", type_=_q.due_at.type),
    # The key is the subscription's own: one that fails must not hold up the others.
    "key": event_subscriptions.c.subscription + bindparam("key_end", type_=_q.key.type),
    "topic": event_subscriptions.c.subscription,
    "body": bindparam("body", type_=_q.body.type),
    "size_bytes": bindparam("size_bytes", type_=_q.size_bytes.type),
    "digest": bindparam("digest", type_=_q.digest.type),
    "attempts": literal_column("0"),
    "token": literal_column("0"),
    "event_seq": bindparam("seq", type_=_q.event_seq.type),
    "source": bindparam("source", type_=_q.source.type),
    "trace_id": bindparam("trace_id", type_=_q.trace_id.type),
    "enqueued_at": bindparam("published_at", type_=_q.enqueued_at.type),
}
_fan_out = Hot(
    lambda dialect: _returning(
        dialect,
        plain_insert(queue_messages).from_select(
            list(_FAN_OUT),
            select(*_FAN_OUT.values()).where(
                event_subscriptions.c.event_type == bindparam("event_type", type_=event_subscriptions.c.event_type.type)
            ),
        ),
        _q.id,
    )
)
_mark = Hot(
    lambda dialect: (
        insert(dialect, event_marks)
        .values({column.name: bindparam(column.name) for column in event_marks.c})
        .on_conflict_do_nothing()
    )
)


def add(tx: Connection, event: NewEvent) -> int | None:
    """The number of a new event, or None when this fact was published before."""
    return next(iter(_inserted(tx, _insert.run(tx, event._asdict()))), None)


def published(tx: Connection, seq: int) -> Published | None:
    """An event by its number; None when retention has removed it."""
    row = tx.execute(select(events.c.body, events.c.digest, events.c.trace_id).where(events.c.seq == seq)).one_or_none()
    return None if row is None else Published(row.body, row.digest, row.trace_id)


def deliver(tx: Connection, seq: int, event: NewEvent, ordering_key: str | None) -> Sequence[int]:
    """Put the event into the queue once for each subscription to its type; the ids of the messages."""
    if ordering_key is not None:
        messages.lock_key(tx, QUEUE, ordering_key)  # before ids are drawn, so that theirs is the order of commits
    parameters = {
        "published_at": event.published_at,
        "key_end": None if ordering_key is None else f":{ordering_key}",
        "body": event.body,
        "size_bytes": len(event.body),
        "digest": event.digest,
        "seq": seq,
        "source": f"event {seq}",
        "trace_id": event.trace_id,
        "event_type": event.type,
    }
    ids = _inserted(tx, _fan_out.run(tx, parameters))
    if ids:
        messages.tell(QUEUE, ids, event.published_at, is_new=True)
    return ids


def _inserted(tx: Connection, cursor: Any) -> Sequence[int]:
    """The keys of the rows that an INSERT made. SQLite, with one writer, gives them one after the other."""
    if tx.dialect.name == "postgresql":
        return [row[0] for row in cursor.fetchall()]
    return range(cursor.lastrowid - cursor.rowcount + 1, cursor.lastrowid + 1) if cursor.rowcount else ()


def mark(tx: Connection, seq: int, subscription: str, digest: bytes, attempts: int, at: datetime) -> bool:
    """Say that a subscription has handled an event; False when it had before, and nothing may be done again."""
    row = {
        "event_seq": seq,
        "subscription": subscription,
        "digest": digest,
        "attempts": attempts,
        "handled_at": to_micros(at),
    }
    return _mark.run(tx, row).rowcount == 1


def settle(tx: Connection, letters: Collection[int]) -> None:
    """Say of these dead letters that nothing is to be delivered any more; to be called before they are deleted.

    Otherwise the watcher would find that events had gone lost on their way, and send them again.
    """
    letter = dead_letters.c
    died = select(letter.event_seq, letter.topic, letter.digest, letter.attempts, letter.died_at).where(
        letter.id.in_(letters), letter.queue == QUEUE, letter.event_seq.in_(select(events.c.seq))
    )
    names = [column.name for column in event_marks.c]
    tx.execute(insert(tx.dialect.name, event_marks).from_select(names, died).on_conflict_do_nothing())


def subscriptions(tx: Connection) -> set[tuple[str, str]]:
    """Every (subscription, type of event)."""
    table = event_subscriptions.c
    return {(row.subscription, row.event_type) for row in tx.execute(select(table.subscription, table.event_type))}


def subscribe(tx: Connection, wanted: Collection[tuple[str, str]], at: datetime) -> None:
    """Have events that are published from now on delivered to these (subscription, type of event)."""
    if tx.dialect.name == "postgresql":
        # Whoever is publishing has either committed, and its events lie before us, or waits and will then see us.
        tx.execute(text("LOCK TABLE events IN SHARE MODE"))
    since: int = tx.execute(select(func.coalesce(func.max(events.c.seq), 0))).scalar_one()
    statement = insert(tx.dialect.name, event_subscriptions).on_conflict_do_nothing()
    for subscription, event_type in sorted(wanted):
        tx.execute(statement.values(subscription=subscription, event_type=event_type, since_seq=since, added_at=at))


def unsubscribe(tx: Connection, subscription: str, event_type: str) -> int:
    """Deliver events of this type no more, what waits included; how many deliveries were dropped."""
    table, waiting = event_subscriptions.c, queue_messages.c
    tx.execute(delete(event_subscriptions).where(table.subscription == subscription, table.event_type == event_type))
    of_type = select(events.c.seq).where(events.c.type == event_type)
    return tx.execute(
        delete(queue_messages).where(
            waiting.queue == QUEUE, waiting.topic == subscription, waiting.event_seq.in_(of_type)
        )
    ).rowcount


def latest(tx: Connection, types: Collection[str]) -> tuple[int, bytes] | None:
    """(number, body) of the newest event of these types; None when there is none.

    It looks from the newest event backwards, and through all of them when there is none: ask seldom.
    """
    table = events.c
    found = select(table.seq, table.body).where(table.type.in_(types)).order_by(table.seq.desc()).limit(1)
    row = tx.execute(found).one_or_none()
    return None if row is None else (row.seq, row.body)


def deaths(tx: Connection, passed_over: str, since: datetime, after: int, limit: int) -> list[Death]:
    """Dead letters that died since then and have numbers above `after`, ascending.

    Those of deliveries of events of the type `passed_over` are left out.
    """
    letter = dead_letters.c
    of_type = select(events.c.seq).where(events.c.type == passed_over, events.c.seq == letter.event_seq)
    found = (
        select(
            letter.id,
            letter.queue,
            letter.topic,
            letter.reason,
            letter.attempts,
            letter.source,
            letter.trace_id,
            letter.died_at,
        )
        .where(letter.died_at >= since, letter.id > after, ~of_type.exists())
        .order_by(letter.id)
        .limit(limit)
    )
    return [Death(*row) for row in tx.execute(found)]
