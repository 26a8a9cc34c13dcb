from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.kernel.health import Status
from daemon.services.redis import Script, execute
from tests.integration.redis.stage import Stage, redis_stage, until
from tests.servers import Server, free_port, start_redis

ADD = Script("return redis.call('INCRBY', KEYS[1], ARGV[1])")


@pytest.fixture
def own_redis() -> Iterator[Server]:
    """A server that a test may stop and start."""
    server = start_redis()
    yield server
    server.stop()


async def until_resting(stage: Stage) -> None:
    """Ask until it is not even tried any more."""
    kind = None
    while kind is not UpstreamKind.RESTING:
        with pytest.raises(UpstreamError) as failed:
            await stage.redis.run(ADD, [stage.redis.key("count")], [1])
        kind = failed.value.kind


def url_of(server: Server) -> str:
    return f"redis://:{server.password}@127.0.0.1:{server.port}/0"


async def test_it_answers_and_health_says_so(redis_url: str) -> None:
    async with redis_stage(redis_url) as stage:
        assert stage.redis.is_up
        assert stage.status("redis") is stage.status("breaker:redis") is Status.PASS
        key = stage.redis.key("a", "b")
        assert key == "marquee:test:a:b"
        await stage.redis.call(lambda client: execute(client, "SET", key, b"\x00\xff"))
        assert await stage.redis.call(lambda client: execute(client, "GET", key)) == b"\x00\xff"
    assert "redis" not in stage.health.report().checks


async def test_scripts_are_sent_again_when_redis_forgot_them(redis_url: str) -> None:
    async with redis_stage(redis_url) as stage:
        key = stage.redis.key("count")
        assert [await stage.redis.run(ADD, [key], [n]) for n in (1, 2)] == [1, 3]
        await stage.redis.call(lambda client: execute(client, "SCRIPT", "FLUSH"))
        assert await stage.redis.run(ADD, [key], [4]) == 7


async def test_what_redis_itself_refuses_is_no_outage(redis_url: str) -> None:
    async with redis_stage(redis_url) as stage:
        key = stage.redis.key("list")
        await stage.redis.call(lambda client: execute(client, "RPUSH", key, "x"))
        for _ in range(5):
            with pytest.raises(UpstreamError) as refused:
                await stage.redis.run(ADD, [key], [1])
            assert refused.value.kind is UpstreamKind.BROKEN
        assert stage.redis.is_up
        assert stage.status("redis") is stage.status("breaker:redis") is Status.PASS


async def test_it_goes_away_and_comes_back_by_itself(own_redis: Server) -> None:
    async with redis_stage(url_of(own_redis)) as stage:
        changes: list[bool] = []
        stage.redis.on_change(lambda: changes.append(stage.redis.is_up))
        await asyncio.to_thread(own_redis.stop)
        with pytest.raises(UpstreamError) as lost:
            await stage.redis.run(ADD, [stage.redis.key("count")], [1])
        assert lost.value.kind is UpstreamKind.UNREACHABLE
        assert not stage.redis.is_up
        assert stage.status("redis") is Status.WARN
        await until_resting(stage)
        assert stage.status("breaker:redis") is Status.WARN
        assert await asyncio.to_thread(own_redis.start)
        await until(lambda: stage.redis.is_up)
        assert stage.status("redis") is stage.status("breaker:redis") is Status.PASS
        assert changes == [False, True]
        assert await stage.redis.run(ADD, [stage.redis.key("count")], [1]) == 1


async def test_a_start_does_not_need_it() -> None:
    async with redis_stage(f"redis://127.0.0.1:{free_port()}/0") as stage:
        assert not stage.redis.is_up
        check = stage.health.report().checks["redis"]
        assert check.status is Status.WARN
        assert check.output.startswith("Redis is unreachable; work goes on")


async def test_a_wrong_password_is_named_and_not_repeated_in_health(redis_server: Server) -> None:
    async with redis_stage(f"redis://:wr0ng-secret@127.0.0.1:{redis_server.port}/0") as stage:
        output = stage.health.report().checks["redis"].output
        assert output.startswith("Redis rejected the token")
        assert "wr0ng-secret" not in output


async def test_a_server_that_never_answers_is_given_up() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            pass
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, redis_stage(f"redis://127.0.0.1:{port}/0", is_started=False) as stage:
        for _ in range(3):
            with pytest.raises(UpstreamError) as failed:
                await stage.redis.call(lambda client: execute(client, "PING"), within_s=0.05)
            assert failed.value.kind is UpstreamKind.TIMED_OUT
        with pytest.raises(UpstreamError) as failed:
            await stage.redis.call(lambda client: execute(client, "PING"), within_s=0.05)
        assert failed.value.kind is UpstreamKind.RESTING


async def test_a_call_may_be_cancelled_at_any_moment(redis_url: str) -> None:
    async with redis_stage(redis_url) as stage:
        cancelled = 0
        for number in range(200):
            task = asyncio.create_task(stage.redis.call(lambda client: execute(client, "ECHO", "late")))
            for _ in range(number % 20):
                await asyncio.sleep(0)
            was_done = task.done()
            task.cancel()
            word = f"word {number}"  # nobody may get the answer that the other one did not wait for
            assert await stage.redis.call(lambda client, word=word: execute(client, "ECHO", word)) == word.encode()
            await asyncio.wait({task})
            assert task.cancelled() or was_done
            cancelled += task.cancelled()
        assert cancelled > 20
