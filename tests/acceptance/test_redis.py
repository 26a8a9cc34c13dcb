"""The whole daemon with Redis: commands, lists and messages go on while it is away, and use it again by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.acceptance.stage import LIVING_ROOM, Stage, answered, open_stage
from tests.servers import Server, start_redis

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[Server]:
    made = await asyncio.to_thread(start_redis)
    yield made
    await asyncio.to_thread(made.stop)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(server: Server) -> AsyncIterator[Stage]:
    """A daemon that shares its Redis with nobody."""
    async with open_stage(MARQUEE_REDIS__URL=f"redis://:{server.password}@127.0.0.1:{server.port}/0") as stage:
        yield stage


async def everything_works(stage: Stage) -> None:
    """Limits, suggestions, a card with its poster, and what a silent Plex told last."""
    alice = stage.controller()
    movie = stage.watch(LIVING_ROOM)
    tracks = await stage.suggested(alice, "audio", "track", "", player=LIVING_ROOM)
    shown = await alice.slash("audio", track=tracks[-1], player=LIVING_ROOM)
    await shown.until(tracks[-1]["name"])
    card = await stage.guest().slash("now")
    await card.until("▶ Playing")
    assert movie.title in card.text
    assert card.files


async def test_redis_goes_and_comes_back_under_a_daemon_at_work(stage: Stage, server: Server) -> None:
    assert (await stage.checks())["redis"] == "pass"
    await everything_works(stage)
    await asyncio.to_thread(server.stop)
    await everything_works(stage)
    await stage.wait_for(lambda: is_redis(stage, "warn"), "the health page to warn")
    await everything_works(stage)
    assert await asyncio.to_thread(server.start)
    await stage.wait_for(lambda: is_redis(stage, "pass"), "Redis to be used again")
    await everything_works(stage)


async def is_redis(stage: Stage, status: str) -> bool:
    return (await stage.checks())["redis"] == status


async def test_limits_hold_with_redis(stage: Stage) -> None:
    bob = stage.guest()
    for _ in range(20):
        shown = await bob.slash("players")
        await answered(shown)
        if "too_fast" in shown.text:
            break
    assert "<t:" in shown.text
    assert shown.is_private
