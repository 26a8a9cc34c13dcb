"""The audit log: who did what to what, when. Rows are added and read; the database itself refuses anything else."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DDL, CheckConstraint, Column, Connection, Table, Text, bindparam, event, select

from daemon.core.ids import ProfileId
from daemon.data.columns import BigInt, Instant, JsonObject, metadata, to_json, to_micros
from daemon.data.hot import Hot, insert

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", BigInt, primary_key=True),
    Column("at", Instant, nullable=False, index=True),
    Column("actor_profile_id", BigInt),  # no foreign key: the log outlives the person. NULL: Marquee itself
    Column("action", Text, nullable=False),  # "command play", "panel posted"
    Column("target", Text, nullable=False),  # what it was done to, "" for nothing in particular
    Column("detail", JsonObject, nullable=False),
    Column("trace_id", Text, nullable=False),
    CheckConstraint("length(action) BETWEEN 1 AND 100", name="action"),
)

_GUARDS = {
    "sqlite": [
        f"""CREATE TRIGGER audit_log_keeps_{verb.lower()} BEFORE {verb} ON audit_log
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"""
        for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        """CREATE FUNCTION audit_log_refuses() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'restrict_violation'; END $$""",
        """CREATE TRIGGER audit_log_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
        FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuses()""",
    ],
}
for _dialect, _statements in _GUARDS.items():
    for _statement in _statements:
        event.listen(audit_log, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]

_add = Hot(
    lambda dialect: insert(dialect, audit_log).values(
        at=bindparam("at"),
        actor_profile_id=bindparam("actor_profile_id"),
        action=bindparam("action"),
        target=bindparam("target"),
        detail=bindparam("detail"),
        trace_id=bindparam("trace_id"),
    )
)


def add(
    tx: Connection,
    *,
    at: datetime,
    actor: ProfileId | None,
    action: str,
    target: str,
    detail: dict[str, Any],
    trace_id: str,
) -> None:
    """Append one row. `action` has 1 to 100 characters, `detail` whatever JSON can say."""
    row = {
        "at": to_micros(at),
        "actor_profile_id": actor,
        "action": action,
        "target": target,
        "detail": to_json(detail),
        "trace_id": trace_id,
    }
    _add.run(tx, row)


def of_actor(tx: Connection, actor: ProfileId, limit: int) -> list[dict[str, Any]]:
    """What somebody did, newest first: at, action and target of each. The table is read from its end."""
    c = audit_log.c
    wanted = select(c.at, c.action, c.target).where(c.actor_profile_id == actor).order_by(c.id.desc()).limit(limit)
    return [dict(row) for row in tx.execute(wanted).mappings()]
