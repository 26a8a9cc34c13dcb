"""Notices: messages to Discord that nobody waits for, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, Connection, Table, Text, select, update

from daemon.core.ids import AppId, ChannelId, MemberId, MessageId
from daemon.data.columns import BigInt, Instant, metadata
from daemon.data.hot import insert

notices = Table(
    "notices",
    metadata,
    Column("nonce", Text, primary_key=True),  # derived from the notice's key: Discord's and our own word for "once"
    Column("app_id", BigInt),  # the application that posts it; NULL until one was chosen
    Column("channel_id", BigInt),  # NULL for a direct message until its channel was opened
    Column("member_id", BigInt),  # who gets it directly; NULL in a channel of a guild
    Column("message_id", BigInt),  # NULL until Discord confirmed the message
    Column("source", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("asked_at", Instant, nullable=False, index=True),
    Column("tried_at", Instant),  # when the first post that may have arrived began; NULL while none can have
    Column("posted_at", Instant),
    CheckConstraint("length(nonce) BETWEEN 1 AND 25", name="nonce"),
    CheckConstraint("channel_id IS NOT NULL OR member_id IS NOT NULL", name="target"),
)


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """Where a notice stands. `tried_at` without `message_id`: it may or may not be in the channel."""

    nonce: str
    app_id: AppId | None
    channel_id: ChannelId | None
    member_id: MemberId | None
    message_id: MessageId | None
    source: str
    trace_id: str
    asked_at: datetime
    tried_at: datetime | None = None
    posted_at: datetime | None = None


def add(tx: Connection, row: NoticeRow) -> bool:
    """Remember that somebody wants it posted; False when it is known already."""
    values = {
        "nonce": row.nonce,
        "channel_id": row.channel_id,
        "member_id": row.member_id,
        "source": row.source,
        "trace_id": row.trace_id,
        "asked_at": row.asked_at,
    }
    statement = insert(tx.dialect.name, notices).values(values).on_conflict_do_nothing().returning(notices.c.nonce)
    return tx.execute(statement).one_or_none() is not None


def get(tx: Connection, nonce: str) -> NoticeRow | None:
    """What is known of it; None when it never was, or has been cleaned away."""
    row = tx.execute(select(*notices.c).where(notices.c.nonce == nonce)).one_or_none()
    return None if row is None else NoticeRow(**row._mapping)


def note_try(tx: Connection, nonce: str, app_id: AppId, channel_id: ChannelId, at: datetime) -> None:
    """From now on it may be in the channel."""
    _change(tx, nonce, app_id=app_id, channel_id=channel_id, tried_at=at)


def clear_try(tx: Connection, nonce: str) -> None:
    """It is certain that no try of so far has arrived."""
    _change(tx, nonce, tried_at=None)


def note_posted(tx: Connection, nonce: str, message_id: MessageId, at: datetime) -> None:
    """It is in the channel, as this message."""
    _change(tx, nonce, message_id=message_id, posted_at=at)


def _change(tx: Connection, nonce: str, **values: Any) -> None:
    tx.execute(update(notices).where(notices.c.nonce == nonce, notices.c.message_id.is_(None)).values(**values))
