"""taskiq on Redis Streams in an environment of its own; bodies as base64, which it needs. Usage: URL"""

from __future__ import annotations

import asyncio
import base64
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from rounds import serve

AT_ONCE = 50
BODY = os.urandom(1024)


async def main(url: str) -> None:
    from taskiq.api import run_receiver_task
    from taskiq_redis import RedisStreamBroker

    broker = RedisStreamBroker(url, queue_name="bench-taskiq")
    done = asyncio.Semaphore(0)

    @broker.task(task_name="handle")
    async def handle(text: str) -> None:
        assert len(base64.b64decode(text)) == len(BODY)
        done.release()

    broker.is_worker_process = True
    await broker.startup()
    running = asyncio.create_task(run_receiver_task(broker, max_async_tasks=100))

    async def one_round(count: int) -> None:
        async def produce() -> None:
            for begin in range(0, count, AT_ONCE):
                size = min(AT_ONCE, count - begin)
                await asyncio.gather(*(handle.kiq(base64.b64encode(BODY).decode()) for _ in range(size)))

        async def consume() -> None:
            for _ in range(count):
                await done.acquire()

        await asyncio.gather(produce(), consume())

    await serve(one_round)
    running.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
