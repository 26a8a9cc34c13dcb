"""The Plex integration as the daemon builds it, against the simulator: real plexapi, real SQLite, real sockets."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from daemon.core.ids import PlayerId, RatingKey, ServerId
from daemon.core.media import PlayerRef, TitleRef
from daemon.data import schema
from daemon.data.store import Store
from daemon.kernel.health import Health
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.cache import Cache, MemoryBackend
from daemon.services.events import CATALOG, Events
from daemon.services.queue import DatabaseClaims, DatabaseTransport, Queue
from daemon.services.servers import Servers
from integrations.plex import LiveTitles, Plex, PlexServerConfig, PlexTimeouts
from simulators.plex.items import Item
from simulators.plex.sim import PlexSim
from tests.simtime import SimTime

ATTIC = ServerId("attic")
CLIENT = "marquee-test-client"
QUICK = PlexTimeouts(
    connect_s=2.0,
    request_s=5.0,
    page_s=10.0,
    player_s=2.0,
    retry_first_s=0.01,
    retry_max_s=0.05,
    probe_every_s=0.05,
    players_fresh_s=0.0,
    breaker_open_s=0.05,
)


@dataclass
class Stage:
    sim: PlexSim
    plex: Plex
    live: LiveTitles
    supervisor: Supervisor
    health: Health
    metrics: Metrics
    registry: Servers
    changes: list[tuple[ServerId, PlayerId | None]]
    store: Store
    cache: Cache

    def title(self, name: str | Item, kind: str | None = None) -> TitleRef:
        item = name if isinstance(name, Item) else self.sim.world.find(name, kind)
        return TitleRef(ATTIC, RatingKey(str(item.key)))

    def player(self, name: str) -> PlayerRef:
        return PlayerRef(ATTIC, PlayerId(self.sim.server.player(name).spec.id))

    async def ready(self) -> None:
        """The servers are up."""
        await until(lambda: all(state.is_up for state in self.plex.server_states()))

    def check(self, server: str = "attic") -> str:
        return self.health.report().checks[f"plex:{server}"].output

    def asked(self, part: str) -> list[str]:
        return [f"{seen.method} {seen.path}" for seen in self.sim.requests if part in seen.path]


async def until(condition: Callable[[], object], timeout_s: float = 10.0) -> None:
    """Wait for something that tasks of the daemon bring about."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110  what is waited for has no event of its own
            await asyncio.sleep(0.005)


@asynccontextmanager
async def store_at(folder: Path, metrics: Metrics) -> AsyncIterator[Store]:
    url = f"sqlite:///{folder}/marquee.sqlite3"
    await schema.ensure_head(url, folder)
    store = await Store.open(url, metrics=metrics)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def running(
    sim: PlexSim,
    folder: Path,
    *,
    servers: Mapping[ServerId, PlexServerConfig] | None = None,
    timeouts: PlexTimeouts = QUICK,
) -> AsyncIterator[Stage]:
    """A started Plex; its tasks are ended and its connections closed afterwards."""
    metrics, clock = Metrics(), SimTime(sim.clock)
    supervisor = Supervisor(log=structlog.get_logger("tests"), metrics=metrics)
    health = Health(supervisor, clock)
    async with store_at(folder, metrics) as store:
        queue = Queue(
            store,
            clock,
            claims=DatabaseClaims(store, clock),
            transport=DatabaseTransport(),
            supervisor=supervisor,
            metrics=metrics,
            rng=random.Random(1),
        )
        registry = Servers(store, clock, Events(store, queue, clock, CATALOG, metrics))
        cache = Cache(MemoryBackend(), supervisor=supervisor, metrics=metrics, rng=random.Random(1))
        plex = Plex(
            servers if servers is not None else {ATTIC: PlexServerConfig(sim.url, sim.token)},
            registry,
            CLIENT,
            supervisor,
            health,
            metrics,
            clock,
            cache,
            timeouts,
            rng=random.Random(1),
        )
        changes: list[tuple[ServerId, PlayerId | None]] = []
        plex.on_change(lambda server, player: changes.append((server, player)))
        await plex.start()
        try:
            yield Stage(sim, plex, LiveTitles(plex), supervisor, health, metrics, registry, changes, store, cache)
            crashes = [state for state in supervisor.states() if state.restarts or state.last_error]
        finally:
            await plex.stop()
            assert supervisor.count("plex") == 0
            await supervisor.cancel("cache")
        assert crashes == []
