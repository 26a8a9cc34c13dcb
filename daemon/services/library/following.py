"""The mirror of one server kept up to date: after notices title by title, from time to time by a look at its stamps."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import structlog

from daemon.core.clock import Clock
from daemon.core.errors import UpstreamError
from daemon.core.limits import MIRROR_LEASE_S, MIRROR_NOTICES_MAX
from daemon.kernel.health import Check, Health, Status
from daemon.kernel.retry import backoff
from daemon.kernel.trace import traced
from daemon.services.library.mirror import Mirror
from daemon.services.library.source import Outcome, Source, Summary

log = structlog.get_logger(__name__)

_SETTLE_LOOKS = 4  # a scan never goes quiet: notices are acted upon after this many quiet times at the latest


class Following:
    """One server's libraries. `note` is told what happened; `run` is a task that never ends."""

    def __init__(
        self,
        mirror: Mirror,
        source: Source,
        clock: Clock,
        health: Health,
        *,
        every_s: float,
        settle_s: float = 0.3,
        retry_first_s: float = 1.0,
        rng: random.Random | None = None,
    ) -> None:
        self._mirror = mirror
        self._source = source
        self._clock = clock
        self._health = health
        self._every_s = every_s
        self._settle_s = settle_s
        self._retry_first_s = retry_first_s
        self._rng = rng or random.Random()
        self._keys: dict[int, None] = {}
        self._is_blind = True
        self._noticed = asyncio.Event()
        self._begun = self._done = 0  # rounds, counted from 1
        self._turned = asyncio.Event()

    def note(self, rating_key: int | None) -> None:
        """A title was added, changed or deleted; None: anything may have been."""
        if rating_key is None or len(self._keys) >= MIRROR_NOTICES_MAX:
            self._is_blind = True
        else:
            self._keys[rating_key] = None
        self._noticed.set()

    async def catch_up(self) -> None:
        """Have all libraries looked at; returns when a round that began after the call has succeeded."""
        wanted = self._begun + 1
        self.note(None)
        while self._done < wanted:
            await self._turned.wait()

    async def run(self) -> None:
        """For ever: bring the mirror up to date, wait for a reason to do it again."""
        attempt = 0
        while True:
            self._begun += 1
            self._noticed.clear()
            keys, is_blind = list(self._keys), self._is_blind
            self._keys, self._is_blind = {}, False
            with traced(""):
                wait_s = await self._catch_up(keys, is_blind=is_blind)
            if wait_s is not None:
                self._is_blind = True
                longest_s = MIRROR_LEASE_S
                await asyncio.sleep(
                    wait_s or backoff(attempt, first_s=self._retry_first_s, max_s=longest_s, rng=self._rng)
                )
                attempt += 1
                continue
            attempt = 0
            self._done = self._begun
            self._turned.set()
            self._turned = asyncio.Event()
            await self._wait()

    async def _catch_up(self, keys: Sequence[int], *, is_blind: bool) -> float | None:
        """None when all is well; else how long to wait before the next look, 0 for a back-off."""
        try:
            if is_blind:
                return self._judge(await self._mirror.sync(self._source))
            if keys:
                changes = await self._mirror.catch_up(self._source, keys)
                log.debug("library_caught_up", server=self._source.server, named=len(keys), changes=changes)
        except UpstreamError as error:
            self._warn(f"{error.service} {error.kind}")
            return 0.0
        return None

    def _judge(self, summaries: Sequence[Summary]) -> float | None:
        if problems := [summary for summary in summaries if summary.outcome is Outcome.INTERRUPTED]:
            self._warn(f"{problems[0].name} was read in part only: {problems[0].problem}")
            return 0.0
        count = sum(summary.outcome is not Outcome.REMOVED for summary in summaries)
        torn = [summary.name for summary in summaries if not summary.is_whole]
        if torn:
            self._warn(f"the server contradicts itself about {', '.join(torn)}; it is read again later")
        else:
            self._health.set(self._check, Check(Status.PASS, f"{count} libraries as the server has them"))
        return MIRROR_LEASE_S if any(summary.outcome is Outcome.BUSY for summary in summaries) else None

    @property
    def _check(self) -> str:
        return f"library:{self._source.server}"

    def _warn(self, text: str) -> None:
        self._health.set(self._check, Check(Status.WARN, text))

    async def _wait(self) -> None:
        """Until something was noticed and it has been quiet for a moment, or the regular look is due."""
        try:
            async with asyncio.timeout(self._every_s):
                await self._noticed.wait()
        except TimeoutError:
            self._is_blind = True
            return
        for _ in range(_SETTLE_LOOKS):
            self._noticed.clear()
            await asyncio.sleep(self._settle_s)
            if not self._noticed.is_set():
                return
