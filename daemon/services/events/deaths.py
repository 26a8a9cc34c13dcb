"""Dead letters become events, so that somebody can be told."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Connection

from daemon.core.clock import Clock
from daemon.core.errors import UpstreamError
from daemon.core.events import MessageDied
from daemon.core.limits import DEATHS_BATCH, DEATHS_EVERY_S, DEATHS_LOOK_BACK_S, DEATHS_OVERLAP_S
from daemon.data import events as data
from daemon.data.store import Store
from daemon.services.events.events import Events
from daemon.services.queue import DEATHS

log = structlog.get_logger(__name__)

_OVERLAP: Final = timedelta(seconds=DEATHS_OVERLAP_S)


class Deaths:
    """Publishes a `MessageDied` for each dead letter, those included that another process left before it ended.

    One letter is one event whoever looks at it, so every look begins a little before the last one ended. The death of
    a delivery of `MessageDied` itself is passed over: it would be told for ever.
    """

    def __init__(self, store: Store, events: Events, clock: Clock) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._died = asyncio.Event()
        self._since = clock.now() - timedelta(seconds=DEATHS_LOOK_BACK_S)

    async def run(self) -> None:
        """For ever: at once when something dies in this process, and from time to time. For the supervisor."""
        stop_listening = self._store.on_commit(DEATHS, lambda _: self._died.set())
        try:
            while True:
                self._died.clear()
                try:
                    await self.publish()
                except UpstreamError as error:
                    log.warning("deaths_not_published", error=str(error))
                await self._wait()
        finally:
            stop_listening()

    async def publish(self) -> int:
        """Publish what died since the last look; how many of the events were new. UpstreamError from the store."""
        began = self._clock.now()
        published = after = 0
        while True:
            new, after = await self._store.write(partial(self._publish, since=self._since, after=after))
            published += new
            if not after:
                break
        self._since = began - _OVERLAP
        return published

    def _publish(self, tx: Connection, *, since: datetime, after: int) -> tuple[int, int]:
        """How many were new, and the number of the last letter looked at; 0 when there are no more."""
        letters = data.deaths(tx, MessageDied.TYPE, since, after, DEATHS_BATCH)
        new = 0
        for letter in letters:
            event = MessageDied(
                letter_id=letter.letter_id,
                queue=letter.queue,
                topic=letter.topic,
                reason=letter.reason,
                attempts=letter.attempts,
                source=letter.source,
                occurred_at=letter.died_at,
            )
            new += self._events.publish(tx, event, source=f"dead letter {letter.letter_id}", trace_id=letter.trace_id)
        return new, letters[-1].letter_id if len(letters) == DEATHS_BATCH else 0

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(DEATHS_EVERY_S):
                await self._died.wait()
        except TimeoutError:
            return
