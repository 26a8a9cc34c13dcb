"""arq in an environment of its own: enqueue by 50 at once, one worker in the same process. Usage: URL"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from rounds import serve

AT_ONCE = 50
BODY = os.urandom(1024)


async def main(url: str) -> None:
    from arq import create_pool
    from arq.connections import RedisSettings
    from arq.worker import Worker

    settings = RedisSettings.from_dsn(url)
    pool = await create_pool(settings)
    await pool.flushdb()
    done = asyncio.Semaphore(0)

    async def handle(_: dict[str, Any], body: bytes) -> None:
        assert len(body) == len(BODY)
        done.release()

    handle.__qualname__ = "handle"
    worker = Worker(
        functions=[handle], redis_settings=settings, handle_signals=False, poll_delay=0.01, max_jobs=100, keep_result=0
    )
    running = asyncio.create_task(worker.async_run())

    async def one_round(count: int) -> None:
        async def produce() -> None:
            for begin in range(0, count, AT_ONCE):
                size = min(AT_ONCE, count - begin)
                await asyncio.gather(*(pool.enqueue_job("handle", BODY) for _ in range(size)))

        async def consume() -> None:
            for _ in range(count):
                await done.acquire()

        await asyncio.gather(produce(), consume())

    await serve(one_round)
    running.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
