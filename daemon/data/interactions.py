"""Interactions seen: what Discord sent twice, or two processes received, is handled once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, Column, Connection, Table, bindparam, delete, select

from daemon.core.ids import InteractionId
from daemon.core.limits import INTERACTION_KEPT_S, INTERACTION_PURGE_MAX
from daemon.data.columns import BigInt, Instant, metadata, to_micros
from daemon.data.hot import Hot, insert

interactions_seen = Table(
    "interactions_seen",
    metadata,
    Column("interaction_id", BigInt, primary_key=True, autoincrement=False),
    Column("seen_at", Instant, nullable=False, index=True),
    CheckConstraint("interaction_id > 0", name="interaction_id"),
)

_see = Hot(
    lambda dialect: (
        insert(dialect, interactions_seen)
        .values(interaction_id=bindparam("interaction_id"), seen_at=bindparam("seen_at"))
        .on_conflict_do_nothing()
    )
)


def see(tx: Connection, interaction_id: InteractionId, at: datetime) -> bool:
    """Whether this is the first time; of several at once, in one process or many, exactly one is told so."""
    return _see.run(tx, {"interaction_id": interaction_id, "seen_at": to_micros(at)}).rowcount == 1


def forget_old(tx: Connection, now: datetime) -> int:
    """Delete rows older than `INTERACTION_KEPT_S`, at most `INTERACTION_PURGE_MAX`; how many were deleted."""
    seen = interactions_seen.c
    expired = (
        select(seen.interaction_id)
        .where(seen.seen_at < now - timedelta(seconds=INTERACTION_KEPT_S))
        .order_by(seen.seen_at)
        .limit(INTERACTION_PURGE_MAX)
    )
    return tx.execute(delete(interactions_seen).where(seen.interaction_id.in_(expired))).rowcount
