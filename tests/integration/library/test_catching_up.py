"""The mirror looks at once at a server to whose libraries something was done, and says when it has."""

from __future__ import annotations

import asyncio

from daemon.core.ids import ServerId
from simulators.plex.items import Item
from tests.integration.library.test_following import Follower, follower
from tests.integration.plex.stage import ATTIC

__all__ = ["follower"]  # a fixture


def put(follower: Follower, title: str) -> Item:
    """A film of which no notice tells."""
    world = follower.sim.world
    item = Item(0, "movie", title, 1, world.now, 2026, 5_400_000, ("Drama",))
    world.add(item)
    return item


async def test_what_no_notice_has_told_is_there_when_it_returns(follower: Follower) -> None:
    await follower.until_there()
    silent = put(follower, "Silent Arrival")
    assert await follower.mirroring.catch_up(ATTIC, 30.0)
    assert silent.key in await follower.keys()
    gone = put(follower, "Silent Departure")
    assert await follower.mirroring.catch_up(ATTIC, 30.0)
    follower.sim.world.remove(gone)
    results = await asyncio.gather(*(follower.mirroring.catch_up(ATTIC, 30.0) for _ in range(5)))
    assert results == [True] * 5
    assert gone.key not in await follower.keys()


async def test_a_server_that_fails_is_not_waited_for_beyond_the_patience(follower: Follower) -> None:
    await follower.until_there()
    fault = follower.sim.faults.add("/library/sections", 503)
    later = put(follower, "Late Arrival")
    assert not await follower.mirroring.catch_up(ATTIC, 0.3)
    assert fault.hits
    follower.sim.faults.clear()
    assert await follower.mirroring.catch_up(ATTIC, 60.0)
    assert later.key in await follower.keys()


async def test_a_server_that_nobody_follows_is_nothing_to_wait_for(follower: Follower) -> None:
    assert not await follower.mirroring.catch_up(ServerId("cellar"), 30.0)
    await follower.mirroring.stop()
    assert not await follower.mirroring.catch_up(ATTIC, 30.0)
