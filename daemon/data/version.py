"""Which migration a database is at. Alembic keeps the same table; this file spares a running daemon from Alembic."""

from __future__ import annotations

from sqlalchemy import Column, Connection, PrimaryKeyConstraint, String, Table, delete, insert, inspect, select, update

from daemon.data.columns import metadata

HEAD = "0006"  # the newest file in migrations/versions

VERSION_TABLE = "marquee_version"

marquee_version = Table(
    VERSION_TABLE,
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc"),  # names as Alembic gives them
)


def current(tx: Connection) -> str | None:
    """The revision the database is at; None when it holds no schema of ours."""
    if not inspect(tx).has_table(VERSION_TABLE):
        return None
    return tx.execute(select(marquee_version.c.version_num)).scalar()


def stamp(tx: Connection, revision: str) -> None:
    """Say that the database is at `revision`."""
    tx.execute(delete(marquee_version))
    tx.execute(insert(marquee_version).values(version_num=revision))


def touch(tx: Connection) -> bool:
    """Write without changing anything; True when the database took it and is at `HEAD`."""
    at_head = update(marquee_version).where(marquee_version.c.version_num == HEAD).values(version_num=HEAD)
    return tx.execute(at_head).rowcount == 1
