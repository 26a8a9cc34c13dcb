"""Notices: messages to Discord that nobody waits for, and what became of them."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Table, Text

from daemon.data.columns import BigInt, Instant, metadata

notices = Table(
    "notices",
    metadata,
    Column("nonce", Text, primary_key=True),  # derived from the notice's key: Discord's and our own word for "once"
    Column("app_id", BigInt),  # the application that posts it; NULL until one was chosen
    Column("channel_id", BigInt, nullable=False),
    Column("message_id", BigInt),  # NULL until Discord confirmed the message
    Column("source", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("asked_at", Instant, nullable=False, index=True),
    Column("tried_at", Instant),  # when the first post that may have arrived began
    Column("posted_at", Instant),
    CheckConstraint("length(nonce) BETWEEN 1 AND 25", name="nonce"),
)
