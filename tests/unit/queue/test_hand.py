"""How many messages are claimed: one for each idle slot, and as many ahead as are worked off in a moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from daemon.core.limits import QUEUE_AHEAD_BYTES, QUEUE_FETCH_MAX
from daemon.data.queue.leases import Claimed, Held
from daemon.services.queue.hand import Hand, Work


def work(message_id: int, *, token: int = 1, size_bytes: int = 0) -> Work:
    body = bytes(size_bytes)
    return Work(Claimed(message_id, "topic", None, body, size_bytes, b"", 1, None, "", "", 0, 1, None), token, until=0)


class Slots:
    """Four slots that take what they get and note it; they go on when told."""

    def __init__(self, hand: Hand) -> None:
        self.hand = hand
        self.taken: list[int] = []
        self.go_on = asyncio.Event()
        self.tasks = [asyncio.ensure_future(self._run()) for _ in range(4)]

    async def _run(self) -> None:
        while True:
            self.taken.append((await self.hand.take()).row.id)
            await self.go_on.wait()


@pytest_asyncio.fixture
async def slots() -> AsyncIterator[Slots]:
    slots = Slots(Hand(4))
    await asyncio.sleep(0)
    yield slots
    for task in slots.tasks:
        task.cancel()
    await asyncio.gather(*slots.tasks, return_exceptions=True)


async def test_before_anything_is_known_each_idle_slot_gets_one(slots: Slots) -> None:
    assert await slots.hand.wait_for_room() == 4
    slots.hand.add(work(n) for n in range(3))
    await asyncio.sleep(0)
    assert slots.taken == [0, 1, 2]
    assert await slots.hand.wait_for_room() == 1


async def test_slow_handlers_leave_the_rest_to_other_processes(slots: Slots) -> None:
    slots.hand.note_duration(2.0)
    slots.hand.add(work(n) for n in range(4))
    await asyncio.sleep(0)
    waiting = asyncio.ensure_future(slots.hand.wait_for_room())
    await asyncio.sleep(0)
    assert not waiting.done()
    slots.go_on.set()
    assert await waiting > 0


async def test_fast_handlers_have_their_next_messages_at_hand(slots: Slots) -> None:
    slots.hand.note_duration(0.0001)
    assert await slots.hand.wait_for_room() == QUEUE_FETCH_MAX


async def test_large_bodies_are_not_hoarded(slots: Slots) -> None:
    slots.hand.note_duration(0.0001)
    size_bytes = QUEUE_AHEAD_BYTES // 8
    slots.hand.add([work(n, size_bytes=size_bytes) for n in range(4)])
    await asyncio.sleep(0)
    assert await slots.hand.wait_for_room() == 8


async def test_what_is_dropped_before_its_turn_is_never_begun(slots: Slots) -> None:
    slots.hand.add(work(n) for n in range(6))
    await asyncio.sleep(0)
    slots.hand.drop(5, "lost")
    slots.hand.drop(77, "lost")
    slots.go_on.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert slots.taken == [0, 1, 2, 3, 4]


async def test_what_is_claimed_twice_goes_on_under_the_new_lease(slots: Slots) -> None:
    slots.hand.add([work(1)])
    await asyncio.sleep(0)
    slots.hand.add([work(1, token=2)])
    slots.go_on.set()
    await asyncio.sleep(0)
    assert slots.taken == [1]
    assert slots.hand.works[1].held == Held(1, 2)
