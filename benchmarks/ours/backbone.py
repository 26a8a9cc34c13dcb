"""What the daemon wires round its queue, as `daemon.backbone` does it, on databases that only a benchmark uses."""

from __future__ import annotations

import asyncio
import random
import secrets
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from daemon.data import schema
from daemon.data.store import Store
from daemon.kernel import logs
from daemon.kernel.clock import SystemClock
from daemon.kernel.health import Health
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.queue import FileClaims, Queue
from daemon.services.queue.transport import DatabaseTransport, Transport

ENTRY_IDLE_S = 30.0
LAG_EVERY_S = 0.005


@dataclass(frozen=True, slots=True)
class Wired:
    """A queue that is not started yet; it is stopped at the end."""

    store: Store
    queue: Queue
    clock: SystemClock
    metrics: Metrics


@asynccontextmanager
async def wired(database_url: str, redis_url: str) -> AsyncIterator[Wired]:
    """With the Redis transport when `redis_url` is not empty."""
    logs.configure("json", "warning", [])
    supervisor = Supervisor(log=structlog.get_logger("bench"))
    metrics, clock = Metrics(), SystemClock()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="marquee-bench-")))
        await schema.ensure_head(database_url, folder)
        store = await Store.open(database_url, metrics=metrics)
        stack.push_async_callback(store.close)
        queue = Queue(
            store,
            clock,
            claims=FileClaims(folder, store, clock),
            transport=await _transport(redis_url, supervisor, metrics, clock, stack),
            supervisor=supervisor,
            metrics=metrics,
            rng=random.Random(),
        )
        stack.push_async_callback(queue.stop)
        yield Wired(store, queue, clock, metrics)


@asynccontextmanager
async def lag_of_loop() -> AsyncIterator[list[float]]:
    """How late the loop woke a sleeper meanwhile, in ms, about 200 figures a second."""
    lags_ms: list[float] = []

    async def look() -> None:
        while True:
            due_s = time.perf_counter() + LAG_EVERY_S
            await asyncio.sleep(LAG_EVERY_S)
            lags_ms.append((time.perf_counter() - due_s) * 1000)

    looking = asyncio.create_task(look())
    try:
        yield lags_ms
    finally:
        looking.cancel()


async def _transport(
    url: str, supervisor: Supervisor, metrics: Metrics, clock: SystemClock, stack: AsyncExitStack
) -> Transport:
    if not url:
        return DatabaseTransport()
    from daemon.services.queue.streams import StreamsTransport
    from daemon.services.redis import Redis

    process = f"bench-{secrets.token_hex(4)}"
    health = Health(supervisor, clock)
    redis = Redis(url, namespace=process, process=process, supervisor=supervisor, health=health, metrics=metrics)
    await redis.start()
    stack.push_async_callback(redis.stop)
    assert redis.is_up
    return StreamsTransport(redis, process=process, supervisor=supervisor, metrics=metrics, idle_s=ENTRY_IDLE_S)
