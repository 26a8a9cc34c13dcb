"""The wiring of what carries work between the parts: queue, events, notices, schedules, cache, and their watcher.

Nothing here starts. Redis is imported only where one is configured: it costs every other daemon memory.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.core.clock import Clock
from daemon.core.errors import ConfigError
from daemon.core.limits import CACHE_AWAY_BYTES_MAX
from daemon.data.store import Store
from daemon.kernel.health import Health
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.backup import Backups, Place
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
from daemon.services.schedule import Schedule, Schedules
from daemon.services.schedule.runs import Job
from daemon.services.schedule.timetable import Times
from daemon.services.watcher import Watcher
from daemon.settings.model import Settings

if TYPE_CHECKING:
    from daemon.services.redis import Redis

_NAMESPACE_CHARS = 12
_ENTRY_IDLE_S = 30.0  # as long as a lease: what lay with a process for so long is taken over by another


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
    backups: Backups | None  # None where they are switched off


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
        transport=_transport(redis, kernel),
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
        backups=_backups(settings, kernel, store, events),
    )


def claim_store(settings: Settings, store: Store, clock: Clock) -> ClaimStore:
    """Where large bodies lie: files beside an SQLite database, else the database, which all hosts reach."""
    if settings.claims_in_database:
        return DatabaseClaims(store, clock)
    return FileClaims(settings.claims_folder, store, clock)


async def add_chores(backbone: Backbone, settings: Settings) -> None:
    """What the daemon does for itself, at its hours."""
    await backbone.schedules.add(Schedule("retention", cron="17 * * * *"), _clean_up(backbone))
    if backbone.backups is not None:
        await backbone.schedules.add(_backup_schedule(settings)[0], backbone.backups.run_once)


def _clean_up(backbone: Backbone) -> Job:
    async def run() -> None:
        await backbone.retention.run_once()

    return run


def _backup_schedule(settings: Settings) -> tuple[Schedule, Times]:
    try:
        schedule = Schedule("backup", cron=settings.backup.schedule)
        return schedule, Times(schedule)
    except ValueError as error:
        raise ConfigError([f"backup.schedule: {error}"]) from None


def _backups(settings: Settings, kernel: Kernel, store: Store, events: Events) -> Backups | None:
    if not settings.backup.enabled:
        return None
    passphrase = settings.backup.passphrase
    place = Place(
        settings.database_url,
        settings.data_dir,
        settings.backup_folder,
        None if passphrase is None else passphrase.get_secret_value(),
        settings.claims_folder,
        settings.claims_in_database,
    )
    return Backups(
        place,
        keep=settings.backup.keep,
        slots=_backup_schedule(settings)[1],
        store=store,
        events=events,
        clock=kernel.clock,
        metrics=kernel.metrics,
    )


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


def _transport(redis: Redis | None, kernel: Kernel) -> Transport:
    if redis is None:
        return DatabaseTransport()
    from daemon.services.queue.streams import StreamsTransport

    return StreamsTransport(
        redis,
        process=kernel.process,
        supervisor=kernel.supervisor,
        metrics=kernel.metrics,
        idle_s=_ENTRY_IDLE_S,
    )


def _cached_in(redis: Redis | None) -> Backend:
    if redis is None:
        return MemoryBackend()
    from daemon.services.cache.shared import SharedBackend

    return SharedBackend(redis, MemoryBackend(bytes_max=CACHE_AWAY_BYTES_MAX))


def _rate_limits(settings: Settings, redis: Redis | None, metrics: Metrics) -> RateLimits:
    limits, memory, shared = settings.limits, MemoryBuckets(), None
    if redis is not None:
        from daemon.services.rate_limits.shared import SharedBuckets

        shared = SharedBuckets(redis, memory)
    totals = Totals(Rate(limits.member_burst, limits.member_per_s), Rate(limits.guild_burst, limits.guild_per_s))
    return RateLimits(memory, shared, totals=totals, metrics=metrics)
