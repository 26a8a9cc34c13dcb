"""Tables of rounds.

A title is listed by one undecided round at a time, which the database sees to: two owners who announce the same library
in the same moment do not list a title twice. What is decided about a title is written once and never changed.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, SmallInteger, Table, Text, UniqueConstraint

from daemon.data.columns import BigInt, Instant, metadata

leaving_rounds = Table(
    "leaving_rounds",
    metadata,
    Column("id", BigInt, primary_key=True),
    Column("guild_id", ForeignKey("guilds.guild_id", ondelete="CASCADE"), nullable=False),
    Column("server", Text, nullable=False),
    Column("library", Text, nullable=False),  # the section's key on its server
    Column("library_name", Text, nullable=False),
    Column("unwatched_days", Integer, nullable=False),
    Column("keep_days", Integer, nullable=False),
    Column("exempt_days", Integer, nullable=False),
    Column("size_bytes_min", BigInt, nullable=False),
    Column("rating_tenths_max", Integer),  # NULL: whatever its rating
    Column("announced_by", ForeignKey("profiles.id", ondelete="SET NULL")),
    Column("announced_at", Instant, nullable=False),
    Column("keep_until", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("closed_at", Instant),
    Column("confirmed_by", ForeignKey("profiles.id", ondelete="SET NULL")),
    Column("confirmed_at", Instant),
    Column("ended_at", Instant),
    Column("halt", Text),
    Column("app_id", BigInt, nullable=False),
    Column("channel_id", BigInt, nullable=False),
    Column("message_id", BigInt),
    Column("posted_at", Instant),
    Column("revision", BigInt, nullable=False),
    Column("shown", BigInt, nullable=False),
    Column("owner", Text),  # the process that deletes; NULL while none does
    Column("owned_until", Instant),
    CheckConstraint("state IN ('open', 'closed', 'deleting', 'done')", name="state"),
    CheckConstraint("length(server) BETWEEN 1 AND 32 AND length(library) BETWEEN 1 AND 32", name="library"),
    CheckConstraint("app_id > 0 AND channel_id > 0 AND message_id > 0", name="snowflakes"),
    CheckConstraint(
        "state IN ('open', 'closed') OR confirmed_at IS NOT NULL OR ended_at IS NOT NULL", name="confirmed"
    ),
    Index("ix_leaving_rounds_state_keep_until", "state", "keep_until"),
    Index("ix_leaving_rounds_guild_id", "guild_id"),
    sqlite_autoincrement=True,  # ids stand in buttons on Discord: one must never come to mean another round
)

leaving_titles = Table(
    "leaving_titles",
    metadata,
    Column("id", BigInt, primary_key=True),
    Column("round_id", ForeignKey("leaving_rounds.id", ondelete="CASCADE"), nullable=False),
    Column("server", Text, nullable=False),
    Column("rating_key", BigInt, nullable=False),
    Column("undecided_key", BigInt),  # the rating key until it is decided, then NULL: of these each is there once
    Column("kind", Text, nullable=False),
    Column("guid", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("year", Integer),
    Column("size_bytes", BigInt, nullable=False),
    Column("files", Integer, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("played_at", Instant),
    Column("rating_tenths", Integer),
    Column("outcome", Text),  # NULL: not decided yet
    Column("reason", Text),
    Column("decided_at", Instant),
    Column("freed_bytes", BigInt, nullable=False),
    Column("exempt_until", Instant),  # a title that was kept is not listed again before
    Column("sent_at", Instant),  # the server was asked to delete it; cleared when it certainly did not
    Column("attempts", SmallInteger, nullable=False),
    UniqueConstraint("round_id", "rating_key"),
    UniqueConstraint("server", "undecided_key"),
    CheckConstraint("outcome IN ('kept', 'deleted', 'gone', 'refused', 'left')", name="outcome"),
    CheckConstraint("(outcome IS NULL) = (decided_at IS NULL)", name="decided_at"),
    CheckConstraint("(outcome IS NULL) = (undecided_key IS NOT NULL)", name="undecided_key"),
    CheckConstraint("kind IN ('movie', 'show')", name="kind"),
    CheckConstraint("size_bytes >= 0 AND files >= 0 AND freed_bytes >= 0", name="sizes"),
    Index("ix_leaving_titles_exempt_until", "exempt_until"),
    sqlite_autoincrement=True,
)

leaving_keeps = Table(
    "leaving_keeps",
    metadata,
    Column("id", BigInt, primary_key=True),
    Column("title_id", ForeignKey("leaving_titles.id", ondelete="CASCADE"), nullable=False),
    Column("profile_id", ForeignKey("profiles.id", ondelete="SET NULL"), index=True),  # NULL: of somebody forgotten
    Column("kept_at", Instant, nullable=False),
    UniqueConstraint("title_id", "profile_id"),
    sqlite_autoincrement=True,
)
