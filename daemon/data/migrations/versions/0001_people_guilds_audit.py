"""People, guilds, interactions seen, audit log"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "profiles",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profiles")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 100", name=op.f("ck_profiles_name")),
        sqlite_autoincrement=True,
    )
    _create_identities("discord_identities", "member_id")
    _create_identities("plex_identities", "account_id")
    op.create_table(
        "profile_preferences",
        sa.Column("profile_id", _BIG, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("changed_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("profile_id", "key", name=op.f("pk_profile_preferences")),
        sa.CheckConstraint("length(key) BETWEEN 1 AND 100", name=op.f("ck_profile_preferences_key")),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.id"], name=op.f("fk_profile_preferences_profile_id"), ondelete="CASCADE"
        ),
    )
    _create_guilds()
    op.create_table(
        "interactions_seen",
        sa.Column("interaction_id", _BIG, nullable=False, autoincrement=False),
        sa.Column("seen_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("interaction_id", name=op.f("pk_interactions_seen")),
        sa.CheckConstraint("interaction_id > 0", name=op.f("ck_interactions_seen_interaction_id")),
    )
    op.create_index(op.f("ix_interactions_seen_seen_at"), "interactions_seen", ["seen_at"])
    _create_audit_log()


def _create_identities(table: str, key: str) -> None:
    op.create_table(
        table,
        sa.Column(key, _BIG, nullable=False, autoincrement=False),
        sa.Column("profile_id", _BIG, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint(key, name=op.f(f"pk_{table}")),
        sa.CheckConstraint(f"{key} > 0", name=op.f(f"ck_{table}_{key}")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 100", name=op.f(f"ck_{table}_name")),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.id"], name=op.f(f"fk_{table}_profile_id"), ondelete="CASCADE"
        ),
    )
    op.create_index(op.f(f"ix_{table}_profile_id"), table, ["profile_id"])


def _create_guilds() -> None:
    op.create_table(
        "guilds",
        sa.Column("guild_id", _BIG, nullable=False, autoincrement=False),
        sa.Column("name", sa.Text()),
        sa.Column("created_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("guild_id", name=op.f("pk_guilds")),
        sa.CheckConstraint("guild_id > 0", name=op.f("ck_guilds_guild_id")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 100", name=op.f("ck_guilds_name")),
    )
    op.create_table(
        "guild_settings",
        sa.Column("guild_id", _BIG, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("changed_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "key", name=op.f("pk_guild_settings")),
        sa.CheckConstraint("length(key) BETWEEN 1 AND 100", name=op.f("ck_guild_settings_key")),
        sa.ForeignKeyConstraint(
            ["guild_id"], ["guilds.guild_id"], name=op.f("fk_guild_settings_guild_id"), ondelete="CASCADE"
        ),
    )


def _create_audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("at", _BIG, nullable=False),
        sa.Column("actor_profile_id", _BIG),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
        sa.CheckConstraint("length(action) BETWEEN 1 AND 100", name=op.f("ck_audit_log_action")),
    )
    op.create_index(op.f("ix_audit_log_at"), "audit_log", ["at"])
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"""CREATE TRIGGER audit_log_keeps_{verb.lower()} BEFORE {verb} ON audit_log
                BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"""
            )
        return
    op.execute(
        """CREATE FUNCTION audit_log_refuses() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'restrict_violation'; END $$"""
    )
    op.execute(
        """CREATE TRIGGER audit_log_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
        FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuses()"""
    )
