"""What only a cache in Redis does: several processes, a Redis that goes away, keys that others wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest

from daemon.core.limits import CACHE_OWED_TAGS_MAX
from daemon.services.cache import MemoryBackend
from daemon.services.cache.shared import SharedBackend
from daemon.services.redis import execute
from tests.integration.cache.conftest import CacheStage, Source, process_on
from tests.integration.redis.stage import Stage, redis_stage, until
from tests.servers import Server, start_redis


@dataclass
class Process:
    """A cache with connections of its own."""

    redis: Stage
    cache: CacheStage


@asynccontextmanager
async def processes(url: str, count: int, *, namespaces: tuple[str, ...] = ("test",)) -> AsyncIterator[list[Process]]:
    async with AsyncExitStack() as stack:
        made = []
        for number in range(count):
            redis = await stack.enter_async_context(redis_stage(url, namespace=namespaces[number % len(namespaces)]))
            made.append(Process(redis, process_on(SharedBackend(redis.redis, MemoryBackend()))))
        yield made
        for process in made:
            await process.cache.supervisor.drain(0.0)


@pytest.fixture
def own_redis() -> Iterator[Server]:
    server = start_redis()
    yield server
    server.stop()


def url_of(server: Server) -> str:
    return f"redis://:{server.password}@127.0.0.1:{server.port}/0"


async def test_several_processes_do_not_stampede(redis_url: str, source: Source) -> None:
    async with processes(redis_url, 4) as made:
        gate = asyncio.Event()
        source.gate = gate.wait()
        regions = [process.cache.cache.region("titles", str, ttl_s=60) for process in made]
        asked = [asyncio.create_task(region.get("a", source)) for region in regions for _ in range(10)]
        await until(lambda: source.loads == 1)
        gate.set()
        assert await asyncio.gather(*asked) == ["one"] * 40
        assert source.loads == 1


async def test_a_process_that_died_while_loading_is_not_waited_for_long(redis_url: str, source: Source) -> None:
    async with processes(redis_url, 2) as (dead, alive):
        assert await dead.cache.backend.claim("titles", "a", 15.0) is not None
        assert await alive.cache.cache.region("titles", str, ttl_s=60).get("a", source) == "one"


async def test_an_invalidation_reaches_the_other_process(redis_url: str, source: Source) -> None:
    async with processes(redis_url, 2) as (here, there):
        region = here.cache.cache.region("titles", str, ttl_s=60)
        other = there.cache.cache.region("titles", str, ttl_s=60)
        await region.get("a", source, tags=("x",))
        assert await other.get("a", source, tags=("x",)) == "one"
        assert source.loads == 1
        source.value = "two"
        await there.cache.cache.invalidate("x")
        assert await region.get("a", source, tags=("x",)) == "two"


async def test_installations_with_other_namespaces_do_not_see_each_other(redis_url: str, source: Source) -> None:
    async with processes(redis_url, 2, namespaces=("one", "other")) as (here, there):
        await here.cache.cache.region("titles", str, ttl_s=60).get("a", source)
        source.value = "two"
        assert await there.cache.cache.region("titles", str, ttl_s=60).get("a", source) == "two"


async def test_a_key_of_another_type_and_a_flush_are_misses(redis_url: str, source: Source) -> None:
    async with processes(redis_url, 1) as (process,):
        redis = process.redis.redis
        region = process.cache.cache.region("titles", str, ttl_s=60)
        key = redis.key("cache", "titles", "a")
        await redis.call(lambda client: execute(client, "RPUSH", key, "x"))
        assert await region.get("a", source) == "one"
        assert await region.get("a", source) == "one"
        assert process.cache.counted("titles") == {"corrupt": 1, "hit": 1}
        await redis.call(lambda client: execute(client, "FLUSHALL"))
        assert await region.get("a", source) == "one"
        assert source.loads == 2


async def test_a_tag_that_redis_gave_up_does_not_bring_back_what_it_ended(redis_url: str, source: Source) -> None:
    async with processes(redis_url, 1) as (process,):
        region = process.cache.cache.region("titles", str, ttl_s=60)
        await region.get("a", source, tags=("x",))
        await process.cache.cache.invalidate("x")
        tag = process.redis.redis.key("cache-tag", "x")
        assert await process.redis.redis.call(lambda client: execute(client, "DEL", tag)) == 1
        source.value = "two"
        assert await region.get("a", source, tags=("x",)) == "two"


async def test_values_and_claims_do_not_stay_for_ever(redis_url: str, source: Source) -> None:
    async with processes(redis_url, 1) as (process,):
        redis = process.redis.redis
        await process.cache.cache.region("titles", str, ttl_s=60, stale_s=30).get("a", source, tags=("x",))
        await process.cache.cache.invalidate("x")
        await process.cache.backend.claim("titles", "b", 15.0)
        keys = await redis.call(lambda client: execute(client, "KEYS", "*"))
        assert len(keys) == 4  # a value, two tags, a claim
        for key in keys:
            assert await redis.call(lambda client, key=key: execute(client, "TTL", key)) > 0


async def test_while_redis_is_away_values_are_loaded_and_kept_in_memory(own_redis: Server, source: Source) -> None:
    async with processes(url_of(own_redis), 1) as (process,):
        region = process.cache.cache.region("titles", str, ttl_s=60)
        await region.get("a", source)
        await asyncio.to_thread(own_redis.stop)
        assert [await region.get("a", source) for _ in range(3)] == ["one"] * 3
        assert source.loads == 2
        assert not process.redis.redis.is_up
        source.value = "two"
        await process.cache.cache.invalidate("nobody's")
        assert await region.get("a", source) == "one"
        await region.clear()
        assert await region.get("a", source) == "two"
        source.value = "three"
        assert await asyncio.to_thread(own_redis.start)
        await until(lambda: process.redis.redis.is_up)
        assert await region.get("a", source) == "three"  # nothing of what stood in is used any more


async def test_what_was_invalidated_meanwhile_is_not_used_when_redis_is_back(own_redis: Server, source: Source) -> None:
    """The values survive in Redis: it was only out of reach."""
    async with processes(url_of(own_redis), 2) as (cut_off, other):
        tags = ("x",)
        region = cut_off.cache.cache.region("titles", str, ttl_s=600)
        await region.get("a", source, tags)
        await cut_off.redis.redis.call(lambda client: execute(client, "CLIENT", "PAUSE", "1500", "ALL"))
        source.value = "two"
        await cut_off.cache.cache.invalidate("x")
        assert not cut_off.redis.redis.is_up
        await until(lambda: cut_off.redis.redis.is_up and other.redis.redis.is_up)
        assert await region.get("a", source, tags) == "two"
        assert await other.cache.cache.region("titles", str, ttl_s=600).get("a", source, tags) == "two"
        assert source.loads == 2


async def test_more_invalidations_than_can_be_owed_end_everything(own_redis: Server, source: Source) -> None:
    async with processes(url_of(own_redis), 1) as (process,):
        region = process.cache.cache.region("titles", str, ttl_s=600)
        await region.get("a", source)
        await process.redis.redis.call(lambda client: execute(client, "CLIENT", "PAUSE", "6000", "ALL"))
        for number in range(CACHE_OWED_TAGS_MAX + 1):
            await process.cache.cache.invalidate(f"tag {number}")
        await until(lambda: process.redis.redis.is_up)
        source.value = "two"
        async with asyncio.timeout(10):  # Redis is there before what is owed to it has been paid
            while await region.get("a", source) != "two":  # noqa: ASYNC110  Redis tells nobody
                await asyncio.sleep(0.02)
