"""Panels, Plex servers and players, installation keys"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _create_panels()
    op.create_table(
        "plex_servers",
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("machine_id", sa.Text()),
        sa.Column("changed_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("server", name=op.f("pk_plex_servers")),
        sa.CheckConstraint("length(server) BETWEEN 1 AND 100", name=op.f("ck_plex_servers_server")),
        sa.CheckConstraint("length(machine_id) BETWEEN 1 AND 200", name=op.f("ck_plex_servers_machine_id")),
    )
    op.create_table(
        "plex_players",
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("player_id", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("checked_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("server", "player_id", name=op.f("pk_plex_players")),
        sa.CheckConstraint("length(player_id) BETWEEN 1 AND 200", name=op.f("ck_plex_players_player_id")),
        sa.CheckConstraint("route IN ('direct', 'proxied', 'none')", name=op.f("ck_plex_players_route")),
        sa.ForeignKeyConstraint(
            ["server"], ["plex_servers.server"], name=op.f("fk_plex_players_server"), ondelete="CASCADE"
        ),
    )
    op.create_table(
        "installation_keys",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_installation_keys")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 100", name=op.f("ck_installation_keys_name")),
        sa.CheckConstraint("length(value) >= 16", name=op.f("ck_installation_keys_value")),
    )


def _create_panels() -> None:
    op.create_table(
        "panels",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("module", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("app_id", _BIG, nullable=False),
        sa.Column("guild_id", _BIG),
        sa.Column("channel_id", _BIG, nullable=False),
        sa.Column("message_id", _BIG),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", _BIG, nullable=False),
        sa.Column("updated_at", _BIG, nullable=False),
        sa.Column("ended_at", _BIG),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panels")),
        sa.CheckConstraint("length(module) BETWEEN 1 AND 100", name=op.f("ck_panels_module")),
        sa.CheckConstraint("length(kind) BETWEEN 1 AND 100", name=op.f("ck_panels_kind")),
        sa.CheckConstraint(
            "app_id > 0 AND guild_id > 0 AND channel_id > 0 AND message_id > 0", name=op.f("ck_panels_snowflakes")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_panels_module_ended_at", "panels", ["module", "ended_at"])
