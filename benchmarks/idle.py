"""What a daemon costs that has nothing to do: both simulators are quiet, and nobody asks for anything."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from benchmarks.process import cpu_seconds, resident_mb
from benchmarks.rows import Row, alone, median
from benchmarks.stage import daemon, offers, stage
from tests.servers import start_redis

ROUNDS = 3
SETTLE_S = 5.0
IDLE_S = 20.0


async def measure() -> list[Row]:
    redis = start_redis(is_durable=True)
    try:
        url = f"redis://:{redis.password}@127.0.0.1:{redis.port}/0"
        alone_cost = [await _idle({}) for _ in range(ROUNDS)]
        redis_cost = [await _idle({"MARQUEE_REDIS__URL": url}) for _ in range(ROUNDS)]
    finally:
        redis.stop()
    return [
        alone("idle.cpu", median([cpu for cpu, _ in alone_cost]), "% of a core"),
        alone("idle.memory", median([memory for _, memory in alone_cost]), "MB"),
        alone("idle.cpu_redis", median([cpu for cpu, _ in redis_cost]), "% of a core"),
        alone("idle.memory_redis", median([memory for _, memory in redis_cost]), "MB"),
    ]


async def _idle(settings: Mapping[str, str]) -> tuple[float, float]:
    """Percent of a core during `IDLE_S`, and MB afterwards."""
    async with stage() as on, daemon(on, settings=settings) as marquee:
        await offers(on, "play")
        await asyncio.sleep(SETTLE_S)
        before = cpu_seconds(marquee.pid)
        await asyncio.sleep(IDLE_S)
        return (cpu_seconds(marquee.pid) - before) / IDLE_S * 100, resident_mb(marquee.pid)
