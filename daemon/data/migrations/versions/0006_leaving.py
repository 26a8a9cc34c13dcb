"""Leaving soon: rounds, their titles, and who keeps them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _create_rounds()
    _create_titles()
    _create_keeps()


def _profile(table: str, name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([name], ["profiles.id"], name=op.f(f"fk_{table}_{name}"), ondelete="SET NULL")


def _create_rounds() -> None:
    op.create_table(
        "leaving_rounds",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("guild_id", _BIG, nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("library_name", sa.Text(), nullable=False),
        sa.Column("unwatched_days", sa.Integer(), nullable=False),
        sa.Column("keep_days", sa.Integer(), nullable=False),
        sa.Column("exempt_days", sa.Integer(), nullable=False),
        sa.Column("size_bytes_min", _BIG, nullable=False),
        sa.Column("rating_tenths_max", sa.Integer()),
        sa.Column("announced_by", _BIG),
        sa.Column("announced_at", _BIG, nullable=False),
        sa.Column("keep_until", _BIG, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("closed_at", _BIG),
        sa.Column("confirmed_by", _BIG),
        sa.Column("confirmed_at", _BIG),
        sa.Column("ended_at", _BIG),
        sa.Column("halt", sa.Text()),
        sa.Column("app_id", _BIG, nullable=False),
        sa.Column("channel_id", _BIG, nullable=False),
        sa.Column("message_id", _BIG),
        sa.Column("posted_at", _BIG),
        sa.Column("revision", _BIG, nullable=False),
        sa.Column("shown", _BIG, nullable=False),
        sa.Column("owner", sa.Text()),
        sa.Column("owned_until", _BIG),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leaving_rounds")),
        sa.CheckConstraint("state IN ('open', 'closed', 'deleting', 'done')", name=op.f("ck_leaving_rounds_state")),
        sa.CheckConstraint(
            "length(server) BETWEEN 1 AND 32 AND length(library) BETWEEN 1 AND 32",
            name=op.f("ck_leaving_rounds_library"),
        ),
        sa.CheckConstraint(
            "app_id > 0 AND channel_id > 0 AND message_id > 0", name=op.f("ck_leaving_rounds_snowflakes")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'closed') OR confirmed_at IS NOT NULL OR ended_at IS NOT NULL",
            name=op.f("ck_leaving_rounds_confirmed"),
        ),
        sa.ForeignKeyConstraint(
            ["guild_id"], ["guilds.guild_id"], name=op.f("fk_leaving_rounds_guild_id"), ondelete="CASCADE"
        ),
        _profile("leaving_rounds", "announced_by"),
        _profile("leaving_rounds", "confirmed_by"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_leaving_rounds_state_keep_until", "leaving_rounds", ["state", "keep_until"])
    op.create_index("ix_leaving_rounds_guild_id", "leaving_rounds", ["guild_id"])


def _create_titles() -> None:
    op.create_table(
        "leaving_titles",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("round_id", _BIG, nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("rating_key", _BIG, nullable=False),
        sa.Column("undecided_key", _BIG),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("guid", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer()),
        sa.Column("size_bytes", _BIG, nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("added_at", _BIG, nullable=False),
        sa.Column("played_at", _BIG),
        sa.Column("rating_tenths", sa.Integer()),
        sa.Column("outcome", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("decided_at", _BIG),
        sa.Column("freed_bytes", _BIG, nullable=False),
        sa.Column("exempt_until", _BIG),
        sa.Column("sent_at", _BIG),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leaving_titles")),
        sa.UniqueConstraint("round_id", "rating_key", name=op.f("uq_leaving_titles_round_id_rating_key")),
        sa.UniqueConstraint("server", "undecided_key", name=op.f("uq_leaving_titles_server_undecided_key")),
        sa.CheckConstraint(
            "outcome IN ('kept', 'deleted', 'gone', 'refused', 'left')", name=op.f("ck_leaving_titles_outcome")
        ),
        sa.CheckConstraint("(outcome IS NULL) = (decided_at IS NULL)", name=op.f("ck_leaving_titles_decided_at")),
        sa.CheckConstraint(
            "(outcome IS NULL) = (undecided_key IS NOT NULL)", name=op.f("ck_leaving_titles_undecided_key")
        ),
        sa.CheckConstraint("kind IN ('movie', 'show')", name=op.f("ck_leaving_titles_kind")),
        sa.CheckConstraint("size_bytes >= 0 AND files >= 0 AND freed_bytes >= 0", name=op.f("ck_leaving_titles_sizes")),
        sa.ForeignKeyConstraint(
            ["round_id"], ["leaving_rounds.id"], name=op.f("fk_leaving_titles_round_id"), ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_leaving_titles_exempt_until", "leaving_titles", ["exempt_until"])


def _create_keeps() -> None:
    op.create_table(
        "leaving_keeps",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("title_id", _BIG, nullable=False),
        sa.Column("profile_id", _BIG),
        sa.Column("kept_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leaving_keeps")),
        sa.UniqueConstraint("title_id", "profile_id", name=op.f("uq_leaving_keeps_title_id_profile_id")),
        sa.ForeignKeyConstraint(
            ["title_id"], ["leaving_titles.id"], name=op.f("fk_leaving_keeps_title_id"), ondelete="CASCADE"
        ),
        _profile("leaving_keeps", "profile_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_leaving_keeps_profile_id", "leaving_keeps", ["profile_id"])
