"""Redis Streams as transport: processes tell each other at once which messages wait. The database stays the truth.

Each queue is a stream with one consumer group; an entry holds ids of messages. Losing everything in Redis loses
nothing but time: whoever has room looks into the database now and then, often while Redis is away, seldom else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from redis import exceptions

from daemon.core.errors import UpstreamError
from daemon.core.limits import (
    QUEUE_HINTS_MAX,
    REDIS_ANSWER_S,
    REDIS_RETRY_S,
    STREAM_BLOCK_S,
    STREAM_BUFFER_IDS_MAX,
    STREAM_CONSUMER_IDLE_S,
    STREAM_HOLD_S,
    STREAM_PATIENCE_S,
    STREAM_READERS_MAX,
    STREAM_RECLAIM_MAX,
)
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.queue.lane import FIELD, Entry, Lane, in_parts, to_dict, to_entry
from daemon.services.queue.transport import Hint
from daemon.services.redis import Client, Redis, add, execute

_LOG = structlog.get_logger(__name__)

_OWNER = "queue:streams"
_GROUP = "workers"
_CLOSE_S = 1.0


class StreamsTransport:
    """Hints by way of Redis while it is there, from this process alone while it is not.

    `idle_s`: entries that a consumer has had for longer are given to others; about the length of a lease. `patience_s`:
    between two looks into the database while Redis is there.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        process: str,
        supervisor: Supervisor,
        metrics: Metrics,
        idle_s: float,
        patience_s: float = STREAM_PATIENCE_S,
    ) -> None:
        self._redis = redis
        self._consumer = process
        self._supervisor = supervisor
        self._degraded = metrics.transport_degraded
        self._idle_s = idle_s
        self._patience_s = patience_s
        self._reader = redis.connect("reader", connections_max=STREAM_READERS_MAX)
        self._lanes: dict[str, Lane] = {}
        self._lost: set[str] = set()  # queues that cannot be read although Redis answers
        self._announced: dict[str, list[int] | None] = {}  # None: too many to name, a sweep will do
        self._ended: dict[str, list[bytes]] = {}
        self._is_work = asyncio.Event()
        self._is_up = asyncio.Event()
        self._later: set[asyncio.TimerHandle] = set()
        self._stop_listening = redis.on_change(self._note_change)
        self._note_change()

    @property
    def patience_s(self) -> float:
        """See `Transport`."""
        return self._patience_s if self._is_up.is_set() and not self._lost else 0.0

    async def start(self) -> None:
        """Begin; with a Redis that is away, too."""
        self._supervisor.start("queue.streams.flush", self._flush_for_ever, owner=_OWNER)
        self._supervisor.start("queue.streams.reclaim", self._reclaim_for_ever, owner=_OWNER)

    async def close(self) -> None:
        """Say what is still to be said, within a second, and disconnect. What is not settled others will take up."""
        self._stop_listening()
        for timer in self._later:
            timer.cancel()
        await self._supervisor.cancel(_OWNER)
        for lane in self._lanes.values():
            self._put_back(lane)
        await self._flush(within_s=_CLOSE_S)
        for lane in self._lanes.values():
            if lane.is_settled and self._is_up.is_set():
                await self._try("XGROUP", "DELCONSUMER", self._key(lane.queue), _GROUP, self._consumer)
        await self._reader.aclose()

    def announce(self, queue: str, ids: Sequence[int]) -> None:
        """See `Transport`: in the next batch to Redis, or to this process alone while it is away."""
        if not self._is_up.is_set():
            self._announce_here(queue, ids)
            return
        announced = self._announced.setdefault(queue, [])
        if announced is not None:
            announced.extend(ids)
            if len(announced) > STREAM_BUFFER_IDS_MAX:
                self._announced[queue] = None
        self._is_work.set()

    def announce_later(self, queue: str, ids: Sequence[int], in_s: float) -> None:
        """See `Transport`. Beyond `QUEUE_HINTS_MAX` they are left to the looks into the database."""
        if len(self._later) < QUEUE_HINTS_MAX:
            loop = asyncio.get_running_loop()

            def announce() -> None:
                self._later.discard(timer)
                self.announce(queue, ids)

            timer = loop.call_later(in_s, announce)
            self._later.add(timer)

    def wake(self, queue: str) -> None:
        """See `Transport`."""
        self._lane(queue).something.set()

    async def next(self, queue: str, count: int, wait_s: float) -> Hint:
        """See `Transport`. A backlog is SWEEP, so that the order of priorities holds; the rest is others' as well."""
        lane = self._lane(queue)
        lane.wanted = count
        lane.asked.set()
        try:
            if not lane.something.is_set():
                async with asyncio.timeout(wait_s):
                    await lane.something.wait()
        except TimeoutError:
            pass
        finally:
            lane.wanted = 0
        lane.something.clear()
        taken = lane.take(count)
        if taken.hint.ids is None:
            self._end(queue, lane.settle_empty())
            self._end(queue, lane.settle(taken.let_go))
            if taken.left:
                self.announce(queue, taken.left)
        return taken.hint

    def settled(self, queue: str, ids: Sequence[int]) -> None:
        """See `Transport`: entries of which nothing is open are acknowledged and deleted."""
        lane = self._lanes.get(queue)
        if lane is not None:
            self._end(queue, lane.settle(ids))

    def _lane(self, queue: str) -> Lane:
        lane = self._lanes.get(queue)
        if lane is None:
            lane = self._lanes[queue] = Lane(queue)
            self._supervisor.start(f"queue.streams.{queue}", lambda: self._read_for_ever(lane), owner=_OWNER)
        return lane

    def _key(self, queue: str) -> str:
        return self._redis.key("queue", queue)

    def _announce_here(self, queue: str, ids: Sequence[int] | None) -> None:
        if queue not in self._lanes:
            return
        if ids is None:
            self._lanes[queue].sweep()
        else:
            self._lanes[queue].add_here(ids)

    def _end(self, queue: str, entry_ids: list[bytes]) -> None:
        if entry_ids:
            self._ended.setdefault(queue, []).extend(entry_ids)
            self._is_work.set()

    def _put_back(self, lane: Lane) -> None:
        """What arrived when nobody waited for it any more: somebody else may."""
        if lane.is_holding and not lane.wanted:
            ids = lane.drop()
            self._end(lane.queue, lane.settle(ids))
            self.announce(lane.queue, ids)

    def _note_change(self) -> None:
        """Redis went or came: hints may have been lost either way."""
        if self._redis.is_up:
            self._is_up.set()
        else:
            self._is_up.clear()
        for lane in self._lanes.values():
            lane.sweep()
        self._show()

    def _show(self) -> None:
        self._degraded.set(self.patience_s == 0.0)

    # Writing

    async def _flush_for_ever(self) -> None:
        while True:
            await self._is_work.wait()
            await self._flush(within_s=REDIS_ANSWER_S)

    async def _flush(self, *, within_s: float) -> None:
        self._is_work.clear()
        announced, self._announced = self._announced, {}
        ended, self._ended = self._ended, {}
        if not announced and not ended:
            return
        try:
            await self._redis.call(lambda client: self._write(client, announced, ended), within_s=within_s)
        except UpstreamError as error:
            # Entries that could not be ended are idle some day, and end then.
            _LOG.debug("queue_hints_dropped", error=str(error), queues=sorted(announced))
            for queue, ids in announced.items():
                self._announce_here(queue, ids)

    async def _write(
        self, client: Client, announced: Mapping[str, Sequence[int] | None], ended: Mapping[str, Sequence[bytes]]
    ) -> None:
        async with client.pipeline(transaction=True) as pipe:
            for queue, ids in announced.items():
                for part in in_parts(ids or ()):
                    add(pipe, "XADD", self._key(queue), "*", FIELD, ",".join(map(str, part)))
            for queue, entry_ids in ended.items():
                add(pipe, "XACK", self._key(queue), _GROUP, *entry_ids)
                add(pipe, "XDEL", self._key(queue), *entry_ids)
            await pipe.execute()

    async def _try(self, *words: str | bytes | int) -> Any:
        """One command of upkeep: its failure is of no consequence."""
        try:
            return await self._redis.call(lambda client: execute(client, *words), within_s=_CLOSE_S)
        except UpstreamError:
            return None

    # Reading

    async def _read_for_ever(self, lane: Lane) -> None:
        while True:
            await lane.asked.wait()
            await self._is_up.wait()
            lane.asked.clear()
            count = lane.count_entries()
            try:
                entries = await self._redis.guarded(
                    lambda: self._read(lane.queue, count),  # noqa: B023  awaited here
                    within_s=STREAM_BLOCK_S + REDIS_ANSWER_S,
                )
            except UpstreamError as error:
                await self._note_lost(lane, error)
                continue
            self._note_read(lane)
            if entries is None:  # the group was missing: whatever it knew is lost
                lane.sweep()
            elif entries:
                lane.add(entries, is_more=len(entries) >= count)
                if not lane.wanted:
                    asyncio.get_running_loop().call_later(STREAM_HOLD_S, self._put_back, lane)
            if lane.wanted:
                lane.asked.set()

    async def _read(self, queue: str, count: int) -> list[Entry] | None:
        """Entries that nobody has had; [] when none came in time, None when the group had to be made first."""
        key = self._key(queue)
        group = ("GROUP", _GROUP, self._consumer, "COUNT", count, "BLOCK", int(STREAM_BLOCK_S * 1000))
        try:
            answer = await execute(self._reader, "XREADGROUP", *group, "STREAMS", key, ">")
        except exceptions.ResponseError as error:
            if not str(error).startswith(("NOGROUP", "UNBLOCKED")):
                raise
            await self._make_group(key)
            return None
        return [to_entry(*entry) for _, entries in answer for entry in entries]

    async def _make_group(self, key: str) -> None:
        try:
            await execute(self._reader, "XGROUP", "CREATE", key, _GROUP, "0", "MKSTREAM")
        except exceptions.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    async def _note_lost(self, lane: Lane, error: UpstreamError) -> None:
        lane.asked.set()
        if self._is_up.is_set():
            _LOG.warning("queue_stream_unreadable", queue=lane.queue, error=str(error))
            self._lost.add(lane.queue)
            self._show()
            lane.sweep()
            await asyncio.sleep(REDIS_RETRY_S)

    def _note_read(self, lane: Lane) -> None:
        if lane.queue in self._lost:
            self._lost.discard(lane.queue)
            self._show()

    # What consumers that died have left behind

    async def _reclaim_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._idle_s / 2)
            await self._is_up.wait()
            for lane in tuple(self._lanes.values()):
                await self._reclaim(lane)
                await self._forget_consumers(self._key(lane.queue))

    async def _reclaim(self, lane: Lane) -> None:
        """Announce anew what has been with a consumer for too long; our own we have, and keep."""
        key, cursor = self._key(lane.queue), b"0-0"
        idle_ms = int(self._idle_s * 1000)
        while True:
            answer = await self._try(
                "XAUTOCLAIM", key, _GROUP, self._consumer, idle_ms, cursor, "COUNT", STREAM_RECLAIM_MAX
            )
            if not answer:
                return
            cursor = answer[0]
            for raw in answer[1]:
                # Redis 6.2 gives nil for an entry that was deleted.
                if raw is None or raw[0] is None or lane.is_open(raw[0]):
                    continue
                entry = to_entry(*raw)
                self._end(lane.queue, [entry.entry_id])
                self.announce(lane.queue, entry.ids)
            if cursor == b"0-0":
                return

    async def _forget_consumers(self, key: str) -> None:
        """Processes that have ended, and of which nothing is left."""
        for told in await self._try("XINFO", "CONSUMERS", key, _GROUP) or ():
            consumer = to_dict(told)
            if consumer["pending"] == 0 and consumer["idle"] > STREAM_CONSUMER_IDLE_S * 1000:
                await self._try("XGROUP", "DELCONSUMER", key, _GROUP, consumer["name"])
