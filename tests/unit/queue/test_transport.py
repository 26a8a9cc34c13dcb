"""The database alone as transport: what was announced, or the word that there is more than can be named."""

from __future__ import annotations

import asyncio

import pytest

from daemon.core.limits import QUEUE_HINTS_MAX
from daemon.services.queue import NOTHING, SWEEP, DatabaseTransport, Hint


@pytest.fixture
def transport() -> DatabaseTransport:
    return DatabaseTransport()


async def test_ids_are_given_once_in_their_order(transport: DatabaseTransport) -> None:
    transport.announce("a", [1, 2])
    transport.announce("b", [9])
    transport.announce("a", [3])
    assert await transport.next("a", 5, 10.0) == Hint((1, 2, 3))
    assert await transport.next("a", 5, 0.0) == NOTHING
    assert await transport.next("b", 5, 10.0) == Hint((9,))


async def test_more_than_there_is_room_for_is_swept_so_that_priorities_hold(transport: DatabaseTransport) -> None:
    transport.announce("a", [1, 2, 3])
    assert await transport.next("a", 2, 10.0) == SWEEP
    assert await transport.next("a", 2, 0.0) == NOTHING


async def test_announcements_that_nobody_asks_for_are_bounded(transport: DatabaseTransport) -> None:
    for start in range(0, 10 * QUEUE_HINTS_MAX, 100):
        transport.announce("a", range(start, start + 100))
    assert await transport.next("a", 100 * QUEUE_HINTS_MAX, 10.0) == SWEEP
    transport.announce("a", [7])
    assert await transport.next("a", 5, 10.0) == Hint((7,))


async def test_who_waits_is_woken_by_an_announcement_or_by_word(transport: DatabaseTransport) -> None:
    waiting = asyncio.ensure_future(transport.next("a", 5, 60.0))
    await asyncio.sleep(0)
    transport.announce("b", [1])
    transport.announce("a", [2])
    assert await waiting == Hint((2,))
    waiting = asyncio.ensure_future(transport.next("a", 5, 60.0))
    await asyncio.sleep(0)
    transport.wake("a")
    assert await waiting == NOTHING


async def test_who_is_cancelled_loses_no_ids(transport: DatabaseTransport) -> None:
    waiting = asyncio.ensure_future(transport.next("a", 5, 60.0))
    await asyncio.sleep(0)
    transport.announce("a", [1])
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await transport.next("a", 5, 10.0) == Hint((1,))
