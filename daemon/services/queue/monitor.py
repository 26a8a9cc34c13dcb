"""How much waits and for how long: gauges, the bound on length, the health check."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from daemon.core.clock import Clock
from daemon.core.errors import UpstreamError
from daemon.core.limits import QUEUE_DIED_LATELY_S, QUEUE_MONITOR_S, QUEUE_OLDEST_S
from daemon.data.columns import to_micros
from daemon.data.queue import messages
from daemon.data.store import Store
from daemon.kernel.health import Check, Status
from daemon.kernel.metrics import Metrics
from daemon.services.queue.inbox import Inbox
from daemon.services.queue.spec import Depth, QueueSpec

_LOG = structlog.get_logger(__name__)


class Monitor:
    """Counts now and then, and keeps the latest counts."""

    def __init__(self, store: Store, clock: Clock, inbox: Inbox, metrics: Metrics) -> None:
        self._store = store
        self._clock = clock
        self._inbox = inbox
        self._metrics = metrics
        self._depths: dict[str, Depth] = {}
        self._died: dict[str, int] = {}  # lately

    def declare(self, spec: QueueSpec) -> None:
        """Show a queue, even while it is empty."""
        self._metrics.queue_length_max.labels(spec.name).set(spec.length_max)
        self._metrics.dead_letters.labels(spec.name).set(0)
        self._show(spec.name, Depth())

    async def count(self) -> dict[str, Depth]:
        """What each queue that is not empty holds now."""
        now = self._clock.now()
        at = to_micros(now)
        rows = await self._store.read(lambda tx: messages.depths(tx, now))
        return {
            queue: Depth(ready, delayed, leased, 0.0 if oldest is None else (at - oldest) / 1_000_000)
            for queue, ready, delayed, leased, oldest in rows
        }

    async def run(self) -> None:
        """Look for ever. For the supervisor."""
        while True:
            try:
                await self.look()
            except UpstreamError as error:
                _LOG.warning("queue_count_failed", error=str(error))
            await asyncio.sleep(QUEUE_MONITOR_S)

    async def look(self) -> None:
        """Count once, and tell the gauges."""
        depths = await self.count()
        since = self._clock.now() - timedelta(seconds=QUEUE_DIED_LATELY_S)
        dead = await self._store.read(lambda tx: messages.dead_by_queue(tx, since))
        for queue in self._depths.keys() | depths.keys():
            depth = depths.get(queue, Depth())
            self._inbox.note_length(queue, depth.ready + depth.delayed + depth.leased)
            self._show(queue, depth)
        for queue in self._died.keys() | dead.keys():
            self._metrics.dead_letters.labels(queue).set(dead.get(queue, (0, 0))[0])
        self._depths = depths
        self._died = {queue: lately for queue, (_, lately) in dead.items()}

    def judge(self) -> Check:
        """WARN while a message waits for longer than `QUEUE_OLDEST_S`, or some died within `QUEUE_DIED_LATELY_S`."""
        slow = {queue: depth for queue, depth in self._depths.items() if depth.oldest_s > QUEUE_OLDEST_S}
        died = {queue: count for queue, count in self._died.items() if count}
        words = [
            f"{queue}: {depth.ready} messages wait, the oldest for {depth.oldest_s:.0f} s"
            for queue, depth in sorted(slow.items())
        ]
        words += [
            f"{queue}: {count} {'message' if count == 1 else 'messages'} died within the last hour"
            for queue, count in sorted(died.items())
        ]
        waiting = sum(depth.ready for depth in self._depths.values())
        return Check(Status.WARN if words else Status.PASS, "; ".join(words), waiting, "messages")

    def _show(self, queue: str, depth: Depth) -> None:
        for state, count in (("ready", depth.ready), ("delayed", depth.delayed), ("leased", depth.leased)):
            self._metrics.queue_depth.labels(queue, state).set(count)
        self._metrics.queue_oldest_seconds.labels(queue).set(depth.oldest_s)
