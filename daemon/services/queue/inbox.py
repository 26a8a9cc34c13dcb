"""Putting messages in, inside units of work: bodies, dedupe keys, the bound on length."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence

from sqlalchemy import Connection

from daemon.core.clock import Clock
from daemon.core.limits import CLAIM_BYTES_MIN
from daemon.data.columns import to_micros
from daemon.data.queue import messages
from daemon.data.queue.messages import NewRow
from daemon.kernel.metrics import Metrics
from daemon.services.queue.spec import Body, Entry, QueueFull, QueueSpec


class _Bound:
    """How many more messages fit in for certain; counted again when that number is used up.

    Between two counts nothing is added to it, so it may be too small, never too large for what this process put.
    """

    def __init__(self, spec: QueueSpec, metrics: Metrics) -> None:
        self.spec = spec
        self.refused = metrics.queue_messages_total.labels(spec.name, "refused")
        self._room = 0
        self._lock = threading.Lock()  # units run in several threads on PostgreSQL

    def take(self, tx: Connection, wanted: int) -> bool:
        """Whether `wanted` more fit in."""
        with self._lock:
            if self._room >= wanted:
                self._room -= wanted
                return True
        room = self.spec.length_max - messages.count(tx, self.spec.name)
        with self._lock:
            self._room = max(0, room - wanted)
        return room >= wanted

    def note_length(self, length: int) -> None:
        """Somebody counted: other processes put messages in as well."""
        with self._lock:
            self._room = max(0, min(self._room, self.spec.length_max - length))


class Inbox:
    """The queues that can be put into. All methods but `declare` and `note_length` run in the store's threads."""

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self._bounds: dict[str, _Bound] = {}

    def declare(self, spec: QueueSpec) -> None:
        """Make a queue known, or give it other bounds."""
        self._bounds[spec.name] = _Bound(spec, self._metrics)

    def note_length(self, queue: str, length: int) -> None:
        """How many messages the queue held a moment ago."""
        if queue in self._bounds:
            self._bounds[queue].note_length(length)

    def reserve(self, tx: Connection, queue: str, count: int) -> None:
        """QueueFull unless `count` more messages fit in. LookupError for a queue that was not declared."""
        bound = self._bounds.get(queue)
        if bound is None:
            raise LookupError(f"there is no queue {queue}")
        if not bound.take(tx, count):
            bound.refused.inc(count)
            raise QueueFull(queue, bound.spec.length_max)

    def put(self, tx: Connection, queue: str, entries: Sequence[Entry]) -> list[int | None]:
        """Insert the messages; their ids in order, None where the dedupe key was used before."""
        if not entries:
            return []
        self.reserve(tx, queue, len(entries))
        for key in sorted({entry.key for entry in entries if entry.key is not None}):  # one order: no deadlocks
            messages.lock_key(tx, queue, key)
        now = to_micros(self._clock.now())
        ids: list[int | None] = []
        rows: list[NewRow] = []
        for message_id, entry in zip(messages.next_ids(tx, len(entries)), entries, strict=True):
            if entry.dedupe is not None and not messages.remember(tx, queue, entry.dedupe, message_id, now):
                ids.append(None)
                continue
            ids.append(message_id)
            rows.append(_row(message_id, queue, entry, now))
        if rows:
            messages.insert_rows(tx, rows)
            _tell(queue, rows)
        return ids


def _row(message_id: int, queue: str, entry: Entry, now: int) -> NewRow:
    body = entry.body
    if isinstance(body, Body):
        digest, size_bytes, inline = body.digest, body.size_bytes, body.inline
    elif len(body) <= CLAIM_BYTES_MIN:
        digest, size_bytes, inline = hashlib.sha256(body).digest(), len(body), body
    else:
        raise ValueError(f"a body of {len(body)} bytes has to be staged first")
    return NewRow._make(
        (
            message_id,
            queue,
            int(entry.priority),
            now if entry.due_at is None else to_micros(entry.due_at),
            entry.key,
            entry.topic,
            inline,
            size_bytes,
            digest,
            entry.dedupe,
            entry.event_seq,
            entry.source,
            entry.trace_id,
            now,
            0,
            0,
        )
    )


def _tell(queue: str, rows: Sequence[NewRow]) -> None:
    by_due: dict[int, list[int]] = {}
    for row in rows:
        by_due.setdefault(row.due_at, []).append(row.id)
    for due_at, ids in by_due.items():
        messages.tell(queue, ids, due_at, is_new=True)
