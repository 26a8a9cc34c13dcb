"""Plex accounts, what guilds see, privacy, plays"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    # Nothing was ever written to it: linking comes with this very revision.
    op.drop_table("plex_identities")
    with op.batch_alter_table("profiles", table_kwargs={"sqlite_autoincrement": True}) as profiles:
        profiles.add_column(sa.Column("forgotten_at", _BIG))
    _create_bindings()
    _create_accounts()
    _create_requests()
    _create_privacy()
    _create_plays()


def _profile(name: str = "profile_id", *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, _BIG, nullable=nullable)


def _of_profile(table: str, name: str = "profile_id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([name], ["profiles.id"], name=op.f(f"fk_{table}_{name}"), ondelete="CASCADE")


def _of_guild(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["guild_id"], ["guilds.guild_id"], name=op.f(f"fk_{table}_guild_id"), ondelete="CASCADE"
    )


def _create_bindings() -> None:
    op.create_table(
        "guild_bindings",
        sa.Column("guild_id", _BIG, nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("bound_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "server", "library", name=op.f("pk_guild_bindings")),
        sa.CheckConstraint("length(server) BETWEEN 1 AND 32", name=op.f("ck_guild_bindings_server")),
        sa.CheckConstraint("length(library) <= 32", name=op.f("ck_guild_bindings_library")),
        _of_guild("guild_bindings"),
    )


def _create_accounts() -> None:
    op.create_table(
        "plex_accounts",
        sa.Column("account_id", _BIG, nullable=False, autoincrement=False),
        _profile(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("linked_at", _BIG, nullable=False),
        sa.Column("token", sa.Text()),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_plex_accounts")),
        sa.UniqueConstraint("profile_id", name=op.f("uq_plex_accounts_profile_id")),
        sa.CheckConstraint("account_id > 0", name=op.f("ck_plex_accounts_account_id")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 100", name=op.f("ck_plex_accounts_name")),
        sa.CheckConstraint("proof IN ('pin', 'owner')", name=op.f("ck_plex_accounts_proof")),
        _of_profile("plex_accounts"),
    )
    op.create_table(
        "plex_rests",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("until", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_plex_rests")),
        sa.CheckConstraint("length(digest) = 32", name=op.f("ck_plex_rests_digest")),
    )
    op.create_index("ix_plex_rests_until", "plex_rests", ["until"])
    op.create_table(
        "plex_shares",
        sa.Column("account_id", _BIG, nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("share", sa.Text(), nullable=False),
        sa.Column("read_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "server", name=op.f("pk_plex_shares")),
        sa.CheckConstraint("length(server) BETWEEN 1 AND 32", name=op.f("ck_plex_shares_server")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["plex_accounts.account_id"], name=op.f("fk_plex_shares_account_id"), ondelete="CASCADE"
        ),
    )
    op.create_table(
        "forgotten_accounts",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("forgotten_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_forgotten_accounts")),
        sa.CheckConstraint("length(digest) = 32", name=op.f("ck_forgotten_accounts_digest")),
    )


def _create_requests() -> None:
    op.create_table(
        "link_requests",
        sa.Column("id", _BIG, nullable=False),
        _profile(),
        sa.Column("member_id", _BIG, nullable=False),
        sa.Column("pin_id", _BIG, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("keep_access", sa.SmallInteger(), nullable=False),
        sa.Column("asked_at", _BIG, nullable=False),
        sa.Column("expires_at", _BIG, nullable=False),
        sa.Column("next_at", _BIG, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("is_told", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_requests")),
        sa.UniqueConstraint("profile_id", name=op.f("uq_link_requests_profile_id")),
        sa.CheckConstraint(
            "state IN ('open', 'linked', 'renewed', 'expired', 'denied', 'taken', 'has-other', 'resting')",
            name=op.f("ck_link_requests_state"),
        ),
        _of_profile("link_requests"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_link_requests_next_at", "link_requests", ["next_at"])


def _create_privacy() -> None:
    op.create_table(
        "privacy_settings",
        _profile(),
        sa.Column("visible", sa.Text(), nullable=False),
        sa.Column("stats", sa.SmallInteger(), nullable=False),
        sa.Column("retention_days", sa.Integer()),
        sa.Column("incognito_until", _BIG),
        sa.Column("changed_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("profile_id", name=op.f("pk_privacy_settings")),
        sa.CheckConstraint("visible IN ('nobody', 'chosen', 'guild')", name=op.f("ck_privacy_settings_visible")),
        sa.CheckConstraint("retention_days BETWEEN 1 AND 3650", name=op.f("ck_privacy_settings_retention_days")),
        _of_profile("privacy_settings"),
    )
    op.create_table(
        "privacy_guilds",
        _profile(),
        sa.Column("guild_id", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("profile_id", "guild_id", name=op.f("pk_privacy_guilds")),
        _of_profile("privacy_guilds"),
        _of_guild("privacy_guilds"),
    )
    op.create_table(
        "privacy_chosen",
        _profile(),
        _profile("viewer_id"),
        sa.PrimaryKeyConstraint("profile_id", "viewer_id", name=op.f("pk_privacy_chosen")),
        _of_profile("privacy_chosen"),
        _of_profile("privacy_chosen", "viewer_id"),
    )
    op.create_index("ix_privacy_chosen_viewer_id", "privacy_chosen", ["viewer_id"])


def _create_plays() -> None:
    op.create_table(
        "plays",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("rating_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("account_digest", sa.LargeBinary(), nullable=False),
        _profile(nullable=True),
        sa.Column("started_at", _BIG, nullable=False),
        sa.Column("watched_ms", _BIG, nullable=False),
        sa.Column("duration_ms", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plays")),
        sa.UniqueConstraint("source", name=op.f("uq_plays_source")),
        sa.CheckConstraint("length(source) BETWEEN 1 AND 300", name=op.f("ck_plays_source")),
        sa.CheckConstraint("length(account_digest) = 32", name=op.f("ck_plays_account_digest")),
        sa.CheckConstraint("watched_ms >= 0 AND duration_ms >= 0", name=op.f("ck_plays_watched_ms")),
        _of_profile("plays"),
    )
    op.create_index("ix_plays_profile_id_started_at", "plays", ["profile_id", "started_at"])
    op.create_index("ix_plays_account_digest", "plays", ["account_digest"])
    op.create_index("ix_plays_started_at", "plays", ["started_at"])
