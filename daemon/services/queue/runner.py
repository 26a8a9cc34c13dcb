"""The runner of one queue: slots that handle messages. A named border: a handler that raises stops nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection
from structlog.contextvars import bind_contextvars

from daemon.core.clock import Clock
from daemon.core.errors import MarqueeError
from daemon.core.limits import (
    UNKNOWN_TOPIC_RETRY_S,
    UNKNOWN_TOPIC_S,
)
from daemon.data.columns import to_json, to_micros
from daemon.data.queue import leases
from daemon.data.queue.leases import Claimed
from daemon.data.store import Store, Unit
from daemon.kernel.metrics import Metrics
from daemon.kernel.retry import backoff
from daemon.kernel.tasks import Supervisor
from daemon.kernel.trace import span, traced
from daemon.services.queue.claims import ClaimStore, check_body
from daemon.services.queue.hand import Hand, Work
from daemon.services.queue.message import Handler, Message
from daemon.services.queue.settler import End, Settler, bury, give_back, retry
from daemon.services.queue.spec import LeaseLost, QueueSpec, Reason, Reject
from daemon.services.queue.transport import Transport
from daemon.services.queue.upkeep import SECOND, Fetcher, Renewer, Reports

_LOG = structlog.get_logger(__name__)

_HASH_HERE_MAX = 16 * 1024  # bytes; larger bodies are checked in a thread
_BREATHE_S = 0.005
_UNKNOWN_SINCE = "unknown_since"  # microseconds, kept in the column of progress: nobody made any


class Runner:
    """Handles the messages of one queue in this process."""

    def __init__(
        self,
        spec: QueueSpec,
        handlers: Mapping[str, Handler],
        *,
        store: Store,
        clock: Clock,
        claims: ClaimStore,
        transport: Transport,
        metrics: Metrics,
        rng: random.Random,
        poll_s: float,
    ) -> None:
        self.spec = spec
        self.hand = Hand(spec.concurrency)
        self.settler = Settler(spec.name, store, self.hand, transport, metrics, rng)
        self.fetcher = Fetcher(spec, store, clock, self.hand, transport, rng, poll_s)
        self.renewer = Renewer(spec, store, clock, self.hand)
        self._reports = Reports(store)
        self._handlers = handlers
        self._store = store
        self._clock = clock
        self._claims = claims
        self._rng = rng
        self._seconds = metrics.queue_handle_seconds.labels(spec.name)
        self._owner = f"queue:{spec.name}"
        self._turns = _Turns()

    def start(self, supervisor: Supervisor) -> None:
        """Start the tasks."""
        name = self.spec.name
        supervisor.start(f"queue.{name}.settle", self.settler.run, owner=f"{self._owner}:upkeep")
        supervisor.start(f"queue.{name}.renew", self.renewer.run, owner=f"{self._owner}:upkeep")
        supervisor.start(f"queue.{name}.progress", self._reports.run, owner=f"{self._owner}:upkeep")
        for number in range(self.spec.concurrency):
            supervisor.start(f"queue.{name}.slot-{number}", self._run_slot, owner=f"{self._owner}:slots")
        supervisor.start(f"queue.{name}.fetch", self.fetcher.run, owner=f"{self._owner}:fetch")

    async def stop(self, supervisor: Supervisor, drain_s: float) -> None:
        """Fetch nothing more, let handlers finish for `drain_s`, give the rest back; UpstreamError when that fails."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(drain_s):
                await self.fetcher.hold()
        await supervisor.cancel(f"{self._owner}:fetch")
        for work in self.hand.take_back():
            self._give_back(work)
        await self.hand.wait_until_idle(drain_s)
        await supervisor.cancel(f"{self._owner}:slots")
        try:
            await self.settler.flush()
        finally:
            await supervisor.cancel(f"{self._owner}:upkeep")

    async def _run_slot(self) -> None:
        bind_contextvars(queue=self.spec.name)
        slot = _Slot(self.spec.timeout_s)
        while True:
            if (ended := self._turns.ends(time.perf_counter())) is not None:
                await ended.wait()
            work = self.hand.pop() or await self.hand.take()
            began_s = time.perf_counter()
            await self._attempt(slot, work)
            duration_s = time.perf_counter() - began_s
            self._seconds.observe(duration_s)
            self.hand.note_duration(duration_s)

    async def _attempt(self, slot: _Slot, work: Work) -> None:
        row = work.row
        handler = self._handlers.get(row.topic) or self._handlers.get("")
        if handler is None:
            self._put_off(work)
            return
        if row.attempts > self.spec.attempts_max:
            self._bury(work, Reason.CRASHED, f"{self.spec.attempts_max} attempts were begun, and none came to an end")
            return
        # Not reset afterwards: the slot's next message binds its own.
        bind_contextvars(message_id=row.id, attempt=row.attempts)
        with traced(row.trace_id), span("queue.message", queue=self.spec.name, topic=row.topic):
            await self._run(slot, work, handler)

    async def _run(self, slot: _Slot, work: Work, handler: Handler) -> None:
        slot.begin(work)
        try:
            await self._handle(work, handler)
        except LeaseLost:
            self.settler.forget(work, "lost")
        except Reject as rejected:
            self._bury(work, rejected.reason, rejected.detail)
        except asyncio.CancelledError:
            self._end_cancelled(slot, work)
        except Exception as error:  # noqa: BLE001  a named border: whatever a handler raises is its message's trouble
            self._fail(work, Reason.FAILED, error)
        finally:
            slot.end()
            self._reports.forget(work)

    async def _handle(self, work: Work, handler: Handler) -> None:
        row = work.row
        if row.body is None:
            body = await self._claims.get(row.digest, row.size_bytes)
        elif row.size_bytes <= _HASH_HERE_MAX:
            body = check_body(row.body, row.digest, row.size_bytes)
        else:
            body = await asyncio.to_thread(check_body, row.body, row.digest, row.size_bytes)
        effect = await handler(Message(self.spec.name, work, body, self._reports))
        if effect is None:
            self.settler.complete(work)
            return
        work.runs = None  # from here on the database says whether the message is still ours
        await self._store.write(_Finish(self.spec.name, work, effect))
        self.settler.forget(work, "done")

    def _end_cancelled(self, slot: _Slot, work: Work) -> None:
        """The attempt was interrupted by us, or the whole slot ends, or the handler cancelled itself."""
        why = slot.why
        if slot.is_ending():
            self._give_back(work)
            raise asyncio.CancelledError
        if why is _Why.TOO_LONG:
            self._fail(work, Reason.TIMED_OUT, TimeoutError(f"no end after {self.spec.timeout_s:g} s"))
        elif why is _Why.DROPPED:
            self.settler.forget(work, slot.outcome)
        else:
            self._fail(work, Reason.FAILED, asyncio.CancelledError("the handler cancelled itself"))

    def _fail(self, work: Work, reason: Reason, error: BaseException) -> None:
        attempts = work.row.attempts
        is_last = attempts >= self.spec.attempts_max
        # An error of ours says what happened in its text; a traceback is for what nobody foresaw.
        exc_info = None if isinstance(error, MarqueeError | TimeoutError) else error
        _LOG.warning("message_failed", topic=work.row.topic, error=repr(error), is_last=is_last, exc_info=exc_info)
        if is_last:
            self._bury(work, reason, _describe(error))
            return
        wait_s = backoff(attempts - 1, first_s=self.spec.retry_first_s, max_s=self.spec.retry_max_s, rng=self._rng)
        due = self._now() + int(wait_s * SECOND)
        self.settler.end(End(work, partial(retry, queue=self.spec.name, due=due), "retried"))

    def _bury(self, work: Work, reason: Reason, detail: str) -> None:
        row = work.row
        _LOG.error(
            "message_died", queue=self.spec.name, message_id=row.id, topic=row.topic, reason=reason, detail=detail
        )
        write = partial(bury, queue=self.spec.name, reason=reason, detail=detail, died_at=self._now())
        self.settler.end(End(work, write, "dead"))

    def _give_back(self, work: Work) -> None:
        self.settler.end(End(work, partial(give_back, queue=self.spec.name, due=self._now()), None))

    def _put_off(self, work: Work) -> None:
        """Nobody here handles its topic: another process may, or a module that is being reloaded."""
        now = self._now()
        since = _unknown_since(work.row) or now
        if now - since > UNKNOWN_TOPIC_S * SECOND:
            self._bury(work, Reason.UNKNOWN_TOPIC, f"nobody handles {work.row.topic}")
            return
        due = now + int(UNKNOWN_TOPIC_RETRY_S * SECOND)
        note = to_json({_UNKNOWN_SINCE: since})
        self.settler.end(End(work, partial(give_back, queue=self.spec.name, due=due, note=note), None))

    def _now(self) -> int:
        return to_micros(self._clock.now())


