from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from aiohttp import web

from daemon.kernel.clock import SystemClock
from daemon.kernel.followed_clock import FollowedClock
from daemon.kernel.tasks import Supervisor
from simulators.clock import SimClock

START = datetime(2026, 1, 16, 20, tzinfo=UTC)


class ClockServer:
    """The `clock` address of a simulator, which can be switched off and on again at the same port."""

    def __init__(self, clock: SimClock) -> None:
        self.clock = clock
        self.port = 0
        self.asked = 0
        self.is_broken = False
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/clock"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/clock", self._answer)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.01)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.is_broken:
            return web.Response(text="<html>", content_type="text/html")
        known = request.query.get("version")
        return web.json_response(await self.clock.follow(None if known is None else int(known)))


@pytest.fixture
async def server() -> AsyncIterator[ClockServer]:
    server = ClockServer(SimClock(START.timestamp(), speed=0.0))
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(log=structlog.get_logger())
    yield supervisor
    await supervisor.drain(0.1)


@pytest.fixture
async def clock(server: ClockServer, supervisor: Supervisor) -> FollowedClock:
    clock = FollowedClock(server.url)
    supervisor.start("clock", clock.run)
    assert await clock.wait_followed(5)
    return clock


async def until(clock: FollowedClock, when: datetime) -> None:
    async with asyncio.timeout(5):
        while clock.now() < when:  # noqa: ASYNC110  the clock announces nothing but the end of a sleep
            await asyncio.sleep(0.001)


async def test_it_tells_the_simulators_time(clock: FollowedClock) -> None:
    assert clock.now() == START


async def test_it_follows_a_jump(clock: FollowedClock, server: ClockServer) -> None:
    server.clock.jump(3600)
    await until(clock, START + timedelta(hours=1))
    assert clock.now() == START + timedelta(hours=1)


async def test_a_sleep_ends_with_a_jump_over_its_end(clock: FollowedClock, server: ClockServer) -> None:
    async with asyncio.TaskGroup() as group:
        short = group.create_task(clock.sleep(60))
        long = group.create_task(clock.sleep(600))
        await asyncio.sleep(0)
        server.clock.jump(100)
        await short
        assert not long.done()
        server.clock.jump(500)
    assert clock.now() == START + timedelta(seconds=600)


async def test_a_sleep_goes_as_fast_as_the_clock(clock: FollowedClock, server: ClockServer) -> None:
    async with asyncio.timeout(5):
        async with asyncio.TaskGroup() as group:
            group.create_task(clock.sleep(7200))
            server.clock.set_speed(1_000_000.0)
    assert clock.now() >= START + timedelta(hours=2)


async def test_no_time_is_no_sleep(clock: FollowedClock) -> None:
    async with asyncio.timeout(5):
        await clock.sleep(0)
        await clock.sleep(-1)
        await SystemClock().sleep(-1)


async def test_a_sleep_from_before_the_first_answer_is_not_confused_by_it(
    server: ClockServer, supervisor: Supervisor
) -> None:
    server.clock.jump(10 * 365 * 86400)  # far from the machine's time, which holds until the first answer
    clock = FollowedClock(server.url)
    async with asyncio.TaskGroup() as group:
        sleeper = group.create_task(clock.sleep(60))
        await asyncio.sleep(0)
        supervisor.start("clock", clock.run)
        assert await clock.wait_followed(5)
        await asyncio.sleep(0)
        assert not sleeper.done()
        server.clock.jump(61)


async def test_a_simulator_that_is_away_is_waited_for(server: ClockServer, supervisor: Supervisor) -> None:
    await server.stop()
    clock = FollowedClock(server.url)
    supervisor.start("clock", clock.run)
    assert not await clock.wait_followed(0.01)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)
    await server.start()
    assert await clock.wait_followed(5)
    assert clock.now() == START


async def test_an_unreadable_answer_changes_nothing(server: ClockServer, supervisor: Supervisor) -> None:
    server.is_broken = True
    clock = FollowedClock(server.url)
    supervisor.start("clock", clock.run)
    async with asyncio.timeout(5):
        while not server.asked:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    assert not await clock.wait_followed(0.01)
    server.is_broken = False
    assert await clock.wait_followed(5)
    assert supervisor.states()[0].restarts == 0


async def test_the_machines_clock_is_aware() -> None:
    assert SystemClock().now().tzinfo is UTC
