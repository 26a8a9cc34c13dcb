"""The mirror as the daemon builds it: the simulator over HTTP, our reader, a real database."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import text

from daemon.core.ids import ServerId
from daemon.data.store import Store
from daemon.kernel.health import Health
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.library import Mirror, Outcome, Summary
from integrations.plex import PlexServerConfig, PlexTimeouts
from integrations.plex.http import ServerHttp, new_session
from integrations.plex.mirror import MirrorReader
from simulators.plex.items import Item
from simulators.plex.sim import PlexSim
from tests.simtime import SimTime

ATTIC = ServerId("attic")
KINDS = ("movie", "show", "season", "episode", "artist", "album", "track")


@dataclass
class Stage:
    sim: PlexSim
    store: Store
    mirror: Mirror
    reader: MirrorReader
    metrics: Metrics

    def another(self, process: str) -> Mirror:
        """The mirror of another process on the same database."""
        return Mirror(
            self.store, SimTime(self.sim.clock), Metrics(), process=process, rng=random.Random(1), retry_first_s=0.001
        )

    async def sync(self, **options: Any) -> dict[str, Summary]:
        return {summary.name: summary for summary in await self.mirror.sync(self.reader, **options)}

    async def rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        return await self.store.read(lambda tx: [tuple(row) for row in tx.execute(text(sql), values)])

    async def names(self, kind: str) -> dict[int, str]:
        rows = await self.rows("SELECT rating_key, name FROM library_titles WHERE kind = :kind", kind=kind)
        assert len(rows) == len({key for key, _ in rows})
        return dict(rows)

    async def assert_same(self) -> None:
        """The mirror holds what the server holds, no more and no less."""
        total = 0
        for kind in KINDS:
            there = {item.key: " ".join(item.title.split()) for item in self.sim.world.listed(None, kind)}
            assert (await self.names(kind)).keys() == there.keys(), kind
            total += len(there)
        assert total > 300

    def asked(self, part: str) -> int:
        return sum(part in seen.path for seen in self.sim.requests)

    def asked_for(self, kind: str) -> int:
        """How many pages of titles of a kind (`type=4`) were asked for in the library of shows, tags aside."""
        name, value = kind.split("=")
        return sum(
            seen.path == "/library/sections/2/all" and (name, value) in seen.query and len(seen.query) <= 5
            for seen in self.sim.requests
        )

    async def title_id(self, item: Item) -> int:
        ((found,),) = await self.rows("SELECT id FROM library_titles WHERE rating_key = :key", key=item.key)
        return int(found)


@asynccontextmanager
async def mirroring(sim: PlexSim, store: Store, *, token: str | None = None) -> AsyncIterator[Stage]:
    metrics, clock = Metrics(), SimTime(sim.clock)
    supervisor = Supervisor(log=structlog.get_logger("tests"), metrics=metrics)
    health = Health(supervisor, clock)
    timeouts = PlexTimeouts(request_s=5.0, page_s=10.0, breaker_open_s=0.001)
    async with new_session() as session:
        config = PlexServerConfig(sim.url, token or sim.token)
        http = ServerHttp(ATTIC, config, "marquee-test-client", session, timeouts, metrics, health)
        mirror = Mirror(store, clock, metrics, process="one", rng=random.Random(1), retry_first_s=0.001)
        yield Stage(sim, store, mirror, MirrorReader(ATTIC, http, timeouts), metrics)


READ, UNCHANGED = Outcome.READ, Outcome.UNCHANGED
