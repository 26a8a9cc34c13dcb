"""Publishing, subscribing, and what a delivery does."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

import structlog
from sqlalchemy import Connection

from daemon.core.clock import Clock
from daemon.core.errors import MarqueeError
from daemon.core.events import Event
from daemon.data import events as data
from daemon.data.columns import to_micros
from daemon.data.store import Store, Unit, after_commit
from daemon.kernel.metrics import Metrics
from daemon.kernel.trace import span
from daemon.services.events.coding import Catalog, Unreadable
from daemon.services.queue import Body, Message, Queue, QueueSpec, Reject

log = structlog.get_logger(__name__)

E = TypeVar("E", bound=Event)
Handler: TypeAlias = Callable[[E], Awaitable[Unit[Any] | None]]
"""Reads what it needs, then returns the effect as a unit of work; None for no effect on the database."""

EVENTS_QUEUE: Final = QueueSpec(data.QUEUE, concurrency=16)

_PUBLISHED, _HANDLED = "events", "events_handled"  # topics of `Store.on_commit`


@dataclass(slots=True)
class _Subscription:
    unhandle: Callable[[], None]
    handlers: dict[str, Handler[Any]] = field(default_factory=dict)  # by type of event


class NotSubscribed(MarqueeError):
    """No handler of this process for such an event of the subscription: its module is stopping, or just starting.

    So the delivery is tried again; what the subscription has given up for good is dropped by `Events.sync`.
    """

    def __init__(self, subscription: str, event_type: str) -> None:
        super().__init__(f"{subscription} has no handler for {event_type} here")


class _Handled(NamedTuple):
    """A delivery that was committed; without an effect when it was not the first."""

    subscription: str
    is_first: bool
    began_s: float  # monotonic
    published_at: datetime


class Events:
    """Events of all processes on one database.

    An event is one row, and one message on the queue `events` for each subscription that exists at that moment. A
    delivery marks the event as handled in the same unit that does the handler's effect and removes the message: whoever
    delivers it again finds the mark and does nothing.
    """

    def __init__(self, store: Store, queue: Queue, clock: Clock, catalog: Catalog, metrics: Metrics) -> None:
        self._store = store
        self._queue = queue
        self._clock = clock
        self._catalog = catalog
        self._metrics = metrics
        self._subscriptions: dict[str, _Subscription] = {}
        queue.declare(EVENTS_QUEUE)
        store.on_commit(_PUBLISHED, self._count_published)
        store.on_commit(_HANDLED, self._count_handled)

    def publish(self, tx: Connection, event: Event, *, source: str = "", trace_id: str = "") -> bool:
        """In a unit of work: publish, and be undone with it. False: this fact was published before.

        QueueFull when too many deliveries wait, EventTooBig and ValueError for what is no event of the catalog.
        """
        return self.publish_many(tx, (event,), source=source, trace_id=trace_id) == 1

    def publish_many(self, tx: Connection, events: Iterable[Event], *, source: str = "", trace_id: str = "") -> int:
        """As `publish`, for several in their order; how many of the facts were new."""
        published_at = to_micros(self._clock.now())
        new = 0
        for event in events:
            body = self._catalog.encode(event)
            row = data.NewEvent(
                event_id=event.event_id(),
                type=event.TYPE,
                version=event.VERSION,
                body=body,
                digest=hashlib.sha256(body).digest(),
                source=source,
                trace_id=trace_id,
                occurred_at=to_micros(event.occurred_at),
                published_at=published_at,
            )
            if (seq := data.add(tx, row)) is not None:
                new += 1
                self._queue.reserve(tx, data.QUEUE, len(data.deliver(tx, seq, row, event.ordering_key())))
                after_commit(_PUBLISHED, event.TYPE)
        return new

    def redeliver(self, tx: Connection, seq: int, subscription: str) -> bool:
        """In a unit of work: enqueue a delivery anew. False when the event is gone or its body is not as published."""
        found = data.published(tx, seq)
        if found is None or hashlib.sha256(found.body).digest() != found.digest:
            return False
        try:
            key = self._catalog.decode(found.body).ordering_key()
        except Unreadable:
            key = None  # of an event of a newer program; whoever delivers it says so
        self._queue.put(
            tx,
            data.QUEUE,
            subscription,
            Body(found.digest, len(found.body), found.body),
            key=None if key is None else f"{subscription}:{key}",
            source=f"event {seq}",
            trace_id=found.trace_id,
            event_seq=seq,
        )
        return True

    def latest(self, tx: Connection, classes: Collection[type[Event]]) -> tuple[int, Event] | None:
        """The newest event of these classes with its number. It may read the whole table; Unreadable."""
        found = data.latest(tx, [cls.TYPE for cls in classes])
        return None if found is None else (found[0], self._catalog.decode(found[1]))

    def subscribe(self, subscription: str, event_type: type[E], handler: Handler[E]) -> Callable[[], None]:
        """Have this process handle what is delivered to `subscription` ("ops.server_lost"); the result ends that.

        Deliveries begin with `sync`. They wait while no process handles them: ending this here loses none. ValueError
        when the subscription already has a handler for this type, or the catalog does not know it.
        """
        if event_type not in self._catalog:
            raise ValueError(f"{event_type.__name__} is not in the catalog of events")
        known = self._subscriptions.get(subscription)
        if known is None:
            unhandle = self._queue.handle(data.QUEUE, subscription, partial(self._deliver, subscription))
            known = self._subscriptions[subscription] = _Subscription(unhandle)
        elif event_type.TYPE in known.handlers:
            raise ValueError(f"{subscription} has a handler for {event_type.TYPE} already")
        known.handlers[event_type.TYPE] = handler
        return partial(self._unsubscribe, subscription, event_type.TYPE)

    async def sync(self, *, keep: Collection[str] = ()) -> None:
        """Tell the database who is subscribed; to be called once everything that subscribes has started.

        What is published from then on is delivered to the new ones. A subscription of nobody ends, and what waits for
        it is dropped, unless its owner, the part before the first dot, is in `keep`: a module that failed to start.
        Processes that share a database subscribe alike.
        """
        wanted = {(name, kind) for name, known in self._subscriptions.items() for kind in known.handlers}
        kept, now = frozenset(keep), self._clock.now()

        def unit(tx: Connection) -> tuple[set[tuple[str, str]], dict[tuple[str, str], int]]:
            existing = data.subscriptions(tx)
            if new := wanted - existing:
                data.subscribe(tx, new, now)
            gone = {pair for pair in existing - wanted if pair[0].partition(".")[0] not in kept}
            return new, {pair: data.unsubscribe(tx, *pair) for pair in sorted(gone)}

        new, gone = await self._store.write(unit)
        for subscription, event_type in sorted(new):
            log.info("subscription_added", subscription=subscription, event_type=event_type)
        for (subscription, event_type), dropped in gone.items():
            log.info("subscription_removed", subscription=subscription, event_type=event_type, dropped=dropped)

    def _unsubscribe(self, subscription: str, event_type: str) -> None:
        known = self._subscriptions.get(subscription)
        if known is not None and known.handlers.pop(event_type, None) is not None and not known.handlers:
            del self._subscriptions[subscription]
            known.unhandle()

    async def _deliver(self, subscription: str, message: Message) -> Unit[Any]:
        """Handle one delivery; the unit returned marks it and has the effect, unless it was marked before."""
        began_s = time.monotonic()
        with self._counting_failures(subscription, message.attempt):
            seq, event = self._read(message)
            handler = self._find_handler(subscription, event.TYPE)
            with span("event", subscription=subscription, type=event.TYPE):
                effect = await handler(event)
        digest, now = hashlib.sha256(message.body).digest(), self._clock.now()

        def unit(tx: Connection) -> None:
            is_first = data.mark(tx, seq, subscription, digest, message.attempt, now)
            if is_first and effect is not None:
                with self._counting_failures(subscription, message.attempt):
                    effect(tx)
            after_commit(_HANDLED, _Handled(subscription, is_first, began_s, message.enqueued_at))

        return unit

    def _find_handler(self, subscription: str, event_type: str) -> Handler[Any]:
        known = self._subscriptions.get(subscription)
        if known is None or event_type not in known.handlers:
            raise NotSubscribed(subscription, event_type)
        return known.handlers[event_type]

    @contextmanager
    def _counting_failures(self, subscription: str, attempt: int) -> Iterator[None]:
        """Count what is raised in the block as an attempt that failed, an interruption excepted."""
        outcome = "dead" if attempt >= EVENTS_QUEUE.attempts_max else "retried"
        try:
            yield
            outcome = ""
        except Reject:
            outcome = "dead"
            raise
        except asyncio.CancelledError:
            outcome = ""
            raise
        finally:
            if outcome:
                self._metrics.events_handled_total.labels(subscription, outcome).inc()

    def _read(self, message: Message) -> tuple[int, Event]:
        """The number of the event and the event."""
        if message.event_seq is None:
            raise Reject("the message names no event")
        try:
            return message.event_seq, self._catalog.decode(message.body)
        except Unreadable as error:
            raise Reject(str(error)) from error

    def _count_published(self, types: list[str]) -> None:
        for event_type, count in Counter(types).items():
            self._metrics.events_published_total.labels(event_type).inc(count)

    def _count_handled(self, handled: list[_Handled]) -> None:
        now, now_s = self._clock.now(), time.monotonic()
        outcomes = Counter((one.subscription, one.is_first) for one in handled)
        for (subscription, is_first), count in outcomes.items():
            outcome = "handled" if is_first else "duplicate"
            self._metrics.events_handled_total.labels(subscription, outcome).inc(count)
        seconds = {name: self._metrics.event_handle_seconds.labels(name) for name, _ in outcomes}
        for one in handled:
            seconds[one.subscription].observe(now_s - one.began_s)
            if one.is_first:
                self._metrics.event_delay_seconds.observe(max(0.0, (now - one.published_at).total_seconds()))
