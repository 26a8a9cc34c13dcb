"""Our queue end to end: 4 producers and workers in one process, 100 messages a unit. Usage: DATABASE_URL REDIS_URL SIZE

REDIS_URL may be empty. SIZE is that of a body in bytes; no two bodies are alike. A round ends when its last message was
handled. Large bodies are put one a unit, 8 at once, as callers of `Queue.send` would do.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from functools import partial

from benchmarks.ours.backbone import Wired, lag_of_loop, wired
from benchmarks.peers.rounds import serve
from benchmarks.rows import percentile
from daemon.services.queue import Entry, Message, QueueSpec

BATCH = 100
SMALL_MAX = 16 * 1024
AT_ONCE = 8
PRODUCERS = 4
QUEUE = QueueSpec("bench", concurrency=32, length_max=1_000_000)


class Rounds:
    """Counts down the messages of a round."""

    def __init__(self, on: Wired, size_bytes: int) -> None:
        self._on = on
        self._size_bytes = size_bytes
        self._rest = os.urandom(size_bytes - 8)
        self._number = 0
        self._left = 0
        self._ended = asyncio.Event()

    async def handle(self, message: Message) -> None:
        assert len(message.body) == self._size_bytes
        self._left -= 1
        if not self._left:
            self._ended.set()

    async def run(self, count: int) -> dict[str, float] | None:
        self._left = count
        self._ended.clear()
        if self._size_bytes <= SMALL_MAX:
            await self._put_small(count)
            await self._ended.wait()
            return None
        async with lag_of_loop() as lags_ms:
            await self._put_large(count)
            await self._ended.wait()
        return {"lag_p99_ms": percentile(lags_ms, 99)}

    async def _put_small(self, count: int) -> None:
        batches = iter(range(0, count, BATCH))
        await asyncio.gather(*(self._put_batches(count, batches) for _ in range(PRODUCERS)))

    async def _put_batches(self, count: int, batches: Iterator[int]) -> None:
        for begin in batches:
            entries = [Entry("work", self._body()) for _ in range(min(BATCH, count - begin))]
            await self._on.store.write(partial(self._on.queue.put_many, queue=QUEUE.name, entries=entries))

    async def _put_large(self, count: int) -> None:
        for begin in range(0, count, AT_ONCE):
            size = min(AT_ONCE, count - begin)
            await asyncio.gather(*(self._on.queue.send(QUEUE.name, "work", self._body()) for _ in range(size)))

    def _body(self) -> bytes:
        self._number += 1
        return self._number.to_bytes(8, "big") + self._rest


async def main(database_url: str, redis_url: str, size_bytes: int) -> None:
    async with wired(database_url, redis_url) as on:
        rounds = Rounds(on, size_bytes)
        on.queue.declare(QUEUE)
        on.queue.handle(QUEUE.name, "", rounds.handle)
        await on.queue.start()
        await serve(rounds.run)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
