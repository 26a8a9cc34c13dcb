"""The watcher's rounds: look, say what was found, repair."""

from __future__ import annotations

from datetime import timedelta

import structlog
from sqlalchemy import Connection

from daemon.core.clock import Clock
from daemon.core.errors import UpstreamError
from daemon.core.events import Event, WatcherAlarmed, WatcherCleared
from daemon.core.limits import (
    WATCH_ATTEMPTS,
    WATCH_BODIES,
    WATCH_EVERY_S,
    WATCH_LISTED_MAX,
    WATCH_NAMED_MAX,
    WATCH_SETTLE_S,
    WATCH_STUCK_S,
)
from daemon.data import event_checks
from daemon.data.event_checks import Delivery
from daemon.data.store import Store
from daemon.kernel.health import Check, Health, Status
from daemon.kernel.metrics import Metrics
from daemon.kernel.trace import new_trace_id
from daemon.services.events import Events
from daemon.services.watcher.comparison import Comparison
from daemon.services.watcher.findings import Finding, Kind, count, describe

log = structlog.get_logger(__name__)

CHECK = "events"
"""The name of its health check."""


class Watcher:
    """Compares in the database what was published with what each subscription handled; trusts no dispatcher.

    What it finds missing it enqueues again (marks make sure that an effect happens once), unless `repairs` is False;
    the alarm stays until that has been handled. Every process may run one. Events younger than `settle_s` are left
    alone: on PostgreSQL a unit with a smaller number may still be committed.
    """

    def __init__(
        self,
        store: Store,
        events: Events,
        clock: Clock,
        health: Health,
        metrics: Metrics,
        *,
        every_s: float = WATCH_EVERY_S,
        settle_s: float = WATCH_SETTLE_S,
        stuck_s: float = WATCH_STUCK_S,
        repairs: bool = True,
    ) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._health = health
        self._metrics = metrics
        self._every_s = every_s
        self._settle = timedelta(seconds=settle_s)
        self._stuck = timedelta(seconds=stuck_s)
        self._repairs = repairs
        self._comparison = Comparison(store, events)
        self._read_until = 0  # bodies have been read up to this event; then from the beginning again
        self._cut: dict[int, Delivery] = {}
        self._told: frozenset[str] | None = None  # kinds that are in the watcher's newest event
        self._logged = ""

    async def run(self) -> None:
        """For ever, every `every_s` seconds of the clock. For the supervisor."""
        while True:
            try:
                await self.look()
            except UpstreamError as error:
                self._health.set(CHECK, Check(Status.WARN, f"could not be compared: {error}"))
            await self._clock.sleep(self._every_s)

    async def look(self) -> list[Finding]:
        """One round: everything that is wrong, as far as one bounded round sees. UpstreamError from the database."""
        now = self._clock.now()
        await self._comparison.run(now - self._settle)
        await self._read_bodies()
        stuck, unknown = await self._store.read(
            lambda tx: (
                event_checks.stuck(tx, now - self._stuck, WATCH_ATTEMPTS, WATCH_LISTED_MAX),
                event_checks.unknown(tx, WATCH_LISTED_MAX),
            )
        )
        findings = [
            *self._comparison.findings(),
            *(Finding(Kind.TRUNCATED, delivery) for delivery in self._cut.values()),
            *(Finding(Kind.STUCK, delivery) for delivery in stuck),
            *(Finding(Kind.UNKNOWN, delivery) for delivery in unknown),
        ]
        self._show(findings)
        if self._repairs and (repaired := await self._comparison.repair()):
            log.warning("deliveries_repaired", count=repaired)
        await self._announce(findings)
        return findings

    async def _read_bodies(self) -> None:
        """Read the next stored bodies, at the end beginning anew: a disk, too, can lose what it was given."""
        after = self._read_until
        last, bad = await self._store.read(lambda tx: event_checks.cut(tx, after, WATCH_BODIES))
        end = float("inf") if last is None else last
        kept = {seq: delivery for seq, delivery in self._cut.items() if not after < seq <= end}
        self._cut = kept | {delivery.seq: delivery for delivery in bad}
        self._read_until = last or 0

    def _show(self, findings: list[Finding]) -> None:
        counts = count(findings)
        for kind in Kind:
            self._metrics.watcher_findings.labels(kind.value).set(counts.get(kind.value, 0))
        self._metrics.watcher_runs_total.inc()
        text = describe(findings, WATCH_NAMED_MAX)
        if text:
            self._health.set(CHECK, Check(Status.WARN, text))
        else:
            self._health.set(CHECK, Check(Status.PASS, "what was published was handled, waits or is a dead letter"))
        if text != self._logged:
            self._logged = text
            (log.warning if text else log.info)("watcher_found", findings=text or None)

    async def _announce(self, findings: list[Finding]) -> None:
        """Publish that an alarm began, grew by a kind, or is over, unless some process has said so."""
        counts = count([finding for finding in findings if not finding.is_own])
        kinds = frozenset(counts)
        if kinds == self._told:
            return
        last = await self._store.read(lambda tx: self._events.latest(tx, (WatcherAlarmed, WatcherCleared)))
        after, previous = last or (0, None)
        told = previous.findings.keys() if isinstance(previous, WatcherAlarmed) else frozenset()
        now, trace_id = self._clock.now(), new_trace_id()
        event: Event
        if kinds - told:
            event = WatcherAlarmed(findings=counts, after=after, occurred_at=now)
        elif told and not kinds:
            event = WatcherCleared(after=after, occurred_at=now)
        else:
            self._told = kinds
            return

        def unit(tx: Connection) -> None:
            self._events.publish(tx, event, source="watcher", trace_id=trace_id)

        await self._store.write(unit)
        self._told = kinds
