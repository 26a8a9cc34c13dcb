"""The floor for the Redis transport: redis-py Streams by hand, 100 messages a round trip. Usage: URL"""

from __future__ import annotations

import asyncio
import os
import sys

from redis.asyncio import Redis

from benchmarks.peers.rounds import serve

BATCH = 100
STREAM, GROUP = "bench:raw", "workers"
BODY = os.urandom(1024)


async def main(url: str) -> None:
    writer, reader = Redis.from_url(url), Redis.from_url(url)
    await writer.delete(STREAM)
    await writer.xgroup_create(STREAM, GROUP, id="0", mkstream=True)

    async def produce(count: int) -> None:
        for begin in range(0, count, BATCH):
            async with writer.pipeline(transaction=False) as pipe:
                for _ in range(min(BATCH, count - begin)):
                    pipe.xadd(STREAM, {"body": BODY})
                await pipe.execute()

    async def consume(count: int) -> None:
        done = 0
        while done < count:
            answer = await reader.xreadgroup(GROUP, "one", {STREAM: ">"}, count=BATCH, block=1000)
            batches = answer.values() if isinstance(answer, dict) else [entries for _, entries in answer or []]
            for batch in batches:
                entries = batch[0] if batch and isinstance(batch[0], list) else batch
                ids = []
                for entry_id, fields in entries:
                    assert len(fields[b"body"]) == len(BODY)
                    ids.append(entry_id)
                async with reader.pipeline(transaction=True) as pipe:
                    pipe.xack(STREAM, GROUP, *ids)
                    pipe.xdel(STREAM, *ids)
                    await pipe.execute()
                done += len(ids)

    async def one_round(count: int) -> None:
        await asyncio.gather(produce(count), consume(count))

    await serve(one_round)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
