"""How far the reading of each library is: one process reads a library, and whoever comes after goes on where it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, or_, select, update

from daemon.core.errors import MarqueeError
from daemon.core.ids import ServerId
from daemon.core.limits import MIRROR_LEASE_S
from daemon.core.visibility import LibraryRef
from daemon.data.hot import insert
from daemon.data.library.tables import libraries, library_passes

_p = library_passes.c
_LEASE = timedelta(seconds=MIRROR_LEASE_S)


class PassLost(MarqueeError):
    """Somebody else reads this library by now, or it is gone: what this unit wrote is undone."""


@dataclass(frozen=True, slots=True)
class Pass:
    """A reading of one library. `stage` counts the kinds of its titles, then come its tags."""

    library_id: int
    number: int
    stage: int
    next_start: int
    attempt: int
    is_whole: bool
    done: int
    total: int
    stamp: str | None
    owner: str | None
    owned_until: datetime | None
    begun_at: datetime
    ended_at: datetime | None
    problem: str | None


def current(tx: Connection, library_id: int) -> Pass | None:
    """The last pass over the library, under way or ended."""
    row = tx.execute(select(library_passes).where(_p.library_id == library_id)).first()
    return None if row is None else _to_pass(row)


def listing(tx: Connection) -> list[Pass]:
    """The last pass over every library."""
    return [_to_pass(row) for row in tx.execute(select(library_passes))]


def under_way(tx: Connection) -> list[tuple[LibraryRef, str, int, int]]:
    """(library, name, titles read so far, titles there are as far as known) of every reading that has not ended."""
    of = libraries.c
    statement = select(of.server, of.key, of.name, _p.done, _p.total).join(library_passes, _p.library_id == of.id)
    rows = tx.execute(statement.where(_p.ended_at.is_(None)).order_by(of.server, of.name))
    return [(LibraryRef(ServerId(row.server), row.key), row.name, row.done, row.total) for row in rows]


def begin(
    tx: Connection, library_id: int, owner: str, stamp: str | None, now: datetime, *, afresh: bool = False
) -> Pass | None:
    """Take up the pass that was interrupted, or begin the next; None while another process reads the library.

    `afresh` begins a new one in any case. IntegrityError when the library is gone.
    """
    first = insert(tx.dialect.name, library_passes).values(
        library_id=library_id, number=0, stage=0, next_start=0, attempt=1, is_whole=1, done=0, total=0, begun_at=now,
        ended_at=now,
    )  # fmt: skip
    tx.execute(first.on_conflict_do_nothing())
    free = or_(_p.owner.is_(None), _p.owner == owner, _p.owned_until < now)
    claim = update(library_passes).where(_p.library_id == library_id, free)
    if not tx.execute(claim.values(owner=owner, owned_until=now + _LEASE, problem=None)).rowcount:
        return None
    fresh = update(library_passes).where(_p.library_id == library_id)
    if not afresh:
        fresh = fresh.where(_p.ended_at.is_not(None))
    tx.execute(
        fresh.values(
            number=_p.number + 1,
            stage=0,
            next_start=0,
            attempt=1,
            is_whole=1,
            done=0,
            total=0,
            stamp=stamp,
            begun_at=now,
            ended_at=None,
        )
    )
    return current(tx, library_id)


def move(tx: Connection, before: Pass, now: datetime, **changes: object) -> Pass:
    """Note how far the pass is, and that its owner lives; PassLost when it is not the owner's any more."""
    mine = update(library_passes).where(
        _p.library_id == before.library_id, _p.number == before.number, _p.owner == before.owner
    )
    after = tx.execute(mine.values(owned_until=now + _LEASE, **changes).returning(*library_passes.c)).first()
    if after is None:
        raise PassLost(f"the reading of library {before.library_id} was taken over")
    return _to_pass(after)


def leave(tx: Connection, before: Pass, problem: str | None) -> None:
    """Let go of a pass that did not come to its end; it is taken up again where it is."""
    tx.execute(
        update(library_passes)
        .where(_p.library_id == before.library_id, _p.number == before.number, _p.owner == before.owner)
        .values(owner=None, owned_until=None, problem=problem)
    )


def _to_pass(row: Row[tuple[object, ...]]) -> Pass:
    values = dict(row._mapping)
    return Pass(**{**values, "is_whole": bool(values["is_whole"])})
