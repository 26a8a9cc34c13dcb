"""Retention: what was settled long ago is deleted, in small units of work, and the table of events is bounded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Connection

from daemon.core.clock import Clock
from daemon.core.limits import LEAVING_ROUNDS_DAYS, RETENTION_BATCH, RETENTION_BATCHES_MAX
from daemon.data import interactions, link_requests, links, retention
from daemon.data.leaving import rounds
from daemon.data.plays import delete_expired_plays
from daemon.data.store import Store
from daemon.kernel.health import Check, Health, Status
from daemon.kernel.metrics import Metrics
from daemon.services.queue import ClaimStore

log = structlog.get_logger(__name__)

CHECK: Final = "retention"
"""The name of its health check."""

_TABLES = ("events", "event_marks", "queue_messages", "queue_dedupe", "dead_letters", "notices", "schedule_runs")
_Batch = Callable[[Connection], int]


@dataclass(frozen=True, slots=True)
class Keep:
    """For how many days settled things are kept; `events_max` bounds the table of events, oldest first."""

    events_days: int = 30
    events_max: int = 1_000_000
    dedupe_days: int = 7
    dead_letters_days: int = 90
    notices_days: int = 30
    schedule_runs_days: int = 90


class Retention:
    """Deletes a bounded number of rows each run; what is left over goes in the next.

    Nothing unsettled is ever deleted: an event stays while a delivery of it waits or is missing, a dedupe key while its
    message waits. When that keeps the table of events above its bound, health warns.
    """

    def __init__(
        self, store: Store, claims: ClaimStore, clock: Clock, health: Health, metrics: Metrics, keep: Keep
    ) -> None:
        self._store = store
        self._claims = claims
        self._clock = clock
        self._health = health
        self._metrics = metrics
        self._keep = keep

    async def run_once(self) -> dict[str, int]:
        """Clean up once; how many rows of each table were deleted. UpstreamError from the database."""
        now, keep = self._clock.now(), self._keep
        letters_before = _days_before(now, keep.dead_letters_days)
        removed = {
            "events": await self._remove_events(now),
            "event_marks": await self._repeat(retention.delete_lone_marks),
            "queue_dedupe": await self._repeat(retention.delete_dedupe, _days_before(now, keep.dedupe_days)),
            "dead_letters": await self._repeat(retention.delete_dead_letters, letters_before),
            # One that was not posted may belong to a dead letter, which can be replayed.
            "notices": await self._repeat(
                retention.delete_notices, _days_before(now, keep.notices_days), letters_before
            ),
            "schedule_runs": await self._repeat(
                retention.delete_schedule_runs, _days_before(now, keep.schedule_runs_days)
            ),
            "interactions_seen": await self._repeat_until_empty(partial(interactions.forget_old, now=now)),
            "plays": await self._repeat_until_empty(partial(delete_expired_plays, now=now, rows=RETENTION_BATCH)),
            "plex_rests": await self._repeat_until_empty(partial(links.delete_over, now=now, rows=RETENTION_BATCH)),
            "link_requests": await self._repeat(link_requests.delete_ended, _days_before(now, 1)),
            "leaving_rounds": await self._repeat(
                partial(rounds.delete_old, at=now), _days_before(now, LEAVING_ROUNDS_DAYS)
            ),
            "claims": await self._claims.collect_garbage(),
        }
        await self._count_rows()
        if any(removed.values()):
            log.info("retention_ran", **{table: count for table, count in removed.items() if count})
        return removed

    async def _remove_events(self, now: datetime) -> int:
        before = _days_before(now, self._keep.events_days)
        end = await self._store.read(lambda tx: retention.events_end(tx, before, self._keep.events_max))
        after = removed = 0
        for _ in range(RETENTION_BATCHES_MAX):
            look = partial(retention.settled_events, after=after, end=end, rows=RETENTION_BATCH)
            after, settled = await self._store.read(look)
            if settled:
                removed += await self._store.write(partial(retention.delete_events, numbers=settled))
            if not after:
                break
        return removed

    async def _repeat(self, delete: Callable[..., int], *arguments: datetime) -> int:
        return await self._repeat_until_empty(lambda tx: delete(tx, *arguments, rows=RETENTION_BATCH))

    async def _repeat_until_empty(self, batch: _Batch) -> int:
        removed = 0
        for _ in range(RETENTION_BATCHES_MAX):
            deleted = await self._store.write(batch)
            removed += deleted
            if not deleted:
                break
        return removed

    async def _count_rows(self) -> None:
        rows = await self._store.read(lambda tx: {table: retention.count(tx, table) for table in _TABLES})
        for table, count in rows.items():
            self._metrics.table_rows.labels(table).set(count)
        held, bound = rows["events"], self._keep.events_max
        if held > bound:
            problem = (
                f"{held:,} events are kept, more than events_max = {bound:,}: the oldest have deliveries that are not "
                "settled, or there is more to delete than one run does"
            )
            self._health.set(CHECK, Check(Status.WARN, problem, held, "events"))
        else:
            self._health.set(CHECK, Check(Status.PASS, f"{held:,} of at most {bound:,} events", held, "events"))


def _days_before(now: datetime, days: int) -> datetime:
    return now - timedelta(days=days)
