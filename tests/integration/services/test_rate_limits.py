"""What rate limits promise, whoever counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

import pytest
import pytest_asyncio

from daemon.core.ids import GuildId, MemberId
from daemon.kernel.metrics import Metrics
from daemon.services.rate_limits import Bucket, MemoryBuckets, Rate, RateLimits, Refusal, Totals
from daemon.services.rate_limits.shared import SharedBuckets
from daemon.services.redis import execute
from tests.integration.redis.stage import Stage, redis_stage
from tests.servers import Server, start_redis

Take = Callable[[Sequence[Bucket]], Awaitable[Refusal | None]]
SLOW = Rate(3, 0.001)  # refills so slowly that a test never sees it


def bucket(owner: str, rate: Rate = SLOW, scope: str = "command") -> Bucket:
    return Bucket(scope, (owner,), rate)


@pytest.fixture(params=["memory", "redis"])
def place(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("redis_url")) if request.param == "redis" else ""


@pytest_asyncio.fixture
async def take(place: str) -> AsyncIterator[Take]:
    memory = MemoryBuckets()
    if not place:

        async def from_memory(buckets: Sequence[Bucket]) -> Refusal | None:
            return memory.take(buckets)

        yield from_memory
        return
    async with redis_stage(place) as stage:
        yield SharedBuckets(stage.redis, memory).take
        assert len(memory) == 0  # it was Redis that counted


async def test_a_burst_and_then_the_time_to_wait(take: Take) -> None:
    assert [await take([bucket("a")]) for _ in range(3)] == [None] * 3
    refusal = await take([bucket("a")])
    assert refusal is not None
    assert refusal.scope == "command"
    assert 900 < refusal.wait_s <= 1000
    assert await take([bucket("b")]) is None


async def test_who_waits_as_told_is_let_in(take: Take) -> None:
    fast = bucket("a", Rate(1, 20.0))
    assert await take([fast]) is None
    async with asyncio.timeout(20):
        while (refusal := await take([fast])) is not None:
            assert 0 < refusal.wait_s <= 1 / 20
            await asyncio.sleep(refusal.wait_s)


async def test_all_or_nothing(take: Take) -> None:
    full, empty = bucket("full"), bucket("empty", Rate(1, 0.001), "guild")
    assert await take([empty]) is None
    for _ in range(10):
        refusal = await take([full, empty])
        assert refusal is not None
        assert refusal.scope == "guild"
    assert [await take([full]) for _ in range(3)] == [None] * 3


async def test_the_longest_wait_is_told(take: Take) -> None:
    soon, late = bucket("soon", Rate(1, 0.1)), bucket("late", Rate(1, 0.001), "member")
    assert await take([soon, late]) is None
    refusal = await take([soon, late])
    assert refusal is not None
    assert refusal.scope == "member"
    assert refusal.wait_s > 900


async def test_many_at_once_get_no_more_than_there_is(take: Take) -> None:
    answers = await asyncio.gather(*(take([bucket("a", Rate(20, 0.001))]) for _ in range(60)))
    assert answers.count(None) == 20


async def test_buckets_of_one_owner_in_other_scopes_are_others(take: Take) -> None:
    assert [await take([bucket("a", SLOW, scope)]) for scope in ("command", "member", "guild") for _ in range(3)] == (
        [None] * 9
    )


@pytest_asyncio.fixture
async def stage(redis_url: str) -> AsyncIterator[Stage]:
    async with redis_stage(redis_url) as made:
        yield made


async def test_several_processes_count_together(redis_url: str) -> None:
    async with redis_stage(redis_url) as one, redis_stage(redis_url) as other:
        takes = [SharedBuckets(stage.redis, MemoryBuckets()).take for stage in (one, other)]
        answers = await asyncio.gather(*(takes[n % 2]([bucket("a", Rate(20, 0.001))]) for n in range(60)))
        assert answers.count(None) == 20


async def test_what_others_wrote_into_a_bucket_does_no_lasting_harm(stage: Stage) -> None:
    shared = SharedBuckets(stage.redis, MemoryBuckets())
    key = stage.redis.key("rate", "command", "a")
    await stage.redis.call(lambda client: execute(client, "SET", key, "nonsense"))
    assert await shared.take([bucket("a")]) is None
    await stage.redis.call(lambda client: execute(client, "SET", key, "9" * 18))  # full in thousands of years
    refusal = await shared.take([bucket("a", Rate(3, 10.0))])
    assert refusal is not None
    assert refusal.wait_s <= 0.1
    await stage.redis.call(lambda client: execute(client, "DEL", key))
    await stage.redis.call(lambda client: execute(client, "RPUSH", key, "x"))
    assert await shared.take([bucket("a")]) is None


async def test_buckets_do_not_stay_for_ever(stage: Stage) -> None:
    shared = SharedBuckets(stage.redis, MemoryBuckets())
    await shared.take([bucket("a"), bucket("b", Rate(5, 1.0), "member")])
    keys = await stage.redis.call(lambda client: execute(client, "KEYS", "*"))
    assert len(keys) == 2
    for key in keys:
        assert await stage.redis.call(lambda client, key=key: execute(client, "PTTL", key)) > 0


@pytest.fixture
def own_redis() -> Iterator[Server]:
    server = start_redis()
    yield server
    server.stop()


async def test_without_redis_this_process_counts_alone(own_redis: Server) -> None:
    async with redis_stage(f"redis://:{own_redis.password}@127.0.0.1:{own_redis.port}/0") as stage:
        shared = SharedBuckets(stage.redis, MemoryBuckets())
        assert await shared.take([bucket("a")]) is None
        await asyncio.to_thread(own_redis.stop)
        answers = [await shared.take([bucket("a")]) for _ in range(5)]
        assert answers[:3] == [None] * 3
        assert all(answers[3:])


def test_the_buckets_of_a_command_and_what_is_counted() -> None:
    metrics = Metrics()
    limits = RateLimits(MemoryBuckets(), None, totals=Totals(Rate(4, 0.001), Rate(6, 0.001)), metrics=metrics)
    guild = GuildId(7)

    def use(member: int, name: str) -> str | None:
        refusal = limits.take(limits.for_command(MemberId(member), guild, name, Rate(3, 0.001)))
        return refusal.scope if refusal else None

    assert [use(1, "play") for _ in range(4)] == [None, None, None, "command"]
    assert [use(1, "pause") for _ in range(2)] == [None, "member"]
    assert [use(2, "play") for _ in range(3)] == [None, None, "guild"]
    assert limits.take(limits.for_command(MemberId(2), None, "play", Rate(3, 0.001))) is None  # in a direct message
    assert limits.take(limits.for_typing(MemberId(1))) is None
    counted = {
        scope: metrics.registry.get_sample_value("marquee_rate_limited_total", {"scope": scope})
        for scope in ("command", "member", "guild", "typing")
    }
    assert counted == {"command": 1, "member": 1, "guild": 1, "typing": 0}
