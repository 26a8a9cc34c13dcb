"""Discord guilds we have met, and what their managers set."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Connection, ForeignKey, Table, Text, bindparam, func, select
from sqlalchemy.dialects.sqlite import Insert

from daemon.core.ids import GuildId
from daemon.data.columns import BigInt, Instant, metadata, to_micros
from daemon.data.hot import Hot, insert

guilds = Table(
    "guilds",
    metadata,
    Column("guild_id", BigInt, primary_key=True, autoincrement=False),
    Column("name", Text),  # an interaction tells the id alone; the name comes with the gateway
    Column("created_at", Instant, nullable=False),
    CheckConstraint("guild_id > 0", name="guild_id"),
    CheckConstraint("length(name) BETWEEN 1 AND 100", name="name"),
)

guild_settings = Table(
    "guild_settings",
    metadata,
    Column("guild_id", ForeignKey("guilds.guild_id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
    CheckConstraint("length(key) BETWEEN 1 AND 100", name="key"),
)


def _upsert(dialect: str) -> Insert:
    statement = insert(dialect, guilds).values(
        guild_id=bindparam("guild_id"), name=bindparam("name"), created_at=bindparam("created_at")
    )
    named = func.coalesce(statement.excluded.name, guilds.c.name)
    return statement.on_conflict_do_update(index_elements=["guild_id"], set_={"name": named})


_ensure_guild = Hot(_upsert)


def ensure_guild(tx: Connection, guild_id: GuildId, name: str | None, at: datetime) -> None:
    """Make the guild known; a name that is given replaces the stored one, None leaves it."""
    _ensure_guild.run(tx, {"guild_id": guild_id, "name": name, "created_at": to_micros(at)})


def setting(tx: Connection, guild_id: GuildId, key: str) -> str | None:
    """The stored value, or None when nobody set it."""
    found = guild_settings.c
    return tx.execute(select(found.value).where(found.guild_id == guild_id, found.key == key)).scalar()


def set_setting(tx: Connection, guild_id: GuildId, key: str, value: str, at: datetime) -> None:
    """Store or replace a setting; the guild is made known when it was not."""
    ensure_guild(tx, guild_id, None, at)
    statement = insert(tx.dialect.name, guild_settings).values(guild_id=guild_id, key=key, value=value, changed_at=at)
    tx.execute(
        statement.on_conflict_do_update(index_elements=["guild_id", "key"], set_={"value": value, "changed_at": at})
    )
