"""Events, queue, dead letters, notices, schedules; owners of panels"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _create_queue()
    _create_dead_letters()
    _create_events()
    _create_notices()
    _create_schedules()
    op.add_column("plex_servers", sa.Column("lost_at", _BIG))
    with op.batch_alter_table("panels") as panels:
        panels.add_column(sa.Column("owner", sa.Text()))
        panels.add_column(sa.Column("owned_until", _BIG))


def _create_queue() -> None:
    op.create_table(
        "queue_messages",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", _BIG, nullable=False),
        sa.Column("key", sa.Text()),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("size_bytes", _BIG, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("token", _BIG, nullable=False),
        sa.Column("dedupe", sa.Text()),
        sa.Column("event_seq", _BIG),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("progress", sa.Text()),
        sa.Column("enqueued_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_messages")),
        sa.CheckConstraint("length(queue) BETWEEN 1 AND 100", name=op.f("ck_queue_messages_queue")),
        sa.CheckConstraint("priority BETWEEN 0 AND 2", name=op.f("ck_queue_messages_priority")),
        sa.CheckConstraint("length(digest) = 32", name=op.f("ck_queue_messages_digest")),
        sa.CheckConstraint(
            "size_bytes >= 0 AND (body IS NULL OR length(body) <= size_bytes)",
            name=op.f("ck_queue_messages_size_bytes"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_queue_messages_due", "queue_messages", ["queue", "priority", "due_at", "id"])
    op.create_index(
        "ix_queue_messages_key", "queue_messages", ["queue", "key", "id"], sqlite_where=sa.text("key IS NOT NULL")
    )
    op.create_table(
        "queue_dedupe",
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("dedupe", sa.Text(), nullable=False),
        sa.Column("message_id", _BIG, nullable=False),
        sa.Column("at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("queue", "dedupe", name=op.f("pk_queue_dedupe")),
        sa.CheckConstraint("length(dedupe) BETWEEN 1 AND 300", name=op.f("ck_queue_dedupe_dedupe")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_queue_dedupe_at", "queue_dedupe", ["at"])
    op.create_table(
        "claim_bodies",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_claim_bodies")),
        sa.CheckConstraint("length(digest) = 32", name=op.f("ck_claim_bodies_digest")),
    )
    op.create_index("ix_claim_bodies_used_at", "claim_bodies", ["used_at"])


def _create_dead_letters() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("message_id", _BIG, nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("key", sa.Text()),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("size_bytes", _BIG, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("event_seq", _BIG),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("enqueued_at", _BIG, nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("died_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_dead_letters_died_at", "dead_letters", ["died_at"])


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("seq", _BIG, nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("occurred_at", _BIG, nullable=False),
        sa.Column("published_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_events")),
        sa.UniqueConstraint("event_id", name=op.f("uq_events_event_id")),
        sa.CheckConstraint("length(event_id) BETWEEN 1 AND 300", name=op.f("ck_events_event_id")),
        sa.CheckConstraint("length(digest) = 32", name=op.f("ck_events_digest")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "event_subscriptions",
        sa.Column("subscription", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("since_seq", _BIG, nullable=False),
        sa.Column("added_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("subscription", "event_type", name=op.f("pk_event_subscriptions")),
        sa.CheckConstraint("length(subscription) BETWEEN 1 AND 100", name=op.f("ck_event_subscriptions_subscription")),
    )
    op.create_table(
        "event_marks",
        sa.Column("event_seq", _BIG, nullable=False, autoincrement=False),
        sa.Column("subscription", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("handled_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("event_seq", "subscription", name=op.f("pk_event_marks")),
        sqlite_with_rowid=False,
    )


def _create_notices() -> None:
    op.create_table(
        "notices",
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("app_id", _BIG),
        sa.Column("channel_id", _BIG),
        sa.Column("member_id", _BIG),
        sa.Column("message_id", _BIG),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("asked_at", _BIG, nullable=False),
        sa.Column("tried_at", _BIG),
        sa.Column("posted_at", _BIG),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_notices")),
        sa.CheckConstraint("length(nonce) BETWEEN 1 AND 25", name=op.f("ck_notices_nonce")),
        sa.CheckConstraint("channel_id IS NOT NULL OR member_id IS NOT NULL", name=op.f("ck_notices_target")),
    )
    op.create_index("ix_notices_asked_at", "notices", ["asked_at"])


def _create_schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slot_at", _BIG, nullable=False),
        sa.Column("next_at", _BIG),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("missed", sa.Text(), nullable=False),
        sa.Column("seen_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_schedules")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 100", name=op.f("ck_schedules_name")),
    )
    op.create_table(
        "schedule_runs",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slot_at", _BIG, nullable=False),
        sa.Column("asked_at", _BIG, nullable=False),
        sa.Column("started_at", _BIG),
        sa.Column("ended_at", _BIG),
        sa.Column("outcome", sa.Text()),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", "slot_at", name=op.f("pk_schedule_runs")),
    )
    op.create_index("ix_schedule_runs_asked_at", "schedule_runs", ["asked_at"])
