"""Tables of the queue.

A leased message is one whose `token` is not 0 and whose `due_at` lies in the future: a lease that runs out makes it due
again by itself. A message that was handled is deleted; one that cannot be handled moves to `dead_letters`.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, SmallInteger, Table, Text, text

from daemon.data.columns import BigInt, Instant, JsonObject, metadata

queue_messages = Table(
    "queue_messages",
    metadata,
    Column("id", BigInt, primary_key=True),
    Column("queue", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),  # 0 urgent, 1 normal, 2 low
    Column("due_at", Instant, nullable=False),  # when it may be handled; while leased, when the lease runs out
    Column("key", Text),  # messages of one key are handled one after the other, in the order of their ids
    Column("topic", Text, nullable=False),  # what the handler goes by: a subscription, a job, a kind of work
    Column("body", LargeBinary),  # NULL: it lies in the claim store, under its digest
    Column("size_bytes", BigInt, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of the body
    Column("attempts", SmallInteger, nullable=False),  # begun so far
    Column("token", BigInt, nullable=False),  # of the lease, new with each; 0 while nobody holds it
    Column("dedupe", Text),
    Column("event_seq", BigInt),  # the event it delivers, if it delivers one
    Column("source", Text, nullable=False),  # who asked for it: "command play", "schedule backup", "event 12"
    Column("trace_id", Text, nullable=False),
    Column("progress", JsonObject),
    Column("enqueued_at", Instant, nullable=False),
    CheckConstraint("length(queue) BETWEEN 1 AND 100", name="queue"),
    CheckConstraint("priority BETWEEN 0 AND 2", name="priority"),
    CheckConstraint("length(digest) = 32", name="digest"),
    CheckConstraint("size_bytes >= 0 AND (body IS NULL OR length(body) <= size_bytes)", name="size_bytes"),
    Index("ix_queue_messages_due", "queue", "priority", "due_at", "id"),
    # On PostgreSQL it is whole: naming that dialect here would load it for every daemon on SQLite.
    Index("ix_queue_messages_key", "queue", "key", "id", sqlite_where=text("key IS NOT NULL")),
    sqlite_autoincrement=True,  # an id handed to another process must never come to mean another message
)

queue_dedupe = Table(
    "queue_dedupe",
    metadata,
    Column("queue", Text, primary_key=True),
    Column("dedupe", Text, primary_key=True),
    Column("message_id", BigInt, nullable=False),
    Column("at", Instant, nullable=False, index=True),
    CheckConstraint("length(dedupe) BETWEEN 1 AND 300", name="dedupe"),
    sqlite_with_rowid=False,
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", BigInt, primary_key=True),
    Column("message_id", BigInt, nullable=False),
    Column("queue", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("key", Text),
    Column("topic", Text, nullable=False),
    Column("body", LargeBinary),
    Column("size_bytes", BigInt, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("event_seq", BigInt),
    Column("source", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("enqueued_at", Instant, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("reason", Text, nullable=False),  # one word, see services.queue
    Column("detail", Text, nullable=False),  # the last error, with its traceback when it was nobody's plan
    Column("died_at", Instant, nullable=False, index=True),
    sqlite_autoincrement=True,
)

claim_bodies = Table(
    "claim_bodies",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("used_at", Instant, nullable=False, index=True),  # last put there; older ones that nothing refers to may go
    CheckConstraint("length(digest) = 32", name="digest"),
)
