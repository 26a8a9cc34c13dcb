"""One cache a test, on each backend."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
import structlog

from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.cache import Backend, Cache, MemoryBackend
from daemon.services.cache.shared import SharedBackend
from tests.integration.redis.stage import redis_stage


@dataclass
class CacheStage:
    """A cache of one process, and what it counted."""

    backend: Backend
    metrics: Metrics
    supervisor: Supervisor
    cache: Cache = field(init=False)

    def __post_init__(self) -> None:
        self.cache = Cache(self.backend, supervisor=self.supervisor, metrics=self.metrics, rng=random.Random(1))

    def counted(self, region: str) -> dict[str, int]:
        """Requests by outcome, those that happened."""
        outcomes = ("hit", "stale", "miss", "negative", "corrupt", "error")
        name = "marquee_cache_requests_total"
        values = {
            outcome: self.metrics.registry.get_sample_value(name, {"region": region, "outcome": outcome})
            for outcome in outcomes
        }
        return {outcome: int(value) for outcome, value in values.items() if value}


def process_on(backend: Backend) -> CacheStage:
    """Another process with the same backend, as far as the cache can tell."""
    metrics = Metrics()
    return CacheStage(backend, metrics, Supervisor(log=structlog.get_logger("test"), metrics=metrics))


@pytest.fixture(params=["memory", "redis"])
def place(request: pytest.FixtureRequest) -> str:
    """Where the values lie: "" for memory, else the URL of a Redis."""
    return str(request.getfixturevalue("redis_url")) if request.param == "redis" else ""


@pytest_asyncio.fixture
async def backend(place: str) -> AsyncIterator[Backend]:
    """Each place where values may lie."""
    if not place:
        yield MemoryBackend()
        return
    async with redis_stage(place) as stage:
        yield SharedBackend(stage.redis, MemoryBackend())


@pytest_asyncio.fixture
async def stage(backend: Backend) -> AsyncIterator[CacheStage]:
    """One process."""
    made = process_on(backend)
    yield made
    await made.supervisor.drain(5.0)


class Source:
    """What is loaded: counts how often, fails as told, waits for `gate` when there is one."""

    def __init__(self, value: str = "one") -> None:
        self.value = value
        self.error: BaseException | None = None
        self.gate: Awaitable[object] | None = None
        self.loads = 0

    async def __call__(self) -> str:
        self.loads += 1
        value = self.value
        if self.gate is not None:
            await self.gate
        if self.error is not None:
            raise self.error
        return value


@pytest.fixture
def source() -> Source:
    return Source()
