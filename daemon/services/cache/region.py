"""One part of the cache: get or load, once for all who wait."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

import structlog

from daemon.core.errors import MarqueeError, UpstreamError, UpstreamKind
from daemon.core.limits import (
    CACHE_CLAIM_S,
    CACHE_CLAIM_WAIT_S,
    CACHE_KEY_CHARS_MAX,
    CACHE_POLL_S,
    CACHE_VALUE_BYTES_MAX,
)
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.cache.backend import Backend, region_tag
from daemon.services.cache.values import Corrupt, Kept, ValueCodec

_LOG = structlog.get_logger(__name__)

T = TypeVar("T")

TASK_OWNER = "cache"


class Missing(MarqueeError):
    """There is no such value: raised by loaders, and to whoever asks, also from memory."""


@dataclass(frozen=True, slots=True)
class Aged(Generic[T]):
    """A value and how old it is in seconds; `is_stale` when it is the answer only for want of a fresh one."""

    value: T
    age_s: float
    is_stale: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """For how long values are what; see `Cache.region`."""

    ttl_s: float
    stale_s: float
    patience_s: float
    negative_ttl_s: float
    jitter: float


@dataclass(frozen=True, slots=True)
class _Loaded(Generic[T]):
    """What a load came to. An error of ours is a value here: it is for those who wait, and no crash of the task."""

    kept: Kept[T] | None
    age_s: float = 0.0
    error: MarqueeError | None = None


@dataclass(frozen=True, slots=True)
class _Seen(Generic[T]):
    kept: Kept[T] | None
    age_s: float
    versions: bytes
    is_corrupt: bool = False

    @property
    def is_fresh(self) -> bool:
        return self.kept is not None and self.age_s < self.kept.fresh_s


class Region(Generic[T]):
    """Made by `Cache.region`. `load` is called by one task for all who wait for a key, and it goes on without them."""

    def __init__(
        self,
        name: str,
        codec: ValueCodec[T],
        terms: Terms,
        *,
        backend: Backend,
        supervisor: Supervisor,
        metrics: Metrics,
        rng: random.Random,
        warm_later: Callable[[str, Callable[[], Awaitable[None]]], None],
    ) -> None:
        self.name = name
        self._codec = codec
        self._terms = terms
        self._backend = backend
        self._supervisor = supervisor
        self._rng = rng
        self._warm_later = warm_later
        self._loading: dict[str, asyncio.Task[_Loaded[T]]] = {}
        outcomes = ("hit", "stale", "miss", "negative", "corrupt", "error")
        self._count = {outcome: metrics.cache_requests_total.labels(name, outcome).inc for outcome in outcomes}
        self._time = metrics.cache_load_seconds.labels(name).time

    async def get(self, key: str, load: Callable[[], Awaitable[T]], tags: Sequence[str] = ()) -> T:
        """The value of `key`, from `load()` when none is kept. Raises what that raises; `Missing` is kept, too."""
        return (await self.get_aged(key, load, tags)).value

    async def get_aged(self, key: str, load: Callable[[], Awaitable[T]], tags: Sequence[str] = ()) -> Aged[T]:
        """As `get`, with the age of the value, for answers that say so. A key is always asked for with equal tags."""
        key, tags = _bounded(key), (region_tag(self.name), *tags)
        seen = await self._look(key, tags)
        if seen.kept is not None and seen.is_fresh:
            self._count["negative" if seen.kept.is_missing else "hit"]()
            return self._answer(seen.kept, seen.age_s)
        task = self._loading.get(key) or self._begin(key, load, tags)
        old = None if seen.kept is None or seen.kept.is_missing else seen.kept
        if old is not None:
            if self._terms.patience_s > 0:
                await asyncio.wait({task}, timeout=self._terms.patience_s)
            if not _has_news(task):
                self._count["stale"]()
                return self._answer(old, seen.age_s, is_stale=True)
        await asyncio.wait({task})
        return self._outcome(task, is_corrupt=seen.is_corrupt)

    async def remember(self, key: str, value: T, tags: Sequence[str] = ()) -> None:
        """Keep a value that was found out in any case, for `recall`."""
        key, tags = _bounded(key), (region_tag(self.name), *tags)
        versions = (await self._backend.get(self.name, key, tags)).versions
        await self._keep(key, Kept(value, False, self._shortened(self._terms.ttl_s)), tags, versions)

    async def recall(self, key: str, tags: Sequence[str] = ()) -> Aged[T] | None:
        """The value that is kept, be it old, for whoever could not find it out; None when none is."""
        seen = await self._look(_bounded(key), (region_tag(self.name), *tags))
        if seen.kept is None or seen.kept.is_missing:
            self._count["corrupt" if seen.is_corrupt else "miss"]()
            return None
        self._count["hit" if seen.is_fresh else "stale"]()
        return self._answer(seen.kept, seen.age_s, is_stale=not seen.is_fresh)

    async def clear(self) -> None:
        """From now on nothing that was loaded before is an answer."""
        await self._backend.bump((region_tag(self.name),))

    def warm(self, keys: Iterable[str], load: Callable[[str], Awaitable[T]], tags: Sequence[str] = ()) -> None:
        """Once everything has started, load what is not kept, one key after the other; failures are no matter."""
        wanted = tuple(keys)

        async def run() -> None:
            for key in wanted:
                try:
                    await self.get(key, lambda key=key: load(key), tags)  # type: ignore[misc]
                except MarqueeError as error:
                    _LOG.debug("cache_not_warmed", region=self.name, error=str(error))

        self._warm_later(f"warm:{self.name}", run)

    async def _look(self, key: str, tags: Sequence[str]) -> _Seen[T]:
        looked = await self._backend.get(self.name, key, tags)
        if looked.data is None:
            return _Seen(None, 0.0, looked.versions)
        try:
            return _Seen(self._codec.decode(looked.data), looked.age_s, looked.versions)
        except Corrupt:
            _LOG.warning("cache_value_corrupt", region=self.name, size_bytes=len(looked.data))
            return _Seen(None, 0.0, looked.versions, is_corrupt=True)

    def _begin(self, key: str, load: Callable[[], Awaitable[T]], tags: Sequence[str]) -> asyncio.Task[_Loaded[T]]:
        task = self._supervisor.spawn(f"load:{self.name}", self._load(key, load, tags), owner=TASK_OWNER)
        self._loading[key] = task
        task.add_done_callback(lambda done: self._loading.pop(key, None))
        return task

    async def _load(self, key: str, load: Callable[[], Awaitable[T]], tags: Sequence[str]) -> _Loaded[T]:
        claim = await self._backend.claim(self.name, key, CACHE_CLAIM_S)
        if claim is None:
            claim = await self._wait_for_other(key, tags)
        try:
            seen = await self._look(key, tags)
            if seen.is_fresh:  # loaded by another process meanwhile
                return _Loaded(seen.kept, seen.age_s)
            with self._time():
                loaded = await self._ask(load)
            if loaded.kept is not None:
                await self._keep(key, loaded.kept, tags, seen.versions)
            return loaded
        finally:
            if claim is not None:
                await self._backend.release(self.name, key, claim)

    async def _wait_for_other(self, key: str, tags: Sequence[str]) -> str | None:
        """Until the process that loads has done so, or for a while; then this one loads as well."""
        deadline_s = asyncio.get_running_loop().time() + CACHE_CLAIM_WAIT_S
        while asyncio.get_running_loop().time() < deadline_s:
            await asyncio.sleep(CACHE_POLL_S)
            if (await self._look(key, tags)).is_fresh:
                return None
            claim = await self._backend.claim(self.name, key, CACHE_CLAIM_S)
            if claim is not None:
                return claim
        return None

    async def _ask(self, load: Callable[[], Awaitable[T]]) -> _Loaded[T]:
        terms = self._terms
        try:
            return _Loaded(Kept(await load(), False, self._shortened(terms.ttl_s)))
        except Missing as error:
            # Kept for no time at all, it still takes the place of a value that is no longer true.
            return _Loaded(Kept(None, True, self._shortened(terms.negative_ttl_s)), error=error)
        except MarqueeError as error:
            return _Loaded(None, error=error)

    async def _keep(self, key: str, kept: Kept[T], tags: Sequence[str], versions: bytes) -> None:
        data = self._codec.encode(kept)
        if len(data) > CACHE_VALUE_BYTES_MAX:
            _LOG.info("cache_value_too_large", region=self.name, size_bytes=len(data))
            return
        keep_s = kept.fresh_s if kept.is_missing else kept.fresh_s + self._terms.stale_s
        await self._backend.put(self.name, key, data, tags=tags, versions=versions, keep_s=keep_s)

    def _shortened(self, seconds: float) -> float:
        return seconds * (1.0 - self._terms.jitter * self._rng.random())

    def _outcome(self, task: asyncio.Task[_Loaded[T]], *, is_corrupt: bool) -> Aged[T]:
        if task.cancelled():
            raise UpstreamError(f"What {self.name} is loaded from", UpstreamKind.UNREACHABLE, "given up: stopping")
        loaded = task.result()
        if loaded.kept is not None:
            self._count["negative" if loaded.kept.is_missing else "corrupt" if is_corrupt else "miss"]()
        else:
            self._count["error"]()
        if loaded.error is not None:
            raise loaded.error
        return self._answer(loaded.kept, loaded.age_s)

    def _answer(self, kept: Kept[T] | None, age_s: float, *, is_stale: bool = False) -> Aged[T]:
        if kept is None or kept.is_missing:
            raise Missing(self.name)
        return Aged(cast(T, kept.value), age_s, is_stale)


def _has_news(task: asyncio.Task[_Loaded[T]]) -> bool:
    """Whether the load is over and came to something better than an old value; a refusal is an answer as well."""
    if not task.done() or task.cancelled():
        return False
    if task.exception() is not None:
        return True
    error = task.result().error
    return not isinstance(error, UpstreamError) or error.is_refusal


def _bounded(key: str) -> str:
    return key if len(key) <= CACHE_KEY_CHARS_MAX else hashlib.sha256(key.encode()).hexdigest()
