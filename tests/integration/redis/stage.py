"""A Redis of ours with what it needs around it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from daemon.kernel.clock import SystemClock
from daemon.kernel.health import Health, Status
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.redis import Redis

WAIT_S = 20.0


@dataclass
class Stage:
    """What a test looks at."""

    redis: Redis
    supervisor: Supervisor
    health: Health
    metrics: Metrics

    def status(self, name: str) -> Status:
        return self.health.report().checks[name].status


@asynccontextmanager
async def redis_stage(url: str, *, namespace: str = "test", is_started: bool = True) -> AsyncIterator[Stage]:
    """`is_started` False: it was never asked whether it is there."""
    metrics = Metrics()
    supervisor = Supervisor(log=structlog.get_logger("test"), metrics=metrics)
    health = Health(supervisor, SystemClock())
    redis = Redis(url, namespace=namespace, process="test", supervisor=supervisor, health=health, metrics=metrics)
    if is_started:
        await redis.start()
    try:
        yield Stage(redis, supervisor, health, metrics)
    finally:
        await redis.stop()
        await supervisor.drain(1.0)


async def until(condition: Callable[[], object]) -> None:
    """Wait for what a test expects to happen by itself."""
    async with asyncio.timeout(WAIT_S):
        while not condition():  # noqa: ASYNC110  any condition, not only one that could set an event
            await asyncio.sleep(0.01)
