"""Which servers and libraries a guild sees.

Until somebody binds something to it, the guild that was met first sees everything: a home has one guild, and it should
work without asking. Every other guild sees nothing until it is told to, so that inviting the bot somewhere is no way
into a library, nor one to take it from those who have it. The first binding ends that for good: a guild whose last
binding is taken back sees nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import CheckConstraint, Column, Connection, ForeignKey, Table, Text, delete, select

from daemon.core.ids import GuildId, ServerId
from daemon.data.columns import Instant, metadata
from daemon.data.guilds import guilds, set_setting, setting
from daemon.data.hot import insert, inserts

WHOLE: Final = ""
"""In place of a library's key: the whole server, with what is added to it later."""

_MARK = "access.bound"  # a guild setting: somebody has bound something here

guild_bindings = Table(
    "guild_bindings",
    metadata,
    Column("guild_id", ForeignKey("guilds.guild_id", ondelete="CASCADE"), primary_key=True),
    Column("server", Text, primary_key=True),
    Column("library", Text, primary_key=True),
    Column("bound_at", Instant, nullable=False),
    CheckConstraint("length(server) BETWEEN 1 AND 32", name="server"),
    CheckConstraint("length(library) <= 32", name="library"),
)


@dataclass(frozen=True, slots=True)
class Binding:
    """A library of a server by its section key, or the server as a `WHOLE`."""

    server: ServerId
    library: str = WHOLE


def bind(tx: Connection, guild_id: GuildId, binding: Binding, at: datetime) -> bool:
    """Let the guild see it; False when it was bound already. From now on the guild sees only what is bound to it."""
    set_setting(tx, guild_id, _MARK, "1", at)
    statement = insert(tx.dialect.name, guild_bindings).values(
        guild_id=guild_id, server=binding.server, library=binding.library, bound_at=at
    )
    return inserts(tx, statement, guild_bindings)


def unbind(tx: Connection, guild_id: GuildId, binding: Binding) -> bool:
    """Take it back, a `WHOLE` server with each of its libraries; False when nothing of it was bound."""
    c = guild_bindings.c
    where = [c.guild_id == guild_id, c.server == binding.server]
    if binding.library != WHOLE:
        where.append(c.library == binding.library)
    return tx.execute(delete(guild_bindings).where(*where)).rowcount > 0


def reach(tx: Connection, guild_id: GuildId) -> frozenset[Binding] | None:
    """What is bound to the guild; None: everything there is."""
    c = guild_bindings.c
    rows = tx.execute(select(c.server, c.library).where(c.guild_id == guild_id)).all()
    if rows or setting(tx, guild_id, _MARK) is not None:
        return frozenset(Binding(ServerId(server), library) for server, library in rows)
    first = tx.execute(select(guilds.c.guild_id).order_by(guilds.c.created_at, guilds.c.guild_id).limit(1)).scalar()
    # None is known before the first command is given: somebody only types, which writes nothing.
    return None if first in (None, guild_id) else frozenset()
