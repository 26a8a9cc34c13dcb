"""What this process has in hand of one queue: claimed, running, or waiting to be settled."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable
from typing import Protocol

from daemon.core.limits import QUEUE_AHEAD_BYTES, QUEUE_AHEAD_S, QUEUE_FETCH_MAX
from daemon.data.queue.leases import Claimed, Held

_SMOOTHING = 0.05  # weight of the latest attempt in the mean


class Runs(Protocol):
    """Whoever handles a message now."""

    def interrupt(self, outcome: str | None) -> None:
        """End the attempt; nothing has to be written for it, and it counts as `outcome`."""
        ...


class Work:
    """A message in hand. Its lease ends at `until` (microseconds) unless it is renewed."""

    __slots__ = ("held", "is_dropped", "row", "runs", "until")

    def __init__(self, row: Claimed, token: int, until: int) -> None:
        self.row = row
        self.held = Held(row.id, token)
        self.until = until
        self.runs: Runs | None = None
        self.is_dropped = False


class Hand:
    """Messages by id, and those among them that wait for a slot. Everything on the event loop."""

    def __init__(self, concurrency: int) -> None:
        self.works: dict[int, Work] = {}
        self._concurrency = concurrency
        self._waiting: deque[Work] = deque()
        self._idle: deque[asyncio.Future[None]] = deque()
        self._room = asyncio.Event()
        self._low = 0
        self._mean_s: float | None = None
        self._mean_bytes = 1

    def add(self, claimed: Iterable[Work]) -> None:
        """Hand out what was claimed, in this order.

        What is in hand already was claimed again because its lease had run out (the clock was set): it goes on under
        the new lease.
        """
        size_bytes = count = 0
        for work in claimed:
            known = self.works.get(work.row.id)
            if known is not None:
                known.held, known.until = work.held, work.until
                continue
            self.works[work.row.id] = work
            self._waiting.append(work)
            count += 1
            size_bytes += len(work.row.body or b"")
        if count:
            self._mean_bytes = max(1, size_bytes // count)
        for _ in range(min(len(self._waiting), len(self._idle))):
            self._idle.popleft().set_result(None)

    def pop(self) -> Work | None:
        """The next message to handle, if one waits."""
        while self._waiting:
            work = self._waiting.popleft()
            if len(self._waiting) <= self._low:
                self._room.set()
            if not work.is_dropped:
                return work
        return None

    async def take(self) -> Work:
        """The next message to handle, as soon as there is one."""
        while (work := self.pop()) is None:
            wakened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._idle.append(wakened)
            self._room.set()
            try:
                await wakened
            finally:
                if wakened in self._idle:
                    self._idle.remove(wakened)
        return work

    async def wait_for_room(self) -> int:
        """How many messages to claim now, at least 1: one for each idle slot and some ahead of need."""
        while True:
            if (room := self._count_room()) > 0:
                return room
            self._room.clear()
            await self._room.wait()

    def note_duration(self, seconds: float) -> None:
        """An attempt took this long."""
        mean_s = self._mean_s
        self._mean_s = seconds if mean_s is None else mean_s + _SMOOTHING * (seconds - mean_s)

    def drop(self, message_id: int, outcome: str | None) -> None:
        """The message is not ours any more: interrupt its attempt, or never begin it."""
        work = self.works.pop(message_id, None)
        if work is not None:
            work.is_dropped = True
            if work.runs is not None:
                work.runs.interrupt(outcome)

    def take_back(self) -> list[Work]:
        """Everything that waits for a slot, which then gets none; it stays in hand until it is settled."""
        waiting = [work for work in self._waiting if not work.is_dropped]
        self._waiting.clear()
        return waiting

    async def wait_until_idle(self, timeout_s: float) -> None:
        """Return once no handler runs, or after `timeout_s`. Only when nobody waits for room any more."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while len(self._idle) < self._concurrency:
                    self._room.clear()
                    await self._room.wait()

    def _count_room(self) -> int:
        # Nothing is known of the handlers before the first attempt.
        ahead = 0 if self._mean_s is None else int(self._concurrency * QUEUE_AHEAD_S / max(self._mean_s, 1e-6))
        ahead = min(ahead, QUEUE_FETCH_MAX - len(self._idle), QUEUE_AHEAD_BYTES // self._mean_bytes)
        self._low = ahead // 2
        if len(self._waiting) > self._low:
            return 0
        return len(self._idle) + ahead - len(self._waiting)
