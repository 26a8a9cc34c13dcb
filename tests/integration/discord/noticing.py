"""Processes that deliver notices: a queue, the service, and the fleet of the stage to post with."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import select

from daemon.core.clock import Clock
from daemon.core.ids import AppId, ChannelId, MemberId
from daemon.data import notices
from daemon.data.notices import NoticeRow
from daemon.data.queue.tables import dead_letters
from daemon.data.store import Store
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.notify import Answer, Notice, NoticeSender, Notify
from daemon.services.queue import DatabaseClaims, DatabaseTransport, Queue
from integrations.discord.notices import DiscordNotices
from tests.integration.discord.stage import DEMO, Stage

POLL_S = 0.02


@dataclass(eq=False)
class Process:
    """One that puts notices in and, unless it is only a web server, delivers them."""

    stage: Stage
    store: Store
    notify: Notify
    queue: Queue
    supervisor: Supervisor
    metrics: Metrics

    async def post(self, notice: Notice) -> str | None:
        return await self.store.write(lambda tx: self.notify.post(tx, notice))

    async def say(self, text: str, key: str = "", **more: Any) -> str:
        """Post to #general, under the text as key."""
        target = {} if "member_id" in more else {"channel_id": self.stage.general}
        nonce = await self.post(Notice(DEMO, key or text, text, **target | more))
        assert nonce is not None
        return nonce

    async def row(self, nonce: str) -> NoticeRow:
        found = await self.store.read(lambda tx: notices.get(tx, nonce))
        assert found is not None
        return found

    async def posted(self, nonce: str) -> NoticeRow:
        """Wait until it is known to stand there."""
        async with asyncio.timeout(20):
            while (row := await self.row(nonce)).message_id is None:  # noqa: ASYNC110  nothing tells
                await asyncio.sleep(0.01)
        return row

    async def tried(self, nonce: str) -> NoticeRow:
        """Wait until it may stand there."""
        async with asyncio.timeout(20):
            while (row := await self.row(nonce)).tried_at is None:  # noqa: ASYNC110  nothing tells
                await asyncio.sleep(0.01)
        return row

    async def dead(self) -> tuple[str, str]:
        """Wait for the first dead letter: reason, detail."""
        async with asyncio.timeout(20):
            while not (rows := await self.store.read(lambda tx: tx.execute(select(dead_letters)).all())):  # noqa: ASYNC110  nothing tells
                await asyncio.sleep(0.01)
        return rows[0].reason, rows[0].detail

    async def retried(self, times: int = 1) -> None:
        """Wait until so many attempts have failed; the clock runs on so that they come soon."""
        while self.count("retried") < times:
            self.stage.lab.clock.jump(1)
            await asyncio.sleep(0.02)

    def count(self, outcome: str) -> float:
        value = self.metrics.registry.get_sample_value("marquee_notices_total", {"outcome": outcome})
        return value or 0.0

    async def stand_still(self) -> None:
        """Renew no lease and claim nothing more; a handler that runs goes on."""
        for owner in ("queue:notify:fetch", "queue:notify:upkeep"):
            await self.supervisor.cancel(owner)

    async def crash(self) -> None:
        """As kill -9: its tasks end where they are, and nothing is given back."""
        for state in self.supervisor.states():
            await self.supervisor.cancel(state.owner)


@asynccontextmanager
async def process(
    stage: Stage,
    *,
    store: Store | None = None,
    sender: NoticeSender | None = None,
    clock: Clock | None = None,
    delivers: bool = True,
) -> AsyncIterator[Process]:
    """Another process on the stage's database, or on `store`."""
    store, clock = store or stage.store, clock or stage.clock
    metrics = Metrics()
    supervisor = Supervisor(log=structlog.get_logger("test"), metrics=metrics)
    queue = Queue(
        store,
        clock,
        claims=DatabaseClaims(store, clock),
        transport=DatabaseTransport(),
        supervisor=supervisor,
        metrics=metrics,
        rng=random.Random(1),
        poll_s=POLL_S,
    )
    notify = Notify(store, queue, clock, metrics)
    if delivers:
        notify.deliver(sender or sender_of(stage))
    await queue.start(None if delivers else ())
    try:
        yield Process(stage, store, notify, queue, supervisor, metrics)
    finally:
        await queue.stop(0.2)
        await supervisor.drain(0.0)


def sender_of(stage: Stage) -> DiscordNotices:
    return stage.fleet.notices


class Interrupted(DiscordNotices):
    """Posts, and then `happens` before anybody hears of it: an exception, or something that never ends."""

    def __init__(self, stage: Stage, happens: Callable[[], Any]) -> None:
        super().__init__(stage.fleet.bots_for, len(stage.lab.tokens), stage.fleet.messages)
        self.happens = happens

    async def post(self, app_id: AppId, channel_id: ChannelId, notice: Notice) -> Answer:
        answer = await super().post(app_id, channel_id, notice)
        await self.happens()
        return answer


def direct(stage: Stage, name: str) -> MemberId:
    return MemberId(stage.lab.user(name).user_id)
