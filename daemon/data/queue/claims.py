"""Large bodies: which of them are needed, and the ones that lie in the database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, exists, func, or_, select, union

from daemon.data.hot import insert
from daemon.data.queue.tables import claim_bodies, dead_letters, queue_messages

_TABLES = (queue_messages, dead_letters)


def referenced(tx: Connection) -> set[bytes]:
    """The digests of bodies that messages and dead letters refer to."""
    wanted = union(*(select(table.c.digest).where(table.c.body.is_(None)) for table in _TABLES))
    return set(tx.execute(wanted).scalars())


def put(tx: Connection, digest: bytes, body: bytes, now: datetime) -> None:
    """Store a body, in place of what lies there under its digest."""
    statement = insert(tx.dialect.name, claim_bodies).values(digest=digest, body=body, used_at=now)
    tx.execute(statement.on_conflict_do_update(index_elements=["digest"], set_={"body": body, "used_at": now}))


def touch(tx: Connection, digest: bytes, size_bytes: int, now: datetime) -> bool:
    """Whether this body is there in its full size; it then counts as put there now."""
    c = claim_bodies.c
    is_it = (c.digest == digest, func.length(c.body) == size_bytes)
    return tx.execute(claim_bodies.update().where(*is_it).values(used_at=now)).rowcount == 1


def get(tx: Connection, digest: bytes) -> bytes | None:
    """A body as it is stored, or None."""
    return tx.execute(select(claim_bodies.c.body).where(claim_bodies.c.digest == digest)).scalar()


def forget_unused(tx: Connection, before: datetime) -> int:
    """Delete bodies last put there before `before` that nothing refers to; how many."""
    is_used = or_(
        *(exists().where(table.c.digest == claim_bodies.c.digest, table.c.body.is_(None)) for table in _TABLES)
    )
    return tx.execute(delete(claim_bodies).where(claim_bodies.c.used_at < before, ~is_used)).rowcount
