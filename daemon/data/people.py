"""People: profiles, who they are on Discord, and what they prefer. Who they are on Plex is in `links.py`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Connection, ForeignKey, Table, Text, bindparam, select, update

from daemon.core.ids import MemberId, ProfileId
from daemon.data.columns import BigInt, Instant, metadata, to_micros
from daemon.data.hot import Hot, insert

profiles = Table(
    "profiles",
    metadata,
    Column("id", BigInt, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("forgotten_at", Instant),  # who it was is erased: the row stands for them in sums and ledgers
    CheckConstraint("length(name) BETWEEN 1 AND 100", name="name"),
    sqlite_autoincrement=True,  # the number of a deleted profile is never given again: the audit log still names it
)

discord_identities = Table(
    "discord_identities",
    metadata,
    Column("member_id", BigInt, primary_key=True, autoincrement=False),
    Column("profile_id", ForeignKey("profiles.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    CheckConstraint("member_id > 0", name="member_id"),
    CheckConstraint("length(name) BETWEEN 1 AND 100", name="name"),
)

profile_preferences = Table(
    "profile_preferences",
    metadata,
    Column("profile_id", ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
    CheckConstraint("length(key) BETWEEN 1 AND 100", name="key"),
)

_find_member = Hot(
    lambda _: select(discord_identities.c.profile_id, discord_identities.c.name).where(
        discord_identities.c.member_id == bindparam("member_id")
    )
)
_add_profile = Hot(
    lambda dialect: (
        insert(dialect, profiles)
        .values(name=bindparam("name"), created_at=bindparam("created_at"))
        .returning(profiles.c.id)
    )
)
_add_member = Hot(
    lambda dialect: (
        insert(dialect, discord_identities)
        .values(
            member_id=bindparam("member_id"),
            profile_id=bindparam("profile_id"),
            name=bindparam("name"),
            created_at=bindparam("created_at"),
        )
        .on_conflict_do_nothing()
    )
)
_rename_member = Hot(
    lambda _: (
        update(discord_identities)
        .where(
            discord_identities.c.member_id == bindparam("member"), discord_identities.c.name != bindparam("new_name")
        )
        .values(name=bindparam("new_name"))
    )
)


def ensure_member(tx: Connection, member_id: MemberId, name: str, at: datetime) -> ProfileId:
    """The profile of a Discord member, made on first sight; the stored name follows `name` (1 to 100 characters).

    Safe against another process that meets the same member in the same instant: both get the one profile.
    """
    if (row := _find_member.run(tx, {"member_id": member_id}).fetchone()) is not None:
        profile_id, known_name = row
        if known_name != name:
            _rename_member.run(tx, {"member": member_id, "new_name": name})
            tx.execute(update(profiles).where(profiles.c.id == profile_id).values(name=name))
        return ProfileId(profile_id)
    created_at = to_micros(at)
    profile_id = _returned_id(_add_profile.run(tx, {"name": name, "created_at": created_at}).fetchone())
    identity = {"member_id": member_id, "profile_id": profile_id, "name": name, "created_at": created_at}
    if _add_member.run(tx, identity).rowcount == 1:
        return ProfileId(profile_id)
    tx.execute(profiles.delete().where(profiles.c.id == profile_id))
    return ProfileId(_returned_id(_find_member.run(tx, {"member_id": member_id}).fetchone()))


def name_of(tx: Connection, profile_id: ProfileId) -> str | None:
    """What the person is called; None for a profile that does not exist."""
    return tx.execute(select(profiles.c.name).where(profiles.c.id == profile_id)).scalar()


def names_of(tx: Connection, profile_ids: Collection[ProfileId]) -> dict[ProfileId, str]:
    """What these people are called; unknown ones are left out."""
    rows = tx.execute(select(profiles.c.id, profiles.c.name).where(profiles.c.id.in_(profile_ids)))
    return {ProfileId(number): name for number, name in rows}


def profile_of(tx: Connection, member_id: MemberId) -> ProfileId | None:
    """The profile of a Discord member; None for somebody we have not met."""
    row = _find_member.run(tx, {"member_id": member_id}).fetchone()
    return None if row is None else ProfileId(row[0])


def members_of(tx: Connection, profile_id: ProfileId) -> list[dict[str, str]]:
    """Who the person is on Discord: id and name of each, as text."""
    c = discord_identities.c
    rows = tx.execute(select(c.member_id, c.name).where(c.profile_id == profile_id).order_by(c.member_id))
    return [{"id": str(row.member_id), "name": row.name} for row in rows]


def preferences(tx: Connection, profile_id: ProfileId) -> dict[str, str]:
    """Everything the person chose, by key."""
    found = profile_preferences.c
    rows = tx.execute(select(found.key, found.value).where(found.profile_id == profile_id).order_by(found.key))
    return {row.key: row.value for row in rows}


def created_at(tx: Connection, profile_id: ProfileId) -> datetime | None:
    """When the person was met first."""
    return tx.execute(select(profiles.c.created_at).where(profiles.c.id == profile_id)).scalar()


def preference(tx: Connection, profile_id: ProfileId, key: str) -> str | None:
    """The stored value, or None when the person never chose."""
    found = profile_preferences.c
    return tx.execute(select(found.value).where(found.profile_id == profile_id, found.key == key)).scalar()


def set_preference(tx: Connection, profile_id: ProfileId, key: str, value: str, at: datetime) -> None:
    """Store or replace a choice. IntegrityError for a profile that does not exist."""
    statement = insert(tx.dialect.name, profile_preferences).values(
        profile_id=profile_id, key=key, value=value, changed_at=at
    )
    tx.execute(
        statement.on_conflict_do_update(index_elements=["profile_id", "key"], set_={"value": value, "changed_at": at})
    )


def _returned_id(row: tuple[int, ...] | None) -> int:
    assert row is not None, "the row was written in this transaction"
    return row[0]
