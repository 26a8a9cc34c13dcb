"""Claiming messages, and every way in which a claim ends.

Whoever claims gets a token. Each later statement names it, so it finds no row once the lease ran out and somebody else
claimed the message, or once the message was cancelled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    any_,
    bindparam,
    delete,
    func,
    literal_column,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy import insert as plain_insert

from daemon.data.hot import Hot
from daemon.data.queue.messages import tell
from daemon.data.queue.tables import dead_letters, queue_messages

PRIORITIES = (0, 1, 2)

_URGENCY = attrgetter("priority", "id")
_m = queue_messages.c
_one = queue_messages.alias("one")
_older = queue_messages.alias("older")


class Claimed(NamedTuple):
    """What a claim gives of a message, as the driver gives it; instants in microseconds."""

    id: int
    topic: str
    key: str | None
    body: bytes | None
    size_bytes: int
    digest: bytes
    attempts: int  # begun, this one included
    event_seq: int | None
    source: str
    trace_id: str
    enqueued_at: int
    priority: int
    progress: str | None


def _select_due(queue: ColumnElement[str]) -> Select[Any]:
    """What is due and is the oldest of its key, as `Claimed`; rows that somebody is busy with are left out."""
    is_behind: Select[Any] = select(literal_column("1")).where(
        _older.c.queue == _one.c.queue, _older.c.key == _one.c.key, _older.c.id < _one.c.id
    )
    begun = (_one.c.attempts + literal_column("1")).label("attempts")
    return (
        select(*(begun if name == "attempts" else _one.c[name] for name in Claimed._fields))
        .where(queue == bindparam("queue"), _one.c.due_at <= bindparam("now"))
        .where(or_(_one.c.key.is_(None), ~is_behind.exists()))
        .with_for_update(skip_locked=True, of=_one)
    )


def _first(selected: Any, dialect: str, count: ColumnElement[int]) -> Any:
    limited = selected.limit(count)
    # SQLite's compiler would bind a parameter of its own for the offset.
    return limited.offset(literal_column("0")) if dialect == "sqlite" else limited


def _sweep(dialect: str) -> Any:
    """The three priorities each in the order of the index, so that a long backlog is never sorted."""
    count: ColumnElement[int] = bindparam("count")
    levels = (
        _select_due(_one.c.queue)
        .where(_one.c.priority == literal_column(str(priority)))
        .order_by(_one.c.due_at, _one.c.id)
        for priority in PRIORITIES
    )
    parts = (select(_first(level, dialect, count).subquery()) for level in levels)
    return _first(union_all(*parts), dialect, count)


def _pick(dialect: str) -> Select[Any]:
    """Those of the given ids that may be claimed."""
    # An expression instead of the column: no index on it can tempt the planner to read the whole queue.
    return _select_due(_one.c.queue + literal_column("''")).where(_is_given(_one.c.id, dialect))


def _is_given(column: ColumnElement[int], dialect: str) -> ColumnElement[bool]:
    if dialect == "postgresql":
        return column == any_(bindparam("ids", type_=ARRAY(BigInteger)))
    return column.in_(select(func.json_each(bindparam("ids")).table_valued("value").c.value))


def _look(dialect: str) -> Select[Any]:
    """Not `min()`: PostgreSQL may read every row for it when its statistics are of a time when the table was empty."""
    firsts = (
        select(_m.due_at)
        .where(_m.queue == bindparam("queue"), _m.priority == literal_column(str(priority)), is_wanted)
        .order_by(_m.due_at)
        for is_wanted in (_m.due_at <= bindparam("now"), _m.due_at > bindparam("now"))
        for priority in PRIORITIES
    )
    return select(*(_first(first, dialect, literal_column("1")).scalar_subquery() for first in firsts))


_IS_HELD = (_m.id == bindparam("held_id"), _m.token == bindparam("held_token"))
_FREE: dict[str, Any] = {"token": literal_column("0"), "due_at": bindparam("due")}
_DEAD = tuple(column.name for column in dead_letters.c if column.name in _m and column.name != "id")

_swept = Hot(_sweep)
_picked = Hot(_pick)
_looked = Hot(_look)
# A statement of its own: RETURNING would cost SQLite as much again, for the bodies that it copies.
_lease = Hot(
    lambda dialect: (
        update(queue_messages)
        .where(_is_given(_m.id, dialect))
        .values(token=bindparam("token"), due_at=bindparam("until"), attempts=_m.attempts + literal_column("1"))
    )
)
_complete = Hot(lambda _: delete(queue_messages).where(*_IS_HELD))
_complete_many = Hot(
    lambda dialect: delete(queue_messages).where(_m.token == bindparam("held_token"), _is_given(_m.id, dialect))
)
_renew = Hot(lambda _: update(queue_messages).where(*_IS_HELD).values(due_at=bindparam("until")))
_retry = Hot(lambda _: update(queue_messages).where(*_IS_HELD).values(_FREE))
_give_back = Hot(
    lambda _: update(queue_messages).where(*_IS_HELD).values(_FREE | {"attempts": _m.attempts - literal_column("1")})
)
_bury = Hot(
    lambda _: plain_insert(dead_letters).from_select(
        ["message_id", *_DEAD, "reason", "detail", "died_at"],
        select(
            _m.id,
            *(_m[name] for name in _DEAD),
            bindparam("reason"),
            bindparam("detail"),
            bindparam("died_at"),
        ).where(*_IS_HELD),
    )
)
_note = Hot(lambda _: update(queue_messages).where(*_IS_HELD).values(progress=bindparam("noted")))
_next_of_key = Hot(
    lambda _: text("SELECT id, due_at FROM queue_messages WHERE queue = :queue AND key = :key ORDER BY id LIMIT 1")
)
_cancel = Hot(lambda _: delete(queue_messages).where(_m.id == bindparam("cancelled_id")).returning(_m.queue, _m.key))


class Held(NamedTuple):
    """A message that somebody claimed, and with which token. Its names are those of the statements above."""

    held_id: int
    held_token: int


def claim(
    tx: Connection, queue: str, *, token: int, now: int, until: int, count: int, ids: Sequence[int] | None = None
) -> list[Claimed]:
    """Lease at most `count` messages until `until`: of `ids`, or of all that are due; the urgent and old ones first.

    A message counts as begun from here on. What cannot be claimed is left out: not due yet, gone, behind another of its
    key, or in the hands of somebody else.
    """
    parameters = {"queue": queue, "now": now}
    if ids is None:
        rows = _swept.run(tx, parameters | {"count": count}).fetchall()
    else:
        rows = _picked.run(tx, parameters | {"ids": _to_list(tx, ids[:count])}).fetchall()
    if not rows:
        return []
    claimed = [Claimed._make(row) for row in rows]
    _lease.run(tx, {"token": token, "until": until, "ids": _to_list(tx, [one.id for one in claimed])})
    claimed.sort(key=_URGENCY)
    return claimed


def look(tx: Connection, queue: str, now: int) -> tuple[bool, int | None]:
    """Whether anything is due (if only behind another of its key), and when the next one will be."""
    row: Any = _looked.run(tx, {"queue": queue, "now": now}).fetchone()
    levels = len(PRIORITIES)
    coming = [at for at in row[levels:] if at is not None]
    return any(at is not None for at in row[:levels]), min(coming, default=None)


def complete(tx: Connection, held: Held) -> bool:
    """Delete a message that was handled; False when the lease is lost."""
    return _complete.run(tx, held._asdict()).rowcount == 1


def complete_many(tx: Connection, held: Iterable[Held]) -> int:
    """Delete messages that were handled; how many of them were still held."""
    by_token: dict[int, list[int]] = {}
    for message_id, token in held:
        by_token.setdefault(token, []).append(message_id)
    return sum(
        _complete_many.run(tx, {"held_token": token, "ids": _to_list(tx, ids)}).rowcount
        for token, ids in by_token.items()
    )


def tell_next_of_key(tx: Connection, queue: str, key: str) -> None:
    """After a message of the key left the queue: wake whoever may handle the one behind it."""
    row: Any = _next_of_key.run(tx, {"queue": queue, "key": key}).fetchone()
    if row is not None:
        tell(queue, [row[0]], row[1], is_new=False)


def renew(tx: Connection, held: Sequence[Held], until: int) -> list[Held]:
    """Push the end of the leases to `until`; those that are lost."""
    if _renew.run_many(tx, [one._asdict() | {"until": until} for one in held]) == len(held):
        return []
    rows = tx.execute(select(_m.id, _m.token).where(_m.id.in_([one.held_id for one in held])))
    kept: set[tuple[int, int]] = {(row[0], row[1]) for row in rows}
    return [one for one in held if one not in kept]


def retry(tx: Connection, held: Held, due: int) -> bool:
    """Give a message back for another attempt at `due`; False when the lease is lost."""
    return _retry.run(tx, held._asdict() | {"due": due}).rowcount == 1


def give_back(tx: Connection, held: Held, due: int) -> bool:
    """Give a message back as if it had not been begun; False when the lease is lost."""
    return _give_back.run(tx, held._asdict() | {"due": due}).rowcount == 1


def bury(tx: Connection, held: Held, *, reason: str, detail: str, died_at: int) -> bool:
    """Move a message to the dead letters; False when the lease is lost."""
    parameters = {"reason": reason, "detail": detail, "died_at": died_at}
    return _bury.run(tx, held._asdict() | parameters).rowcount == 1 and complete(tx, held)


def cancel(tx: Connection, message_id: int) -> tuple[str, str | None] | None:
    """Delete a message whoever holds it; its queue and key, None when it is not there any more."""
    row: Any = _cancel.run(tx, {"cancelled_id": message_id}).fetchone()
    return None if row is None else (row[0], row[1])


def note_progress(tx: Connection, noted: Iterable[tuple[Held, str]]) -> None:
    """Store what running messages report, as JSON text."""
    parameters = [held._asdict() | {"noted": progress} for held, progress in noted]
    if parameters:
        _note.run_many(tx, parameters)


def progress(tx: Connection, message_id: int) -> dict[str, Any] | None:
    """What the message reported last; None when it reported nothing or is gone."""
    return tx.execute(select(_m.progress).where(_m.id == message_id)).scalar()


def _to_list(tx: Connection, ids: Sequence[int]) -> list[int] | str:
    return list(ids) if tx.dialect.name == "postgresql" else f"[{','.join(map(str, ids))}]"
