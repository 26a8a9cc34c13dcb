"""Panels: posted cards that must go on working after a restart."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, Connection, Index, Row, Table, Text, insert, or_, select, true, update

from daemon.core.ids import AppId, ChannelId, GuildId, MessageId, ModuleId, PanelId
from daemon.data.columns import BigInt, Instant, JsonObject, metadata

panels = Table(
    "panels",
    metadata,
    Column("id", BigInt, primary_key=True),
    Column("module", Text, nullable=False),
    Column("kind", Text, nullable=False),  # the module's own word
    Column("app_id", BigInt, nullable=False),  # the application that posted it, the only one that may edit it
    Column("guild_id", BigInt),  # NULL in a direct message
    Column("channel_id", BigInt, nullable=False),
    Column("message_id", BigInt),  # NULL until Discord confirmed the message
    Column("state", JsonObject, nullable=False),  # the module's own
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("owner", Text),  # the process that keeps it up to date; NULL for none
    Column("owned_until", Instant),
    CheckConstraint("length(module) BETWEEN 1 AND 100", name="module"),
    CheckConstraint("length(kind) BETWEEN 1 AND 100", name="kind"),
    CheckConstraint("app_id > 0 AND guild_id > 0 AND channel_id > 0 AND message_id > 0", name="snowflakes"),
    Index("ix_panels_module_ended_at", "module", "ended_at"),
    sqlite_autoincrement=True,  # ids stand in buttons on Discord: one must never come to mean another panel
)


@dataclass(frozen=True, slots=True)
class Panel:
    """A card and where it is. `guild_id` is None in a direct message, `message_id` until it is posted.

    `owner` is the process that keeps it up to date until `owned_until`, and longer unless another takes it.
    """

    panel_id: PanelId
    module: ModuleId
    kind: str
    app_id: AppId
    guild_id: GuildId | None
    channel_id: ChannelId
    message_id: MessageId | None
    state: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    owner: str | None
    owned_until: datetime | None


def add(
    tx: Connection,
    *,
    module: ModuleId,
    kind: str,
    app_id: AppId,
    guild_id: GuildId | None,
    channel_id: ChannelId,
    message_id: MessageId | None,
    state: dict[str, Any],
    at: datetime,
    owner: str,
    owned_until: datetime,
) -> Panel:
    """Insert a panel and return it with its id."""
    row = {
        "module": module,
        "kind": kind,
        "app_id": app_id,
        "guild_id": guild_id,
        "channel_id": channel_id,
        "message_id": message_id,
        "state": state,
        "created_at": at,
        "updated_at": at,
        "owner": owner,
        "owned_until": owned_until,
    }
    return _to_panel(tx.execute(insert(panels).values(**row).returning(*panels.c)).one())


def get(tx: Connection, panel_id: PanelId) -> Panel | None:
    """The panel, ended or not; None when there is none of that id."""
    row = tx.execute(select(*panels.c).where(panels.c.id == panel_id)).one_or_none()
    return None if row is None else _to_panel(row)


def open_of(tx: Connection, module: ModuleId) -> tuple[Panel, ...]:
    """The module's panels that have not ended, oldest first."""
    statement = select(*panels.c).where(panels.c.module == module, panels.c.ended_at.is_(None)).order_by(panels.c.id)
    return tuple(_to_panel(row) for row in tx.execute(statement))


def change(tx: Connection, panel_id: PanelId, at: datetime, **values: Any) -> bool:
    """Set columns of a panel that has not ended; whether there was one."""
    statement = update(panels).where(panels.c.id == panel_id, panels.c.ended_at.is_(None))
    return tx.execute(statement.values(updated_at=at, **values)).rowcount == 1


def take(
    tx: Connection,
    panel_ids: Collection[PanelId],
    *,
    owner: str,
    at: datetime,
    until: datetime,
    everything: bool,
) -> tuple[Panel, ...]:
    """Renew the lease of what `owner` has of these, and take what nobody has or, with `everything`, what others have.

    Gives those that are its own now, oldest first. One statement, so that two processes never both get a panel.
    """
    is_free = or_(panels.c.owner == owner, panels.c.owner.is_(None), panels.c.owned_until <= at)
    statement = update(panels).where(
        panels.c.id.in_(panel_ids), panels.c.ended_at.is_(None), true() if everything else is_free
    )
    rows = tx.execute(statement.values(owner=owner, owned_until=until).returning(*panels.c))
    return tuple(sorted(map(_to_panel, rows), key=lambda panel: panel.panel_id))


def release(tx: Connection, module: ModuleId, owner: str) -> None:
    """Nobody keeps the owner's panels up to date any more."""
    statement = update(panels).where(panels.c.module == module, panels.c.owner == owner, panels.c.ended_at.is_(None))
    tx.execute(statement.values(owner=None, owned_until=None))


def _to_panel(row: Row[*tuple[Any, ...]]) -> Panel:
    return Panel(*row)
