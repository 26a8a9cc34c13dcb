"""Dead letters: messages that were given up, until somebody replays or drops them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, insert, literal, select

from daemon.data.columns import to_micros
from daemon.data.queue import messages
from daemon.data.queue.tables import claim_bodies, dead_letters, queue_messages

_c = dead_letters.c
_AS_IT_WAS = ("queue", "priority", "key", "topic", "body", "size_bytes", "digest", "event_seq", "trace_id")


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter without its body. `attempts` were begun, `reason` is one word, `detail` the last error."""

    letter_id: int
    message_id: int
    queue: str
    topic: str
    key: str | None
    size_bytes: int
    event_seq: int | None
    source: str
    trace_id: str
    enqueued_at: datetime
    attempts: int
    reason: str
    detail: str
    died_at: datetime

    @property
    def headline(self) -> str:
        """The one line of `detail` that says most."""
        return headline(self.detail)


_COLUMNS = (
    _c.id, _c.message_id, _c.queue, _c.topic, _c.key, _c.size_bytes, _c.event_seq, _c.source, _c.trace_id,
    _c.enqueued_at, _c.attempts, _c.reason, _c.detail, _c.died_at,
)  # fmt: skip


def headline(detail: str) -> str:
    """The first line; of a traceback, whose beginning may be cut, the last."""
    lines = [line.strip() for line in detail.splitlines() if line.strip()]
    if not lines:
        return ""
    return lines[-1] if lines[0].startswith(("Traceback", "…")) else lines[0]


def page(tx: Connection, queue: str | None, *, offset: int, limit: int) -> list[Letter]:
    """Dead letters of one queue or of all, newest first."""
    newest = _of(queue, select(*_COLUMNS)).order_by(_c.id.desc()).offset(offset).limit(limit)
    return [_to_letter(row) for row in tx.execute(newest)]


def count(tx: Connection, queue: str | None) -> int:
    """How many there are."""
    counted: int = tx.execute(_of(queue, select(func.count()).select_from(dead_letters))).scalar_one()
    return counted


def get(tx: Connection, letter_id: int) -> Letter | None:
    """One dead letter; None when there is none of that number."""
    row = tx.execute(select(*_COLUMNS).where(_c.id == letter_id)).one_or_none()
    return None if row is None else _to_letter(row)


def head(tx: Connection, letter_id: int, size_bytes_max: int) -> bytes | None:
    """The beginning of the body; None when it does not lie in this database."""
    claimed = select(func.substr(claim_bodies.c.body, 1, size_bytes_max)).where(claim_bodies.c.digest == _c.digest)
    begin = func.coalesce(func.substr(_c.body, 1, size_bytes_max), claimed.scalar_subquery())
    row = tx.execute(select(begin, _c.size_bytes).where(_c.id == letter_id)).one_or_none()
    if row is None or (row[0] is None and row[1]):
        return None
    return bytes(row[0] or b"")  # SQLite takes nothing of nothing for NULL


def oldest_ids(tx: Connection, queue: str | None, *, up_to: int, limit: int) -> list[int]:
    """The first numbers, none beyond `up_to`, ascending."""
    found = _of(queue, select(_c.id)).where(_c.id <= up_to).order_by(_c.id).limit(limit)
    return list(tx.execute(found).scalars())


def newest_id(tx: Connection) -> int:
    """The highest number; 0 when there are no dead letters."""
    return tx.execute(select(func.max(_c.id))).scalar() or 0


def take(tx: Connection, letter_ids: Sequence[int]) -> list[Letter]:
    """Those that are still there, ascending, kept from everybody else until the unit ends."""
    mine = select(*_COLUMNS).where(_c.id.in_(letter_ids)).order_by(_c.id).with_for_update()
    return [_to_letter(row) for row in tx.execute(mine)]


def replay(tx: Connection, letters: Sequence[Letter], now: datetime) -> None:
    """Put taken letters back into their queues, due now, as new messages with no attempt begun."""
    due_at = to_micros(now)
    for queue, key in sorted({(letter.queue, letter.key) for letter in letters if letter.key is not None}):
        messages.lock_key(tx, queue, key)
    for letter in letters:
        (message_id,) = messages.next_ids(tx, 1)
        source = f"replay of {letter.letter_id}"
        given = {"message_id": message_id, "now": now, "source": source, "replayed_id": letter.letter_id}
        tx.execute(_REPLAY, given)
        messages.tell(letter.queue, [message_id], due_at, is_new=False)
    drop(tx, letters)


def drop(tx: Connection, letters: Sequence[Letter]) -> None:
    """Delete taken letters; what their bodies took in the claim store is collected later."""
    tx.execute(delete(dead_letters).where(_c.id.in_([letter.letter_id for letter in letters])))


_m = queue_messages.c
_NOW = bindparam("now", type_=_m.due_at.type)
_REPLAY = insert(queue_messages).from_select(
    ["id", *_AS_IT_WAS, "source", "due_at", "enqueued_at", "attempts", "token"],
    select(
        bindparam("message_id", type_=_m.id.type),
        *(_c[name] for name in _AS_IT_WAS),
        bindparam("source", type_=_m.source.type),
        _NOW,
        _NOW,
        literal(0),
        literal(0),
    ).where(_c.id == bindparam("replayed_id")),
)


def _of(queue: str | None, statement: Select[Any]) -> Select[Any]:
    return statement if queue is None else statement.where(_c.queue == queue)


def _to_letter(row: Row[*tuple[Any, ...]]) -> Letter:
    return Letter(*row)
