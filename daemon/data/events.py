"""Events: what happened, who wants to know, and who has been told."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, LargeBinary, SmallInteger, Table, Text, UniqueConstraint

from daemon.data.columns import BigInt, Instant, metadata

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
