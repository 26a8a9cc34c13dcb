"""Installation keys: secrets and identifiers that are made once and must never change."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Connection, LargeBinary, Table, Text, select, update

from daemon.data.columns import Instant, metadata
from daemon.data.hot import insert

installation_keys = Table(
    "installation_keys",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    CheckConstraint("length(name) BETWEEN 1 AND 100", name="name"),
    CheckConstraint("length(value) >= 16", name="value"),
)


def get_or_add(tx: Connection, name: str, candidate: bytes, at: datetime) -> bytes:
    """The stored value of `name`; `candidate` when there was none. Of several processes the first one's counts."""
    statement = insert(tx.dialect.name, installation_keys).values(name=name, value=candidate, created_at=at)
    tx.execute(statement.on_conflict_do_nothing())
    value: bytes = tx.execute(select(installation_keys.c.value).where(installation_keys.c.name == name)).scalar_one()
    return value


def find(tx: Connection, name: str) -> bytes | None:
    """The stored value of `name`, None when there is none."""
    found: bytes | None = tx.execute(select(installation_keys.c.value).where(installation_keys.c.name == name)).scalar()
    return found


def replace(tx: Connection, name: str, before: bytes, after: bytes) -> bool:
    """Put another value in the place of `before`; False when that is not the value any more."""
    where = installation_keys.c.name == name, installation_keys.c.value == before
    return tx.execute(update(installation_keys).where(*where).values(value=after)).rowcount == 1
