"""Ends of attempts on their way into the database, many in one unit of work."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from daemon.core.errors import UpstreamError
from daemon.core.limits import DEAD_DETAIL_CHARS_MAX, QUEUE_FETCH_MAX, QUEUE_RETRY_S_MAX
from daemon.data.queue import leases, messages
from daemon.data.queue.leases import Held
from daemon.data.store import Store, after_commit
from daemon.kernel.metrics import Metrics
from daemon.kernel.retry import backoff
from daemon.services.queue.hand import Hand, Work
from daemon.services.queue.transport import Transport

_LOG = structlog.get_logger(__name__)

DEATHS = "dead_letters"
"""Topic of `Store.on_commit`: (queue, message id) of what was buried."""


@dataclass(slots=True, eq=False)
class End:
    """How an attempt ended: `write` says it in the database, False when the lease is lost. `outcome` is for metrics."""

    work: Work
    write: Callable[[Connection, Held], bool]
    outcome: str | None


class Settler:
    """Writes ends of attempts; what cannot be written now is tried again for as long as it takes."""

    def __init__(
        self, queue: str, store: Store, hand: Hand, transport: Transport, metrics: Metrics, rng: random.Random
    ) -> None:
        self._queue = queue
        self._store = store
        self._hand = hand
        self._transport = transport
        self._counters = {
            outcome: metrics.queue_messages_total.labels(queue, outcome)
            for outcome in ("done", "retried", "dead", "lost")
        }
        self._rng = rng
        self._done: list[Work] = []
        self._ends: list[End] = []
        self._wanted = asyncio.Event()
        self._writing = asyncio.Lock()

    def complete(self, work: Work) -> None:
        """The message was handled, and there was nothing to write for it."""
        self._done.append(work)
        self._wanted.set()

    def end(self, end: End) -> None:
        """The attempt ended in any other way."""
        self._ends.append(end)
        self._wanted.set()

    def forget(self, work: Work, outcome: str | None) -> None:
        """Nothing has to be written: it was, or the message is somebody else's or gone."""
        if self._hand.works.get(work.row.id) is work:
            del self._hand.works[work.row.id]
        self._count(outcome, 1)
        self._transport.settled(self._queue, (work.row.id,))

    async def run(self) -> None:
        """Write for ever. For the supervisor."""
        failures = 0
        while True:
            await self._wanted.wait()
            try:
                await self.flush()
                failures = 0
            except UpstreamError as error:
                if failures == 0:
                    _LOG.warning("queue_settle_failed", queue=self._queue, error=str(error))
                await asyncio.sleep(backoff(failures, first_s=0.2, max_s=QUEUE_RETRY_S_MAX, rng=self._rng))
                failures += 1

    async def flush(self) -> None:
        """Write what there is; UpstreamError, with nothing forgotten, when the store does not take it."""
        async with self._writing:
            while self._done or self._ends:
                done, ends = self._done[:QUEUE_FETCH_MAX], self._ends[:QUEUE_FETCH_MAX]
                try:
                    await self._write(done, ends)
                except DBAPIError:
                    # One of them cannot be written at all. Its lease will run out, and it is tried again.
                    _LOG.exception("queue_settle_refused", queue=self._queue)
                    await self._write_singly(done, ends)
                del self._done[: len(done)], self._ends[: len(ends)]
            self._wanted.clear()

    async def _write_singly(self, done: list[Work], ends: list[End]) -> None:
        for one_done, one_end in [([work], []) for work in done] + [([], [end]) for end in ends]:
            try:
                await self._write(one_done, one_end)
            except DBAPIError as error:
                _LOG.error("queue_settle_dropped", queue=self._queue, error=str(error))
                for work in one_done or [end.work for end in one_end]:
                    self.forget(work, "lost")

    async def _write(self, done: list[Work], ends: list[End]) -> None:
        still_done, is_held = await self._store.write(_Settle(self._queue, done, ends))
        self._count("done", still_done)
        self._count("lost", len(done) - still_done)
        for end, was_held in zip(ends, is_held, strict=True):
            self._count(end.outcome if was_held else "lost", 1)
        settled = [work.row.id for work in done] + [end.work.row.id for end in ends]
        works = self._hand.works
        for message_id in settled:
            works.pop(message_id, None)
        self._transport.settled(self._queue, settled)

    def _count(self, outcome: str | None, count: int) -> None:
        if outcome is not None and count:
            self._counters[outcome].inc(count)


@dataclass(frozen=True, slots=True)
class _Settle:
    """The unit of work: how many of `done` were held, and whether each of `ends` was."""

    queue: str
    done: list[Work]
    ends: list[End]

    def __call__(self, tx: Connection) -> tuple[int, list[bool]]:
        count = leases.complete_many(tx, [work.held for work in self.done]) if self.done else 0
        is_held = [end.write(tx, end.work.held) for end in self.ends]
        works = [*self.done, *(end.work for end in self.ends)]
        for key in {work.row.key for work in works if work.row.key is not None}:
            leases.tell_next_of_key(tx, self.queue, key)
        return count, is_held


def retry(tx: Connection, held: Held, *, queue: str, due: int) -> bool:
    """Have the message tried again at `due` (microseconds)."""
    messages.tell(queue, (held.held_id,), due, is_new=False)
    return leases.retry(tx, held, due)


def give_back(tx: Connection, held: Held, *, queue: str, due: int, note: str | None = None) -> bool:
    """Have the message taken up at `due` as if it had not been begun."""
    if note is not None:
        leases.note_progress(tx, [(held, note)])
    messages.tell(queue, (held.held_id,), due, is_new=False)
    return leases.give_back(tx, held, due)


def bury(tx: Connection, held: Held, *, queue: str, reason: str, detail: str, died_at: int) -> bool:
    """Move the message to the dead letters and say so."""
    # PostgreSQL stores neither NUL nor half a surrogate pair.
    storable = detail.replace("\0", "\ufffd").encode(errors="replace").decode()
    if len(storable) > DEAD_DETAIL_CHARS_MAX:  # of a traceback the end says what happened
        storable = f"… {storable[-DEAD_DETAIL_CHARS_MAX + 2 :]}"
    if not leases.bury(tx, held, reason=reason, detail=storable, died_at=died_at):
        return False
    after_commit(DEATHS, (queue, held.held_id))
    return True
