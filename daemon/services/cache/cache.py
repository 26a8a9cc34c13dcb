"""The cache of a process: regions for whoever asks, invalidation by tag, warming once everything has started."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

from daemon.core.limits import CACHE_KEPT_MAX_S, CACHE_WARMERS
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.cache.backend import Backend
from daemon.services.cache.region import TASK_OWNER, Region, Terms
from daemon.services.cache.values import ValueCodec

T = TypeVar("T")

_NAME = re.compile(r"[a-z0-9.-]{1,50}")


class Cache:
    """`backend` decides between memory and Redis; nothing else differs."""

    def __init__(self, backend: Backend, *, supervisor: Supervisor, metrics: Metrics, rng: random.Random) -> None:
        self._backend = backend
        self._supervisor = supervisor
        self._metrics = metrics
        self._rng = rng
        self._warmers = asyncio.Semaphore(CACHE_WARMERS)
        self._waiting: list[tuple[str, Callable[[], Awaitable[None]]]] | None = []

    def region(
        self,
        name: str,
        kind: type[T],
        *,
        ttl_s: float,
        stale_s: float = 0.0,
        patience_s: float = 0.0,
        negative_ttl_s: float = 0.0,
        jitter: float = 0.1,
        items_max: int = 1000,
        version: int = 1,
    ) -> Region[T]:
        """A part of the cache with terms of its own. The same name again is the same part, for a reloaded module.

        Values are of type `kind`, anything MessagePack and msgspec know: dataclasses, tuples, bytes; raise `version`
        when its meaning changes. They are fresh for `ttl_s` (less by up to the part `jitter`, so that not all end at
        once), and after that old for `stale_s`: then with `patience_s` 0 the old value is the answer and a new one is
        loaded behind it; else the new one is waited for that long, and the old one is the answer only when the loader
        is slower or fails as an outage does (UpstreamError; a refusal is an answer, and raised). "There is none"
        (`Missing`) is remembered for `negative_ttl_s`.
        """
        if not _NAME.fullmatch(name):
            raise ValueError("a region's name is made of a-z, 0-9, dots and dashes")
        if not 0 < ttl_s + stale_s <= CACHE_KEPT_MAX_S or negative_ttl_s > CACHE_KEPT_MAX_S:
            raise ValueError(f"values are kept for at most {CACHE_KEPT_MAX_S} s")
        self._backend.bound(name, items_max)
        return Region(
            name,
            ValueCodec(kind, version),
            Terms(ttl_s, stale_s, patience_s, negative_ttl_s, jitter),
            backend=self._backend,
            supervisor=self._supervisor,
            metrics=self._metrics,
            rng=self._rng,
            warm_later=self._warm_later,
        )

    async def invalidate(self, *tags: str) -> None:
        """From now on nothing that was loaded before is an answer under one of `tags`.

        With Redis for all processes, so that one handler of an event is enough. Without, for this process alone; what
        others hold ends with its time.
        """
        await self._backend.bump(tags)

    async def start(self) -> None:
        """Everything else has started: begin to warm, in the background."""
        waiting, self._waiting = self._waiting or [], None
        for name, run in waiting:
            self._warm_later(name, run)

    def _warm_later(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        if self._waiting is not None:
            self._waiting.append((name, run))
            return

        async def warm() -> None:
            async with self._warmers:
                await run()

        # Not a one-shot task of the supervisor: a stop need not wait until everything is warm.
        if not any(state.name == name and state.is_running for state in self._supervisor.states()):
            self._supervisor.start(name, warm, owner=TASK_OWNER, restart=False)
