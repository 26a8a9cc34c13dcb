"""What rounds list: who keeps a title, and what became of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, func, select, update

from daemon.core.ids import ProfileId, RatingKey, ServerId
from daemon.core.leaving import Listed, Outcome, Reason, RoundState, RoundTitle
from daemon.core.media import TitleKind
from daemon.data.hot import insert, inserts
from daemon.data.leaving import rounds
from daemon.data.leaving.tables import leaving_keeps, leaving_rounds, leaving_titles

_r, _t, _k = leaving_rounds.c, leaving_titles.c, leaving_keeps.c
_keeps = select(func.count()).where(_k.title_id == _t.id).correlate(leaving_titles).scalar_subquery()


class Kept(StrEnum):
    """What came of a press on Keep."""

    NEW = "new"
    KNOWN = "known"  # this person has pressed before
    OVER = "over"  # the time for it is over
    UNKNOWN = "unknown"  # no such title


def of_round(tx: Connection, round_id: int) -> list[RoundTitle]:
    """All titles of a round, the largest first."""
    rows = tx.execute(_titles().where(_t.round_id == round_id).order_by(_t.size_bytes.desc(), _t.id))
    return [_to_title(row) for row in rows]


def get(tx: Connection, title_id: int) -> RoundTitle | None:
    """A title of a round."""
    row = tx.execute(_titles().where(_t.id == title_id)).first()
    return None if row is None else _to_title(row)


def keep(tx: Connection, title_id: int, profile_id: ProfileId, at: datetime) -> Kept:
    """Somebody wants the title to stay: once for each person, while the round is open and its time not over."""
    # The round is held, where the database knows such locks, so that it is not closed between this and the insert.
    joined = select(_r.state, _r.keep_until).join(leaving_titles, _t.round_id == _r.id).where(_t.id == title_id)
    row = tx.execute(joined.with_for_update(of=leaving_rounds)).first()
    if row is None:
        return Kept.UNKNOWN
    if row.state != RoundState.OPEN.value or at >= row.keep_until:
        return Kept.OVER
    new = insert(tx.dialect.name, leaving_keeps).values(title_id=title_id, profile_id=profile_id, kept_at=at)
    return Kept.NEW if inserts(tx, new, leaving_keeps) else Kept.KNOWN


def kept_by(tx: Connection, profile_id: ProfileId) -> list[dict[str, Any]]:
    """What somebody keeps: title, library and when, newest first."""
    statement = (
        select(_t.name, _t.year, _r.server, _r.library_name, _k.kept_at)
        .join(leaving_titles, _t.id == _k.title_id)
        .join(leaving_rounds, _r.id == _t.round_id)
        .where(_k.profile_id == profile_id)
        .order_by(_k.id.desc())
    )
    return [dict(row) for row in tx.execute(statement).mappings()]


def next_undecided(tx: Connection, round_id: int) -> RoundTitle | None:
    """The title to be deleted next: first the one about which the server was asked and its answer lost."""
    wanted = _titles().where(_t.round_id == round_id, _t.outcome.is_(None))
    row = tx.execute(wanted.order_by(_t.sent_at.is_(None), _t.size_bytes.desc(), _t.id).limit(1)).first()
    return None if row is None else _to_title(row)


def mark_sent(tx: Connection, title_id: int, process: str, at: datetime, until: datetime) -> bool:
    """The server is about to be asked to delete the title. False when it must not be.

    It must while this process has the round, nothing is decided about the title, and nobody keeps it.
    """
    row = tx.execute(select(_t.round_id).where(_t.id == title_id)).first()
    if row is None or not rounds.hold(tx, row.round_id, process, until):
        return False
    return tx.execute(_undecided(title_id, _unkept()).values(sent_at=at, attempts=_t.attempts + 1)).rowcount == 1


def clear_sent(tx: Connection, title_id: int) -> None:
    """The server has certainly not deleted the title."""
    tx.execute(_undecided(title_id).values(sent_at=None))


def decide(
    tx: Connection,
    title_id: int,
    outcome: Outcome,
    at: datetime,
    *,
    reason: Reason | None = None,
    freed_bytes: int = 0,
    exempt_until: datetime | None = None,
) -> bool:
    """Record what became of a title; False when that was recorded before."""
    values = {
        "outcome": outcome.value, "reason": None if reason is None else reason.value, "decided_at": at,
        "undecided_key": None, "freed_bytes": freed_bytes, "exempt_until": exempt_until,
    }  # fmt: skip
    row = tx.execute(select(_t.round_id).where(_t.id == title_id)).first()
    if row is None:
        return False
    rounds.touch(tx, row.round_id)  # first, as everywhere: who has the round changes its titles
    return tx.execute(_undecided(title_id).values(**values)).rowcount == 1


def _unkept() -> ColumnElement[bool]:
    return ~exists().where(_k.title_id == _t.id)


def _undecided(title_id: int, *more: ColumnElement[bool]) -> Any:
    return update(leaving_titles).where(_t.id == title_id, _t.outcome.is_(None), *more)


def _titles() -> Select[Any]:
    return select(*_t, _keeps.label("keeps"))


def _to_title(row: Any) -> RoundTitle:
    listed = Listed(
        RatingKey(str(row.rating_key)), TitleKind(row.kind), row.guid, row.name, row.year, row.size_bytes, row.files,
        row.added_at, row.played_at, row.rating_tenths,
    )  # fmt: skip
    return RoundTitle(
        title_id=row.id,
        round_id=row.round_id,
        server=ServerId(row.server),
        listed=listed,
        keeps=row.keeps,
        outcome=None if row.outcome is None else Outcome(row.outcome),
        reason=None if row.reason is None else Reason(row.reason),
        decided_at=row.decided_at,
        freed_bytes=row.freed_bytes,
        sent_at=row.sent_at,
        attempts=row.attempts,
    )
