"""Deleting what nobody needs any more, a bounded number of rows a unit.

Only what is settled goes: an event while a delivery of it waits stays, however old it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, delete, exists, func, or_, select, tuple_

from daemon.data.columns import metadata
from daemon.data.events import QUEUE, event_marks, event_subscriptions, events, settle
from daemon.data.notices import notices
from daemon.data.queue.tables import dead_letters, queue_dedupe, queue_messages
from daemon.data.schedules import schedule_runs

_e, _s, _m, _q, _d = events.c, event_subscriptions.c, event_marks.c, queue_messages.c, dead_letters.c


def count(tx: Connection, table: str) -> int:
    """How many rows a table has; it is read from end to end."""
    return tx.execute(select(func.count()).select_from(metadata.tables[table])).scalar_one()


def events_end(tx: Connection, published_before: datetime, rows_max: int) -> int:
    """The number below which events may go: older than that, or more than `rows_max` newer ones exist."""
    first = tx.execute(select(func.min(_e.seq))).scalar()
    if first is None:
        return 0
    by_age = tx.execute(select(_e.seq).where(_e.published_at >= published_before).order_by(_e.seq).limit(1)).scalar()
    last = tx.execute(select(func.max(_e.seq))).scalar_one()
    end: int = last + 1 if by_age is None else by_age
    if last - first >= rows_max:  # numbers have gaps, so there may be fewer; only then is it worth counting
        kept = tx.execute(select(_e.seq).order_by(_e.seq.desc()).limit(1).offset(rows_max - 1)).scalar()
        end = max(end, kept or 0)
    return end


def settled_events(tx: Connection, after: int, end: int, rows: int) -> tuple[int, list[int]]:
    """Look at the next `rows` events behind `after` and below `end`: the last one's number, and the settled ones'.

    0: there was none. What is settled stays so, but for a dead letter that is replayed, which needs no event.
    """
    numbers = list(
        tx.execute(select(_e.seq).where(_e.seq > after, _e.seq < end).order_by(_e.seq).limit(rows)).scalars()
    )
    if not numbers:
        return 0, []
    near = numbers[0], numbers[-1]
    waiting = select(_q.event_seq).where(_q.queue == QUEUE, _q.event_seq.between(*near))
    died = select(_d.event_seq, _d.topic).where(_d.queue == QUEUE, _d.event_seq.between(*near))
    lost = (
        select(_e.seq)
        .join_from(events, event_subscriptions, and_(_s.event_type == _e.type, _s.since_seq < _e.seq))
        .outerjoin(event_marks, and_(_m.event_seq == _e.seq, _m.subscription == _s.subscription))
        .where(_e.seq.between(*near), _m.digest.is_(None), tuple_(_e.seq, _s.subscription).not_in(died))
    )
    unsettled = set(tx.execute(waiting).scalars()) | set(tx.execute(lost).scalars())
    return numbers[-1], [number for number in numbers if number not in unsettled]


def delete_events(tx: Connection, numbers: Sequence[int]) -> int:
    """Delete events and their marks; how many there were."""
    tx.execute(delete(event_marks).where(_m.event_seq.in_(numbers)))
    return tx.execute(delete(events).where(_e.seq.in_(numbers))).rowcount


def delete_lone_marks(tx: Connection, rows: int) -> int:
    """Delete marks of events that are gone: a dead letter can be replayed after its event was deleted."""
    first = select(func.coalesce(func.min(_e.seq), 0)).scalar_subquery()
    lone = select(_m.event_seq, _m.subscription).where(_m.event_seq < first).order_by(_m.event_seq).limit(rows)
    return _delete(tx, event_marks, lone)


def delete_dedupe(tx: Connection, before: datetime, rows: int) -> int:
    """Delete keys used before then, unless the message they stand for still waits."""
    keys = queue_dedupe.c
    is_waiting = exists().where(_q.id == keys.message_id)
    return _delete(tx, queue_dedupe, _oldest(queue_dedupe, keys.at, before, rows).where(~is_waiting))


def delete_dead_letters(tx: Connection, before: datetime, rows: int) -> int:
    """Delete what died before then; the deliveries of events among them count as settled."""
    letters = list(tx.execute(_oldest(dead_letters, _d.died_at, before, rows)).scalars())
    settle(tx, letters)
    return tx.execute(delete(dead_letters).where(_d.id.in_(letters))).rowcount if letters else 0


def delete_notices(tx: Connection, posted_before: datetime, asked_before: datetime, rows: int) -> int:
    """Delete notices that are in their channel, asked for before the first instant; any from before the second."""
    is_posted = or_(notices.c.posted_at.is_not(None), notices.c.asked_at < asked_before)
    return _delete(tx, notices, _oldest(notices, notices.c.asked_at, posted_before, rows).where(is_posted))


def delete_schedule_runs(tx: Connection, before: datetime, rows: int) -> int:
    """Delete runs asked for before then."""
    return _delete(tx, schedule_runs, _oldest(schedule_runs, schedule_runs.c.asked_at, before, rows))


def _oldest(table: Table, at: ColumnElement[Any], before: datetime, rows: int) -> Select[Any]:
    """The keys of the oldest rows from before then."""
    return select(*table.primary_key).where(at < before).order_by(at).limit(rows)


def _delete(tx: Connection, table: Table, keys: Select[Any]) -> int:
    return tx.execute(delete(table).where(tuple_(*table.primary_key).in_(keys))).rowcount
