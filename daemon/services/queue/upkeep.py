"""What a queue's runner does beside handling: fetch messages, renew leases, store progress."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Sequence

import structlog

from daemon.core.clock import Clock
from daemon.core.errors import UpstreamError
from daemon.core.limits import PROGRESS_NOTE_CHARS_MAX, PROGRESS_S, QUEUE_RETRY_S_MAX
from daemon.data.columns import to_json, to_micros
from daemon.data.queue import leases
from daemon.data.queue.leases import Claimed
from daemon.data.store import Store
from daemon.kernel.retry import backoff
from daemon.services.queue.hand import Hand, Work
from daemon.services.queue.spec import Progress, QueueSpec
from daemon.services.queue.transport import Transport

_LOG = structlog.get_logger(__name__)

SECOND = 1_000_000
_TOKEN_BITS = 62


class Fetcher:
    """Claims what there is room for: what the transport names, and what it finds by looking."""

    def __init__(
        self,
        spec: QueueSpec,
        store: Store,
        clock: Clock,
        hand: Hand,
        transport: Transport,
        rng: random.Random,
        poll_s: float,
    ) -> None:
        self._spec = spec
        self._store = store
        self._clock = clock
        self._hand = hand
        self._transport = transport
        self._rng = rng
        self._poll_s = poll_s
        self._looked_at_s = float("-inf")  # of the loop's time
        self._due_at_s = float("inf")  # when something becomes due, as far as we know
        self._is_more = True  # what waited before we came
        self._claiming = asyncio.Lock()

    def expect(self, due_at: int) -> None:
        """Something becomes due then (microseconds)."""
        at_s = asyncio.get_running_loop().time() + (due_at - to_micros(self._clock.now())) / SECOND
        if at_s < self._look_at_s():
            self._due_at_s = at_s
            self._transport.wake(self._spec.name)

    async def run(self) -> None:
        """Fetch for ever. For the supervisor."""
        failures = 0
        while True:
            room = await self._hand.wait_for_room()
            try:
                await self._fetch(room)
                failures = 0
            except UpstreamError as error:
                self._is_more = True  # ids that the transport named are found again by sweeping
                if failures == 0:
                    _LOG.warning("queue_fetch_failed", queue=self._spec.name, error=str(error))
                await asyncio.sleep(backoff(failures, first_s=0.2, max_s=QUEUE_RETRY_S_MAX, rng=self._rng))
                failures += 1

    async def hold(self) -> None:
        """Claim nothing more; returns once no claim is under way, so that what it gives can be given back."""
        await self._claiming.acquire()

    async def _fetch(self, room: int) -> None:
        ids: tuple[int, ...] | None = None
        if not self._is_more:
            wait_s = self._look_at_s() - asyncio.get_running_loop().time()
            ids = (await self._transport.next(self._spec.name, room, max(0.0, wait_s))).ids
            if ids is not None and not ids:
                if not await self._look():
                    return
                ids = None
        claimed = await self._claim(room, ids)
        if ids is None:
            self._is_more = len(claimed) >= room
            return
        missed = set(ids).difference(row.id for row in claimed)
        if missed:
            self._due_at_s = 0.0  # too early, or behind another of its key
            self._transport.settled(self._spec.name, tuple(missed))

    def _look_at_s(self) -> float:
        """When to look whether something is due that nobody told us of."""
        return min(self._due_at_s, self._looked_at_s + max(self._poll_s, self._transport.patience_s))

    async def _look(self) -> bool:
        loop = asyncio.get_running_loop()
        if loop.time() < self._look_at_s():
            return False
        now = to_micros(self._clock.now())
        is_due, next_at = await self._store.read(lambda tx: leases.look(tx, self._spec.name, now))
        self._looked_at_s = loop.time()
        self._due_at_s = float("inf") if next_at is None else self._looked_at_s + (next_at - now) / SECOND
        return is_due

    async def _claim(self, room: int, ids: Sequence[int] | None) -> list[Claimed]:
        token = secrets.randbits(_TOKEN_BITS) + 1
        now = to_micros(self._clock.now())
        until = now + int(self._spec.lease_s * SECOND)
        async with self._claiming:
            claimed = await self._store.write(
                lambda tx: leases.claim(tx, self._spec.name, token=token, now=now, until=until, count=room, ids=ids)
            )
            self._hand.add(Work(row, token, until) for row in claimed)
        return claimed


class Renewer:
    """Keeps the leases of everything in hand, and finds out which of them are lost."""

    def __init__(self, spec: QueueSpec, store: Store, clock: Clock, hand: Hand) -> None:
        self._spec = spec
        self._store = store
        self._clock = clock
        self._hand = hand

    async def run(self) -> None:
        """Renew for ever, each lease at about a third of its length. For the supervisor."""
        while True:
            await self._clock.sleep(self._spec.lease_s / 3)
            try:
                await self.renew()
            except UpstreamError as error:
                _LOG.warning("queue_renew_failed", queue=self._spec.name, error=str(error))

    async def renew(self) -> None:
        """Renew every lease that has used up a third of its length."""
        lease = int(self._spec.lease_s * SECOND)
        now = to_micros(self._clock.now())
        works = [work for work in self._hand.works.values() if work.until < now + lease * 5 // 6]
        if not works:
            return
        held = [work.held for work in works]
        lost = set(await self._store.write(lambda tx: leases.renew(tx, held, now + lease)))
        for work, was_held in zip(works, held, strict=True):
            if work.held != was_held:
                continue  # claimed again meanwhile
            work.until = now + lease
            if was_held in lost:
                self._hand.drop(work.row.id, "lost")


class Reports:
    """What running messages report, stored now and then."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._latest: dict[Work, Progress] = {}
        self._something = asyncio.Event()

    def note(self, work: Work, progress: Progress) -> None:
        """Keep it until the next time."""
        self._latest[work] = progress
        self._something.set()

    def forget(self, work: Work) -> None:
        """The attempt has ended."""
        self._latest.pop(work, None)

    async def run(self) -> None:
        """Store for ever. For the supervisor."""
        while True:
            await self._something.wait()
            self._something.clear()
            noted = [(work.held, _to_text(progress)) for work, progress in self._latest.items()]
            self._latest.clear()
            try:
                await self._store.write(lambda tx: leases.note_progress(tx, noted))  # noqa: B023  run before the next
            except UpstreamError as error:
                _LOG.warning("queue_progress_not_stored", error=str(error))
            await asyncio.sleep(PROGRESS_S)


def _to_text(progress: Progress) -> str:
    return to_json({"done": progress.done, "total": progress.total, "note": progress.note[:PROGRESS_NOTE_CHARS_MAX]})
