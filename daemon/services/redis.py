"""Redis, where one is configured: connections, scripts, a circuit breaker and the health check. Never a condition.

Whoever uses it has something to do without it: the queue sweeps the database, the cache loads directly, rate limits
count in memory. So a Redis that is away is a warning, and it is used again by itself once it answers.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import structlog
from redis import asyncio as driver
from redis import exceptions
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.limits import (
    REDIS_ANSWER_S,
    REDIS_CONNECT_S,
    REDIS_CONNECTIONS_MAX,
    REDIS_LOOK_S,
    REDIS_REST_S,
    REDIS_RETRY_S,
)
from daemon.kernel.breaker import Breaker, BreakerOpen
from daemon.kernel.health import Check, Health, Status
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor

_LOG = structlog.get_logger(__name__)

T = TypeVar("T")
Client: TypeAlias = driver.Redis
Pipeline: TypeAlias = driver.client.Pipeline
Value: TypeAlias = bytes | str | int | float

TASK_OWNER = "redis"
SERVICE = "Redis"

VERSION_MIN = (6, 2)
_FAILURES_MAX = 3
_DEGRADED = "work goes on from the database, caches and limits from memory"
_KINDS: tuple[tuple[type[exceptions.RedisError], UpstreamKind], ...] = (
    (exceptions.TimeoutError, UpstreamKind.TIMED_OUT),
    (exceptions.AuthenticationError, UpstreamKind.UNAUTHORIZED),
    (exceptions.AuthenticationWrongNumberOfArgsError, UpstreamKind.UNAUTHORIZED),
    (exceptions.NoPermissionError, UpstreamKind.FORBIDDEN),
    (exceptions.BusyLoadingError, UpstreamKind.BUSY),
    (exceptions.OutOfMemoryError, UpstreamKind.BUSY),
    (exceptions.ReadOnlyError, UpstreamKind.BUSY),
    (exceptions.ConnectionError, UpstreamKind.UNREACHABLE),
)


@dataclass(frozen=True)
class Script:
    """A Lua script; Redis keeps it under its digest until it restarts or is told to forget, then it is sent again."""

    source: str
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest())


class Redis:
    """One Redis for all parts of this process.

    Keys are `marquee:<namespace>:...`, so that installations with different namespaces may share a Redis. Calls that
    fail raise UpstreamError: after a few in a row they do so at once (RESTING), and one is let through each
    `REDIS_REST_S` seconds. An error that Redis itself answers (kind BROKEN) says nothing about its health.
    """

    def __init__(
        self,
        url: str,
        *,
        namespace: str,
        process: str,
        supervisor: Supervisor,
        health: Health,
        metrics: Metrics,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._prefix = f"marquee:{namespace}:"
        self._process = process
        self._supervisor = supervisor
        self._health = health
        self._is_up: bool | None = None  # None: not asked yet
        self._listeners: list[Callable[[], None]] = []
        self._client = self.connect("shared", connections_max=REDIS_CONNECTIONS_MAX)
        self._breaker = Breaker(
            "redis",
            counts=is_outage,
            failures_max=_FAILURES_MAX,
            open_s=REDIS_REST_S,
            monotonic=monotonic,
            metrics=metrics,
            health=health,
            owner=TASK_OWNER,
        )
        health.set("redis", Check(Status.WARN, f"not asked yet; {_DEGRADED}"), owner=TASK_OWNER)

    @property
    def is_up(self) -> bool:
        """Whether the last call was answered; False before the first."""
        return self._is_up is True

    async def start(self) -> None:
        """Look at once, and from then on whether it is there. Returns whether it is or not."""
        await self._look()
        self._supervisor.start("redis", self._keep_looking, owner=TASK_OWNER)

    async def stop(self) -> None:
        """End the looking and close what `call` uses; clients of `connect` are their owner's to close."""
        await self._supervisor.cancel(TASK_OWNER)
        self._health.remove(owner=TASK_OWNER)
        await self._client.aclose()

    def key(self, *parts: str) -> str:
        """The full name of a key: `marquee:<namespace>:cache:posters:...` for ("cache", "posters", ...)."""
        return self._prefix + ":".join(parts)

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener()` whenever Redis has gone away or come back (see `is_up`); the result ends that."""
        self._listeners.append(listener)

        def forget() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return forget

    def connect(self, purpose: str, *, connections_max: int) -> Client:
        """A client with connections of its own, for who blocks while reading: nothing is retried or decoded in it.

        It has no time limits but that for connecting: `guarded` has. Those of the driver cost a task a command, and on
        Python 3.11 they swallow the cancellation of whoever waits (asyncio.wait_for, python/cpython#86296).
        """
        return _client(self._url, f"marquee-{purpose}-{self._process}", connections_max)

    async def call(self, work: Callable[[Client], Awaitable[T]], *, within_s: float = REDIS_ANSWER_S) -> T:
        """`work(client)` as `guarded` does it, with the client that all share."""
        return await self.guarded(lambda: work(self._client), within_s=within_s)

    async def guarded(self, work: Callable[[], Awaitable[T]], *, within_s: float) -> T:
        """`work()` behind the breaker, given up after `within_s`, with its errors mapped."""
        try:
            result = await self._breaker.call(lambda: _mapped(work, within_s))
        except BreakerOpen:
            raise UpstreamError(SERVICE, UpstreamKind.RESTING) from None
        except UpstreamError as error:
            if is_outage(error):
                self._note(error)
            raise
        self._note(None)
        return result

    async def run(
        self, script: Script, keys: Sequence[str], args: Sequence[Value] = (), *, within_s: float = REDIS_ANSWER_S
    ) -> Any:
        """What `script` returns for `keys` (full names) and `args`; it is sent again when Redis no longer has it."""

        async def work(client: Client) -> Any:
            try:
                return await execute(client, "EVALSHA", script.digest, len(keys), *keys, *args)
            except exceptions.NoScriptError:
                return await execute(client, "EVAL", script.source, len(keys), *keys, *args)

        return await self.call(work, within_s=within_s)

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(REDIS_LOOK_S if self.is_up else REDIS_RETRY_S)
            await self._look()

    async def _look(self) -> None:
        with suppress(UpstreamError):  # what it means has been noted by then
            await self.call(lambda client: execute(client, "PING"))

    def _note(self, error: UpstreamError | None) -> None:
        was_up, self._is_up = self._is_up, error is None
        if error is None:
            self._health.set("redis", Check(Status.PASS, "answers"), owner=TASK_OWNER)
        else:
            self._health.set("redis", Check(Status.WARN, f"{SERVICE} {error.kind}; {_DEGRADED}"), owner=TASK_OWNER)
        if was_up is self._is_up:
            return
        if error is not None:
            _LOG.warning("redis_lost", kind=error.kind.name.lower(), detail=error.detail)
        else:
            _LOG.info("redis_found")
        for listener in tuple(self._listeners):
            listener()


async def version_at(url: str) -> tuple[int, ...]:
    """The version of the Redis there, (7, 0, 15) say. UpstreamError when it does not answer."""
    client = _client(url, "marquee-check", 1)
    try:
        told = await _mapped(lambda: execute(client, "INFO", "server"), REDIS_ANSWER_S)
    finally:
        await client.aclose()
    return tuple(int(part) for part in str(told["redis_version"]).split(".") if part.isdecimal())


def _client(url: str, name: str, connections_max: int) -> Client:
    pool: driver.ConnectionPool = driver.BlockingConnectionPool.from_url(
        url,
        max_connections=connections_max,
        timeout=REDIS_ANSWER_S,
        socket_timeout=None,
        socket_connect_timeout=REDIS_CONNECT_S,
        retry=Retry(NoBackoff(), 0),
        client_name=name,
        protocol=2,  # lists instead of dicts, and none of the pushes that the driver asks for with RESP3
        driver_info=None,  # else each new connection reads the version of the package from the disk
        decode_responses=False,
    )
    return driver.Redis.from_pool(pool)


def is_outage(error: BaseException) -> bool:
    """Whether the failure speaks of Redis itself; one that it answers speaks of what was asked."""
    return isinstance(error, UpstreamError) and error.kind not in (UpstreamKind.BROKEN, UpstreamKind.RESTING)


async def _mapped(work: Callable[[], Awaitable[T]], within_s: float) -> T:
    try:
        async with asyncio.timeout(within_s):
            return await work()
    except (exceptions.RedisError, OSError) as error:
        raise _to_upstream(error) from error


def _to_upstream(error: Exception) -> UpstreamError:
    """UpstreamError BROKEN for an error that Redis answered. The text holds no URL: redis-py names host and port."""
    detail = f"{type(error).__name__}: {error}"
    if isinstance(error, TimeoutError):
        return UpstreamError(SERVICE, UpstreamKind.TIMED_OUT, detail)
    if isinstance(error, OSError):
        return UpstreamError(SERVICE, UpstreamKind.UNREACHABLE, detail)
    kind = next((kind for known, kind in _KINDS if isinstance(error, known)), UpstreamKind.BROKEN)
    return UpstreamError(SERVICE, kind, detail)


async def execute(client: Client, *words: Value) -> Any:
    """One command, in Redis's own words. The answer is plain: bytes, whole numbers, lists, None."""
    return await client.execute_command(*words)  # type: ignore[no-untyped-call]


def add(pipe: Pipeline, *words: Value) -> None:
    """One command to what is sent together by `pipe.execute()`."""
    pipe.execute_command(*words)
