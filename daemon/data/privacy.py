"""Who may see what somebody watches, for how long it is kept, and whom they chose. By default nobody else sees it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Integer,
    SmallInteger,
    Table,
    Text,
    delete,
    select,
)

from daemon.core.ids import GuildId, ProfileId
from daemon.data.columns import Instant, metadata
from daemon.data.hot import insert

RETENTION_DAYS_MAX = 3650

privacy_settings = Table(
    "privacy_settings",
    metadata,
    Column("profile_id", ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True),
    Column("visible", Text, nullable=False),
    Column("stats", SmallInteger, nullable=False),
    Column("retention_days", Integer),  # NULL: kept until the person says otherwise
    Column("incognito_until", Instant),
    Column("changed_at", Instant, nullable=False),
    CheckConstraint("visible IN ('nobody', 'chosen', 'guild')", name="visible"),
    CheckConstraint(f"retention_days BETWEEN 1 AND {RETENTION_DAYS_MAX}", name="retention_days"),
)

privacy_guilds = Table(
    "privacy_guilds",
    metadata,
    Column("profile_id", ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True),
    Column("guild_id", ForeignKey("guilds.guild_id", ondelete="CASCADE"), primary_key=True),
)

privacy_chosen = Table(
    "privacy_chosen",
    metadata,
    Column("profile_id", ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True),
    Column("viewer_id", ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class Audience(StrEnum):
    """Who, beside the person, may see what they watch."""

    NOBODY = "nobody"
    CHOSEN = "chosen"
    GUILD = "guild"  # whoever asks in a guild in which the person has said so


@dataclass(frozen=True, slots=True)
class Privacy:
    """`stats`: whether they count in rankings and sums that others see. `retention_days` None: no end."""

    visible: Audience = Audience.NOBODY
    stats: bool = False
    retention_days: int | None = None
    incognito_until: datetime | None = None

    def is_incognito(self, at: datetime) -> bool:
        """Whether nothing of what they watch at that instant is recorded."""
        return self.incognito_until is not None and at < self.incognito_until


def get(tx: Connection, profile_id: ProfileId) -> Privacy:
    """What the person has chosen; the default for whoever never chose."""
    row = tx.execute(select(privacy_settings).where(privacy_settings.c.profile_id == profile_id)).first()
    if row is None:
        return Privacy()
    return Privacy(Audience(row.visible), bool(row.stats), row.retention_days, row.incognito_until)


def put(tx: Connection, profile_id: ProfileId, chosen: Privacy, at: datetime) -> None:
    """Store it. IntegrityError for a retention out of bounds and for a profile that does not exist."""
    values: dict[str, Any] = {
        "visible": chosen.visible.value,
        "stats": int(chosen.stats),
        "retention_days": chosen.retention_days,
        "incognito_until": chosen.incognito_until,
        "changed_at": at,
    }
    statement = insert(tx.dialect.name, privacy_settings).values(profile_id=profile_id, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=["profile_id"], set_=values))


def allow_guild(tx: Connection, profile_id: ProfileId, guild_id: GuildId) -> None:
    """The person lets this guild see."""
    statement = insert(tx.dialect.name, privacy_guilds).values(profile_id=profile_id, guild_id=guild_id)
    tx.execute(statement.on_conflict_do_nothing())


def withdraw_guilds(tx: Connection, profile_id: ProfileId) -> None:
    """No guild sees any more."""
    tx.execute(delete(privacy_guilds).where(privacy_guilds.c.profile_id == profile_id))


def choose(tx: Connection, profile_id: ProfileId, viewers: Iterable[ProfileId]) -> None:
    """Replace those whom the person chose."""
    tx.execute(delete(privacy_chosen).where(privacy_chosen.c.profile_id == profile_id))
    for viewer in sorted(set(viewers) - {profile_id}):
        tx.execute(insert(tx.dialect.name, privacy_chosen).values(profile_id=profile_id, viewer_id=viewer))


def chosen_by(tx: Connection, profile_id: ProfileId) -> list[ProfileId]:
    """Those whom the person chose, by number."""
    c = privacy_chosen.c
    return [
        ProfileId(one)
        for one in tx.execute(select(c.viewer_id).where(c.profile_id == profile_id).order_by(c.viewer_id)).scalars()
    ]


def guilds_of(tx: Connection, profile_id: ProfileId) -> list[GuildId]:
    """The guilds that the person lets see, by number."""
    c = privacy_guilds.c
    return [
        GuildId(one)
        for one in tx.execute(select(c.guild_id).where(c.profile_id == profile_id).order_by(c.guild_id)).scalars()
    ]
