from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest
import pytest_asyncio
import structlog
from sqlalchemy import text

from daemon.data.store import Store
from daemon.kernel.clock import SystemClock
from daemon.kernel.health import Health
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.queue import ClaimStore, DatabaseTransport, FileClaims, QueueSpec, Transport
from daemon.services.queue.streams import StreamsTransport
from daemon.services.redis import Redis
from tests.integration.queue.station import WORK, ManualClock, Station


class MakeStation(Protocol):
    """Another process on the same database."""

    def __call__(self, spec: QueueSpec = WORK, *, store: Store | None = None) -> Station: ...


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


class StreamsAlone(StreamsTransport):
    """Brings its connection with it. Its patience is short, because the clock of these tests jumps."""

    def __init__(self, url: str) -> None:
        metrics = Metrics()
        supervisor = Supervisor(log=structlog.get_logger("test"), metrics=metrics)
        process = f"test-{random.getrandbits(32):08x}"
        self._own = Redis(
            url,
            namespace="test",
            process=process,
            supervisor=supervisor,
            health=Health(supervisor, SystemClock()),
            metrics=metrics,
        )
        super().__init__(
            self._own, process=process, supervisor=supervisor, metrics=metrics, idle_s=30.0, patience_s=0.02
        )

    async def start(self) -> None:
        await self._own.start()
        await super().start()

    async def close(self) -> None:
        await super().close()
        await self._own.stop()


@pytest.fixture(params=["database", "redis"])
def make_transport(request: pytest.FixtureRequest) -> Callable[[], Transport]:
    """The transports that the contract holds for; each station gets its own."""
    if request.param == "database":
        return DatabaseTransport
    return partial(StreamsAlone, request.getfixturevalue("redis_url"))


@pytest.fixture
def claims(store: Store, clock: ManualClock, tmp_path: Path) -> ClaimStore:
    return FileClaims(tmp_path / "claims", store, clock)


@pytest_asyncio.fixture
async def make_station(
    store: Store, clock: ManualClock, make_transport: Callable[[], Transport], claims: ClaimStore
) -> AsyncIterator[MakeStation]:
    await store.write(lambda tx: tx.execute(text("CREATE TABLE effects (n BIGINT NOT NULL)")) and None)
    made: list[Station] = []

    def make(spec: QueueSpec = WORK, *, store: Store = store) -> Station:
        made.append(Station(store, clock, make_transport(), claims, spec))
        return made[-1]

    yield make  # type: ignore[misc]
    for station in made:
        await station.stop(drain_s=0.0)


@pytest.fixture
def station(make_station: MakeStation) -> Station:
    return make_station()
