"""The wiring of what carries work between the parts: queue, events, notices, schedules, cache, and their watcher.

Nothing here starts. Redis is imported only where one is configured: it costs every other daemon memory.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.core.clock import Clock
from daemon.data.store import Store
from daemon.kernel.health import Health
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.cache import Cache
from daemon.services.cache.backend import Backend
from daemon.services.cache.memory import MemoryBackend
from daemon.services.events import CATALOG, Deaths, Events
from daemon.services.keys import Keys
from daemon.services.notify import Notify
from daemon.services.queue import ClaimStore, DatabaseClaims, DatabaseTransport, FileClaims, Queue, Transport
from daemon.services.rate_limits import RateLimits, Totals
from daemon.services.rate_limits.buckets import Rate
from daemon.services.rate_limits.memory import MemoryBuckets
from daemon.services.retention import Keep, Retention
from daemon.services.schedule import Missed, Schedule, Schedules
from daemon.services.schedule.runs import Job
from daemon.services.watcher import Watcher
from daemon.settings.model import Settings

if TYPE_CHECKING:
    from daemon.services.redis import Redis

_NAMESPACE_CHARS = 12


@dataclass(frozen=True, slots=True)
class Kernel:
    """What every part is built on. `process` names this process among those that share the work."""

    supervisor: Supervisor
    health: Health
    metrics: Metrics
    clock: Clock
    process: str


@dataclass(frozen=True, slots=True)
class Backbone:
    """Wired and not started."""

    redis: Redis | None
    cache: Cache
    rate_limits: RateLimits
    queue: Queue
    events: Events
    deaths: Deaths
    notify: Notify
    schedules: Schedules
    watcher: Watcher
    retention: Retention


async def compose_backbone(settings: Settings, kernel: Kernel, store: Store, keys: Keys) -> Backbone:
    """Build it on an open store."""
    clock, metrics, supervisor = kernel.clock, kernel.metrics, kernel.supervisor
    rng = random.Random()
    redis = await _connect(settings, kernel, keys)
    claims = claim_store(settings, store, clock)
    queue = Queue(
        store,
        clock,
        claims=claims,
        transport=_transport(redis, kernel, rng),
        supervisor=supervisor,
        metrics=metrics,
        rng=rng,
    )
    events = Events(store, queue, clock, CATALOG, metrics)
    return Backbone(
        redis=redis,
        cache=Cache(_cached_in(redis), supervisor=supervisor, metrics=metrics, rng=rng),
        rate_limits=_rate_limits(settings, redis, metrics),
        queue=queue,
        events=events,
        deaths=Deaths(store, events, clock),
        notify=Notify(store, queue, clock, metrics),
        schedules=Schedules(store, clock, queue, supervisor=supervisor, metrics=metrics),
        watcher=Watcher(store, events, clock, kernel.health, metrics),
        retention=Retention(store, claims, clock, kernel.health, metrics, Keep(**settings.retention.model_dump())),
    )


def claim_store(settings: Settings, store: Store, clock: Clock) -> ClaimStore:
    """Where large bodies lie: files beside an SQLite database, else the database, which all hosts reach."""
    where = settings.queue.claims
    if where == "database" or (where == "auto" and store.dialect == "postgresql"):
        return DatabaseClaims(store, clock)
    return FileClaims(settings.data_dir / "claims", store, clock)


async def add_chores(backbone: Backbone) -> None:
    """What the daemon does for itself, at its hours."""
    await backbone.schedules.add(Schedule("retention", cron="17 * * * *", missed=Missed.ONCE), _clean_up(backbone))


def _clean_up(backbone: Backbone) -> Job:
    async def run() -> None:
        await backbone.retention.run_once()

    return run


async def _connect(settings: Settings, kernel: Kernel, keys: Keys) -> Redis | None:
    if settings.redis.url is None:
        return None
    from daemon.services.redis import Redis

    # Installations that share a Redis must not meet in it: the identifier is one an installation.
    identifier = await keys.plex_client_identifier()
    return Redis(
        settings.redis.url.get_secret_value(),
        namespace=hashlib.sha256(identifier.encode()).hexdigest()[:_NAMESPACE_CHARS],
        process=kernel.process,
        supervisor=kernel.supervisor,
        health=kernel.health,
        metrics=kernel.metrics,
    )


def _transport(redis: Redis | None, kernel: Kernel, rng: random.Random) -> Transport:
    if redis is None:
        return DatabaseTransport()
    raise NotImplementedError


def _cached_in(redis: Redis | None) -> Backend:
    memory = MemoryBackend()
    if redis is None:
        return memory
    from daemon.services.cache.shared import SharedBackend

    return SharedBackend(redis, memory)


def _rate_limits(settings: Settings, redis: Redis | None, metrics: Metrics) -> RateLimits:
    limits, memory, shared = settings.limits, MemoryBuckets(), None
    if redis is not None:
        from daemon.services.rate_limits.shared import SharedBuckets

        shared = SharedBuckets(redis, memory)
    totals = Totals(Rate(limits.member_burst, limits.member_per_s), Rate(limits.guild_burst, limits.guild_per_s))
    return RateLimits(memory, shared, totals=totals, metrics=metrics)
