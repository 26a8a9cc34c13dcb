"""The story of one trace id: everything that tables remember of what one interaction or fact caused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, union

from daemon.data.audit import audit_log
from daemon.data.columns import to_json
from daemon.data.dead_letters import headline
from daemon.data.events import event_marks, events
from daemon.data.notices import notices
from daemon.data.queue.tables import dead_letters, queue_messages
from daemon.data.schedules import schedule_runs

HAPPENINGS_MAX = 500  # rows that are read of each table
_TABLES = (audit_log, events, queue_messages, dead_letters, notices, schedule_runs)


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a story; `detail` is plain text, as it was stored."""

    at: datetime
    what: str
    detail: str


def ids(tx: Connection, prefix: str, most: int) -> list[str]:
    """Known trace ids that begin with `prefix` (hexadecimal digits), at most `most`. Reads the tables from end to end.

    No index holds trace ids: they would cost every write for what is asked a few times a week.
    """
    begun = union(*(select(table.c.trace_id).where(table.c.trace_id.startswith(prefix)) for table in _TABLES))
    return list(tx.execute(begun.order_by("trace_id").limit(most)).scalars())


def story(tx: Connection, trace_id: str) -> list[Happening]:
    """What is known of one trace id, in order of time."""
    parts = (_audited, _events, _runs, _waiting, _handled, _dead, _notices)  # causes first, should times be equal
    found = [happening for part in parts for happening in part(tx, trace_id)]
    return sorted(found, key=lambda happening: happening.at)


def _audited(tx: Connection, trace_id: str) -> Iterator[Happening]:
    c = audit_log.c
    wanted = select(c.at, c.action, c.target, c.detail, c.actor_profile_id).where(c.trace_id == trace_id)
    for row in tx.execute(wanted.order_by(c.id).limit(HAPPENINGS_MAX)):
        by = f"by profile {row.actor_profile_id}" if row.actor_profile_id is not None else "by Marquee"
        yield Happening(row.at, row.action, " ".join(part for part in (row.target, by, to_json(row.detail)) if part))


def _events(tx: Connection, trace_id: str) -> Iterator[Happening]:
    c = events.c
    wanted = select(c.seq, c.event_id, c.type, c.source, c.published_at).where(c.trace_id == trace_id)
    for row in tx.execute(wanted.order_by(c.seq).limit(HAPPENINGS_MAX)):
        yield Happening(row.published_at, f"event {row.type}", f"number {row.seq} ({row.event_id}) {_from(row.source)}")


def _handled(tx: Connection, trace_id: str) -> Iterator[Happening]:
    c = event_marks.c
    wanted = (
        select(c.subscription, c.attempts, c.handled_at, events.c.seq, events.c.type)
        .join(events, events.c.seq == c.event_seq)
        .where(events.c.trace_id == trace_id)
    )
    for row in tx.execute(wanted.order_by(c.handled_at).limit(HAPPENINGS_MAX)):
        detail = f"number {row.seq} by {row.subscription}, attempt {row.attempts}"
        yield Happening(row.handled_at, f"event {row.type} handled", detail)


def _waiting(tx: Connection, trace_id: str) -> Iterator[Happening]:
    c = queue_messages.c
    wanted = select(c.id, c.queue, c.topic, c.attempts, c.token, c.due_at, c.source, c.enqueued_at)
    for row in tx.execute(wanted.where(c.trace_id == trace_id).order_by(c.id).limit(HAPPENINGS_MAX)):
        state = "leased until" if row.token else "waits until"
        detail = (
            f"message {row.id}, {row.topic} {_from(row.source)}; {state} {row.due_at:%H:%M:%S}, {row.attempts} attempts"
        )
        yield Happening(row.enqueued_at, f"put into queue {row.queue}", detail)


def _dead(tx: Connection, trace_id: str) -> Iterator[Happening]:
    c = dead_letters.c
    wanted = select(
        c.id, c.message_id, c.queue, c.topic, c.attempts, c.reason, c.detail, c.source, c.enqueued_at, c.died_at
    )
    for row in tx.execute(wanted.where(c.trace_id == trace_id).order_by(c.id).limit(HAPPENINGS_MAX)):
        put = f"message {row.message_id}, {row.topic} {_from(row.source)}"
        yield Happening(row.enqueued_at, f"put into queue {row.queue}", put)
        died = f"message {row.message_id}, {row.reason} after {row.attempts} attempts: {headline(row.detail)}"
        yield Happening(row.died_at, f"dead letter {row.id}", died)


def _notices(tx: Connection, trace_id: str) -> Iterator[Happening]:
    c = notices.c
    wanted = select(c.channel_id, c.message_id, c.source, c.asked_at, c.tried_at, c.posted_at)
    for row in tx.execute(wanted.where(c.trace_id == trace_id).order_by(c.asked_at).limit(HAPPENINGS_MAX)):
        place = f"channel {row.channel_id}"
        yield Happening(row.asked_at, "notice asked for", f"{place} {_from(row.source)}")
        if row.tried_at is not None:
            yield Happening(row.tried_at, "notice sent", place)
        if row.posted_at is not None:
            yield Happening(row.posted_at, "notice stands", f"{place}, message {row.message_id}")


def _runs(tx: Connection, trace_id: str) -> Iterator[Happening]:
    c = schedule_runs.c
    wanted = select(c.name, c.slot_at, c.asked_at, c.started_at, c.ended_at, c.outcome, c.detail)
    for row in tx.execute(wanted.where(c.trace_id == trace_id).order_by(c.asked_at).limit(HAPPENINGS_MAX)):
        yield Happening(row.asked_at, f"run of {row.name} asked for", f"slot {row.slot_at:%Y-%m-%d %H:%M:%S}")
        if row.started_at is not None:
            yield Happening(row.started_at, f"run of {row.name} begun", "")
        if row.ended_at is not None:
            yield Happening(row.ended_at, f"run of {row.name} {row.outcome}", row.detail)


def _from(source: str) -> str:
    return f"from {source}" if source else ""
