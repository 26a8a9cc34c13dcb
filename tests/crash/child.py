"""A process that publishes and works until it is killed, on the production wiring without modules.

Settings come from MARQUEE_*. Arguments: a number that no other process has had, the id of a channel, and "live" or
"drain". `live` publishes for ever and prints each number whose unit was confirmed; `drain` publishes nothing, is ahead
of the others by more than a lease, and prints "drained" once nothing waits.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import Connection

from daemon.backbone import Kernel
from daemon.core.errors import UpstreamError
from daemon.core.events import ServerLost
from daemon.core.ids import ChannelId, ModuleId
from daemon.core.roles import Role
from daemon.data import audit, schema
from daemon.data.store import Store, Unit
from daemon.kernel import logs
from daemon.kernel.health import Health
from daemon.kernel.identity import process_name
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.parts import Parts, compose
from daemon.services.notify import Notice
from daemon.services.queue import Message, QueueSpec
from daemon.settings.load import load

AHEAD_S = 45.0  # more than a lease, less than Discord remembers a nonce
WORK = QueueSpec("crash", concurrency=8, retry_first_s=0.05, retry_max_s=0.5)
LARGE_EVERY, NOTICE_EVERY = 15, 4
_LARGE_BYTES = 300 * 1024


class Clock:
    """The machine's, set ahead."""

    def __init__(self, ahead_s: float) -> None:
        self._ahead = timedelta(seconds=ahead_s)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Child:
    """Handlers whose effects can be counted, and a publisher."""

    def __init__(self, parts: Parts, store: Store, clock: Clock, channel: int) -> None:
        self._backbone = parts.backbone
        self._store = store
        self._clock = clock
        self._channel = ChannelId(channel)
        backbone = parts.backbone
        backbone.queue.declare(WORK)
        backbone.queue.handle(WORK.name, "", self._work)
        backbone.events.subscribe("crash.count", ServerLost, self._count)
        backbone.events.subscribe("crash.tell", ServerLost, self._tell)
        backbone.notify.deliver(parts.fleet.notices)

    async def publish_for_ever(self, first: int) -> None:
        """One unit a number: an event, and a message whose body is large now and then."""
        queue = self._backbone.queue
        number = first
        while True:
            number += 1
            data = str(number).encode()
            try:
                body = await queue.stage(data.ljust(_LARGE_BYTES) if number % LARGE_EVERY == 0 else data)
            except (OSError, UpstreamError):
                print("refused", flush=True)
                await asyncio.sleep(0.05)
                continue
            event = ServerLost(occurred_at=self._clock.now(), server=str(number), problem="is unreachable")

            def unit(tx: Connection, event: ServerLost = event, body=body) -> None:  # type: ignore[no-untyped-def]
                self._backbone.events.publish(tx, event)
                queue.put(tx, WORK.name, "work", body, key=f"key-{int(event.server) % 5}", dedupe=event.server)

            try:
                await self._store.write(unit)
            except UpstreamError:
                print("refused", flush=True)
                await asyncio.sleep(0.05)
                continue
            print(number, flush=True)
            await asyncio.sleep(0.01)

    async def drain(self) -> None:
        """Return once nothing has waited for a second."""
        quiet = 0
        while quiet < 5:
            try:
                depths = await self._backbone.queue.depths()
                quiet = 0 if any(d.ready or d.delayed or d.leased for d in depths.values()) else quiet + 1
            except UpstreamError:
                quiet = 0
            await asyncio.sleep(0.2)

    async def _count(self, event: ServerLost) -> Unit[None]:
        return self._effect(f"count {event.server}")

    async def _tell(self, event: ServerLost) -> Unit[str | None] | None:
        if int(event.server) % NOTICE_EVERY:
            return None
        notice = Notice(ModuleId("crash"), f"lost {event.server}", f"lost {event.server}", self._channel)
        return lambda tx: self._backbone.notify.post(tx, notice)

    async def _work(self, message: Message) -> Unit[None]:
        return self._effect(f"work {int(message.body)}")

    def _effect(self, what: str) -> Unit[None]:
        at = self._clock.now()
        return lambda tx: audit.add(tx, at=at, actor=None, action="effect", target=what, detail={}, trace_id="")


async def main(first: int, channel: int, what: str) -> None:
    settings = load(os.environ, use_local=False)
    supervisor, metrics = Supervisor(log=structlog.get_logger("crash")), Metrics()
    clock = Clock(AHEAD_S if what == "drain" else 0.0)
    await schema.ensure_head(settings.database_url, settings.data_dir)
    store = await Store.open(settings.database_url, metrics=metrics)
    kernel = Kernel(supervisor, Health(supervisor, clock), metrics, clock, process_name())
    parts = await compose(settings, kernel, store, Role.WORKER)
    if parts.backbone.redis is not None:
        await parts.backbone.redis.start()
    child = Child(parts, store, clock, channel)
    await parts.fleet.start()
    await parts.backbone.events.sync()
    await parts.backbone.queue.start()
    if what == "live":
        await child.publish_for_ever(first)
    await child.drain()
    await parts.backbone.watcher.look()
    findings = await parts.backbone.watcher.look()
    print(f"findings {len(findings)}", flush=True)
    print("drained", flush=True)
    os._exit(0)


if __name__ == "__main__":
    logs.configure("json", "warning", [])
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