class _Turns:
    """How long slots whose handlers never wait may keep the event loop from everybody else: all of them together."""

    def __init__(self) -> None:
        self._ended: asyncio.Event | None = None  # set when the loop's present turn is over
        self._began_s = 0.0

    def ends(self, now_s: float) -> asyncio.Event | None:
        """What to wait for when too much of the loop's present turn is used up: its end."""
        if self._ended is None:
            self._ended, self._began_s = asyncio.Event(), now_s
            asyncio.get_running_loop().call_soon(self._end, self._ended)
        elif now_s - self._began_s > _BREATHE_S:
            return self._ended
        return None

    def _end(self, ended: asyncio.Event) -> None:
        self._ended = None
        ended.set()


class _Why(Enum):
    """Why an attempt is interrupted."""

    TOO_LONG = auto()
    DROPPED = auto()  # the message is not ours any more


class _Slot:
    """Runs one attempt after the other; interrupts the one that takes too long."""

    def __init__(self, timeout_s: float) -> None:
        self.why: _Why | None = None
        self.outcome: str | None = None
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._work: Work | None = None
        self._deadline_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, work: Work) -> None:
        self._work, work.runs = work, self
        self._deadline_s = self._loop.time() + self._timeout_s
        if self._timer is None:  # one timer serves many attempts: most end long before it
            self._timer = self._loop.call_at(self._deadline_s, self._check_time)

    def end(self) -> None:
        if self._work is not None:
            self._work.runs = None
            self._work = None
        self.is_ending()

    def is_ending(self) -> bool:
        """Whether the slot's task itself is to end; our own interruption is taken back."""
        assert self._task is not None
        if self.why is not None:
            self.why = None
            return self._task.uncancel() > 0
        return self._task.cancelling() > 0

    def interrupt(self, outcome: str | None) -> None:
        self._interrupt(_Why.DROPPED, outcome)

    def _interrupt(self, why: _Why, outcome: str | None = None) -> None:
        assert self._task is not None
        if self.why is None:
            self.why, self.outcome = why, outcome
            self._task.cancel()

    def _check_time(self) -> None:
        self._timer = None
        if self._work is None:
            return
        if self._loop.time() >= self._deadline_s:
            self._interrupt(_Why.TOO_LONG)
        else:
            self._timer = self._loop.call_at(self._deadline_s, self._check_time)


@dataclass(frozen=True, slots=True)
class _Finish:
    """The unit of work of an effect: it and the completion happen together, or neither."""

    queue: str
    work: Work
    effect: Unit[Any]

    def __call__(self, tx: Connection) -> None:
        if not leases.complete(tx, self.work.held):
            raise LeaseLost(f"message {self.work.row.id}")
        self.effect(tx)
        if self.work.row.key is not None:
            leases.tell_next_of_key(tx, self.queue, self.work.row.key)


def _unknown_since(row: Claimed) -> int | None:
    return None if row.progress is None else json.loads(row.progress).get(_UNKNOWN_SINCE)


def _describe(error: BaseException) -> str:
    if isinstance(error, MarqueeError | TimeoutError):
        return f"{type(error).__name__}: {error}"
    return "".join(traceback.format_exception(error))
