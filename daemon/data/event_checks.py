"""What was published beside what became of it: the questions of the watcher.

Publishing writes event and deliveries in one transaction, handling removes the delivery and writes the mark in one.
So in one snapshot each pair of an event and a subscription that wants it has a mark, a waiting message or a dead
letter; a pair with none of them was lost.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, and_, or_, select

from daemon.data.events import QUEUE, event_marks, event_subscriptions, events
from daemon.data.queue.tables import dead_letters, queue_messages

_e, _s, _m, _q, _d = events.c, event_subscriptions.c, event_marks.c, queue_messages.c, dead_letters.c


class Delivery(NamedTuple):
    """An event on its way to a subscription. For a message that delivers no event: 0 and two empty texts."""

    seq: int
    subscription: str
    event_type: str
    event_id: str


class Look(NamedTuple):
    """What became of the events of a range. Deliveries that were handled or are dead letters are not named."""

    missing: list[Delivery]  # nothing is left of them
    waiting: list[Delivery]
    differing: list[Delivery]  # what was handled is not what was published

    @property
    def ends(self) -> tuple[int, int] | None:
        """The smallest and the largest number named; None when everything is settled."""
        numbers = [delivery.seq for part in self for delivery in part]
        return (min(numbers), max(numbers)) if numbers else None


def head(tx: Connection, published_until: datetime) -> int:
    """The number of the newest event published by then; 0 for none."""
    newest = select(_e.seq).where(_e.published_at <= published_until).order_by(_e.seq.desc()).limit(1)
    return tx.execute(newest).scalar() or 0


def next_range_end(tx: Connection, after: int, until: int, size: int) -> int | None:
    """The number of the `size`th event behind `after`, or of the last up to `until`; None when there is none."""
    numbers = select(_e.seq).where(_e.seq > after, _e.seq <= until).order_by(_e.seq).limit(size).subquery()
    return tx.execute(select(numbers.c.seq).order_by(numbers.c.seq.desc()).limit(1)).scalar()


def look(tx: Connection, first: int, last: int) -> Look:
    """What became of the events `first` to `last`, for every subscription that wanted them."""
    unmarked: list[Delivery] = []
    differing: list[Delivery] = []
    pairs = (
        select(_e.seq, _s.subscription, _e.type, _e.event_id, _m.digest)
        .join_from(events, event_subscriptions, and_(_s.event_type == _e.type, _s.since_seq < _e.seq))
        .outerjoin(event_marks, and_(_m.event_seq == _e.seq, _m.subscription == _s.subscription))
        .where(_e.seq.between(first, last), or_(_m.digest.is_(None), _m.digest != _e.digest))
        .order_by(_e.seq)
    )
    for row in tx.execute(pairs):
        (unmarked if row.digest is None else differing).append(Delivery(*row[:4]))
    if not unmarked:
        return Look([], [], differing)
    waits = _pairs(tx, select(_q.event_seq, _q.topic).where(_q.queue == QUEUE, _q.event_seq.between(first, last)))
    died = _pairs(tx, select(_d.event_seq, _d.topic).where(_d.queue == QUEUE, _d.event_seq.between(first, last)))
    waiting = [one for one in unmarked if one[:2] in waits]
    missing = [one for one in unmarked if one[:2] not in waits and one[:2] not in died]
    return Look(missing, waiting, differing)


def stuck(tx: Connection, enqueued_before: datetime, attempts: int, limit: int) -> list[Delivery]:
    """Deliveries that have waited or been tried for so long, or were begun so often; oldest first."""
    is_late = or_(_q.enqueued_at < enqueued_before, _q.attempts >= attempts)
    return _messages(tx, _waiting(limit).where(is_late, _q.topic.in_(select(_s.subscription))))


def unknown(tx: Connection, limit: int) -> list[Delivery]:
    """Messages in the queue of events for subscriptions that do not exist; oldest first."""
    return _messages(tx, _waiting(limit).where(_q.topic.not_in(select(_s.subscription))))


def cut(tx: Connection, after: int, size: int) -> tuple[int | None, list[Delivery]]:
    """Read the bodies of the next `size` events: the last number read, and the events whose body is not as published.

    None: there is nothing behind `after`.
    """
    last, bad = None, []
    bodies = select(_e.seq, _e.type, _e.event_id, _e.body, _e.digest).where(_e.seq > after).order_by(_e.seq).limit(size)
    for row in tx.execute(bodies):
        last = row.seq
        if hashlib.sha256(row.body).digest() != row.digest:
            bad.append(Delivery(row.seq, "", row.type, row.event_id))
    return last, bad


def _waiting(limit: int) -> Select[Any]:
    return (
        select(_q.event_seq, _q.topic, _e.type, _e.event_id)
        .outerjoin_from(queue_messages, events, _e.seq == _q.event_seq)
        .where(_q.queue == QUEUE)
        .order_by(_q.id)
        .limit(limit)
    )


def _messages(tx: Connection, found: Select[Any]) -> list[Delivery]:
    return [Delivery(row[0] or 0, row.topic, row.type or "", row[3] or "") for row in tx.execute(found)]


def _pairs(tx: Connection, found: Select[Any]) -> set[tuple[int, str]]:
    return {(row[0], row[1]) for row in tx.execute(found)}
