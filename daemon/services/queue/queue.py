"""The queue: durable work of any bytes, handled at least once, its effect on the database exactly once."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from prometheus_client import Counter
from sqlalchemy import Connection

from daemon.core.clock import Clock
from daemon.core.errors import UpstreamError
from daemon.core.limits import CLAIM_BYTES_MIN, DRAIN_S, QUEUE_POLL_S
from daemon.data.columns import to_micros
from daemon.data.queue import leases, messages
from daemon.data.queue.messages import Told
from daemon.data.store import Store
from daemon.kernel.health import Check, Status
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.kernel.trace import current_trace_id
from daemon.services.queue.claims import ClaimStore
from daemon.services.queue.inbox import Inbox
from daemon.services.queue.message import Handler
from daemon.services.queue.monitor import Monitor
from daemon.services.queue.runner import Runner
from daemon.services.queue.spec import Body, Depth, Entry, Priority, Progress, QueueSpec, check_size
from daemon.services.queue.transport import Transport

_HASH_HERE_MAX = 16 * 1024  # bytes; more is hashed in a thread


class Queue:
    """Puts messages into queues and handles those of the queues that are started here.

    `put` and `put_many` run inside a unit of work, in the store's threads; everything else on the event loop.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        claims: ClaimStore,
        transport: Transport,
        supervisor: Supervisor,
        metrics: Metrics,
        rng: random.Random,
        poll_s: float = QUEUE_POLL_S,
    ) -> None:
        self.claims = claims
        self._store = store
        self._clock = clock
        self._transport = transport
        self._supervisor = supervisor
        self._metrics = metrics
        self._rng = rng
        self._poll_s = poll_s
        self._inbox = Inbox(clock, metrics)
        self._monitor = Monitor(store, clock, self._inbox, metrics)
        self._specs: dict[str, QueueSpec] = {}
        self._handlers: dict[str, dict[str, Handler]] = {}
        self._enqueued: dict[str, Counter] = {}
        self._runners: dict[str, Runner] = {}
        self._is_started = False
        store.on_commit(messages.TOPIC, self._take_note)

    def declare(self, spec: QueueSpec) -> None:
        """Make a queue known: before `put`, `handle` and `start`. ValueError when it is known in another shape."""
        if self._specs.get(spec.name, spec) != spec:
            raise ValueError(f"the queue {spec.name} is declared already, and differently")
        if spec.name not in self._specs:
            self._specs[spec.name] = spec
            self._handlers[spec.name] = {}
            self._enqueued[spec.name] = self._metrics.queue_messages_total.labels(spec.name, "enqueued")
            self._inbox.declare(spec)
            self._monitor.declare(spec)

    def handle(self, queue: str, topic: str, handler: Handler) -> Callable[[], None]:
        """Have messages of a topic handled; "" stands for every topic that has no handler of its own.

        What is returned ends it: messages of the topic then wait for somebody else. ValueError when the topic is taken.
        """
        handlers = self._handlers[queue]
        if topic in handlers:
            raise ValueError(f"{topic or 'every topic'} of the queue {queue} has a handler already")
        handlers[topic] = handler

        def undo() -> None:
            if handlers.get(topic) is handler:
                del handlers[topic]

        return undo

    async def stage(self, data: bytes) -> Body:
        """Bytes made ready for `put`: large ones are in the claim store when this returns, for `CLAIM_KEPT_S` at least.

        ValueError above `QUEUE_BODY_BYTES_MAX`; OSError or UpstreamError when the claim store does not take them.
        """
        check_size(len(data))
        if len(data) <= _HASH_HERE_MAX:
            return Body.of(data)
        if len(data) <= CLAIM_BYTES_MIN:
            return await asyncio.to_thread(Body.of, data)
        digest = await asyncio.to_thread(lambda: hashlib.sha256(data).digest())
        await self.claims.put(digest, data)
        return Body(digest, len(data), None)

    def put(
        self,
        tx: Connection,
        queue: str,
        topic: str,
        body: bytes | Body = b"",
        *,
        key: str | None = None,
        dedupe: str | None = None,
        due_at: datetime | None = None,
        priority: Priority = Priority.NORMAL,
        source: str = "",
        trace_id: str = "",
        event_seq: int | None = None,
    ) -> int | None:
        """Put one message in, in the caller's unit of work; its id, or None when `dedupe` was used before.

        Messages of one `key` are handled one after the other, in the order in which they were put. `dedupe` is
        remembered beyond completion. Pass the trace id: it is not known in the store's threads. QueueFull when the
        queue is full, LookupError when it was not declared.
        """
        entry = Entry(topic, body, key, dedupe, due_at, priority, source, trace_id, event_seq)
        return self._inbox.put(tx, queue, (entry,))[0]

    def put_many(self, tx: Connection, queue: str, entries: Sequence[Entry]) -> list[int | None]:
        """`put` for many, much faster a message; all are refused when there is not room for all."""
        return self._inbox.put(tx, queue, entries)

    def reserve(self, tx: Connection, queue: str, count: int) -> None:
        """For who inserts rows by a statement of their own: QueueFull unless `count` more fit in."""
        self._inbox.reserve(tx, queue, count)

    async def send(self, queue: str, topic: str, data: bytes = b"", **put: Any) -> int | None:
        """Stage the data and put it in by a unit of work of its own; takes the arguments of `put`."""
        body = await self.stage(data)
        put.setdefault("trace_id", current_trace_id())
        return await self._store.write(lambda tx: self.put(tx, queue, topic, body, **put))

    async def cancel(self, message_id: int) -> bool:
        """Take a message out whatever its state; False when it is gone already.

        A handler that runs in this process is interrupted now, elsewhere when its lease is renewed; in either case its
        effect is not committed. A dedupe key stays used.
        """
        queue = await self._store.write(lambda tx: _cancel(tx, message_id))
        if queue is None:
            return False
        self._metrics.queue_messages_total.labels(queue, "cancelled").inc()
        if queue in self._runners:
            self._runners[queue].hand.drop(message_id, None)
        return True

    async def progress(self, message_id: int) -> Progress | None:
        """What a job reported last; None when it reported nothing, or is not in the queue any more."""
        found = await self._store.read(lambda tx: leases.progress(tx, message_id))
        return Progress(found["done"], found["total"], found["note"]) if found and "done" in found else None

    async def depths(self) -> dict[str, Depth]:
        """What each queue holds now, the empty ones that are declared included."""
        return {name: Depth() for name in self._specs} | await self._monitor.count()

    async def check(self) -> Check:
        """The health check `queue`: warns of messages that wait for long, and of dead letters of the last hour."""
        try:
            await self._monitor.look()
        except UpstreamError as error:
            return Check(Status.FAIL, str(error))
        return self._monitor.judge()

    async def start(self, queues: Collection[str] | None = None) -> None:
        """Handle the messages of these declared queues, by default of all; with none, only put messages in."""
        await self._transport.start()
        self._is_started = True
        self._supervisor.start("queue.monitor", self._monitor.run, owner="queue:monitor")
        for name in self._specs if queues is None else queues:
            self._runners[name] = Runner(
                self._specs[name],
                self._handlers[name],
                store=self._store,
                clock=self._clock,
                claims=self.claims,
                transport=self._transport,
                metrics=self._metrics,
                rng=self._rng,
                poll_s=self._poll_s,
            )
            self._runners[name].start(self._supervisor)

    async def stop(self, drain_s: float = DRAIN_S / 2) -> None:
        """Take no more messages, let handlers end for `drain_s`, give back what is left.

        When the store does not take it any more, the leases run out instead.
        """
        runners, self._runners = self._runners, {}
        results = await asyncio.gather(
            *(runner.stop(self._supervisor, drain_s) for runner in runners.values()), return_exceptions=True
        )
        await self._supervisor.cancel("queue:monitor")
        self._is_started = False
        await self._transport.close()
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, UpstreamError):
                raise result

    def _take_note(self, told: list[Told]) -> None:
        """Of what was committed: announce what is due, expect what will be."""
        now = to_micros(self._clock.now())
        due: dict[str, list[int]] = {}
        for queue, ids, due_at, is_new in told:
            if is_new and queue in self._enqueued:
                self._enqueued[queue].inc(len(ids))
            if not self._is_started:
                continue
            if due_at <= now:
                due.setdefault(queue, []).extend(ids)
            elif queue in self._runners:
                self._runners[queue].fetcher.expect(due_at)
            else:
                self._transport.announce_later(queue, ids, (due_at - now) / 1_000_000)
        for queue, ids in due.items():
            self._transport.announce(queue, ids)


def _cancel(tx: Connection, message_id: int) -> str | None:
    found = leases.cancel(tx, message_id)
    if found is None:
        return None
    queue, key = found
    if key is not None:
        leases.tell_next_of_key(tx, queue, key)
    return queue
