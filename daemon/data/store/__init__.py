"""The store: units of work, run whole and committed before the caller goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeAlias, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from daemon.data import version
from daemon.data.engine import open_engine, parse_url
from daemon.data.failures import unreachable
from daemon.data.store import postgres, sqlite
from daemon.data.store.lane import Lane
from daemon.data.store.told import Listener, Listeners, after_commit
from daemon.kernel.metrics import Metrics
from daemon.kernel.trace import is_recording, span

__all__ = ["Store", "Unit", "after_commit"]

T = TypeVar("T")

Unit: TypeAlias = Callable[[Connection], T]
"""A plain function of a `Connection` that reads and writes, and returns plain values.

It runs in a thread, so it touches nothing but its arguments and the database; it may be run again from the start
(after a deadlock, or because a unit failed that would have shared its commit), so it has no other effects; it neither
commits nor rolls back. Raising undoes it.
"""

_SQLITE_READERS = 2  # measured: more are slower
_POSTGRESQL_WRITERS = 6
_POSTGRESQL_READERS = 4  # together the size of the pool, so that no thread ever waits for a connection


class Store:
    """The one door to the database, on the event loop that opened it.

    On SQLite the units that wait share one commit; on PostgreSQL each is a transaction. Either way a unit happens
    whole or not at all, and has been committed when `write` returns. A database that is full of work, gone, or refuses
    to write raises `UpstreamError`; it is used again by itself once it is back.
    """

    def __init__(self, engine: Engine, writers: Lane, readers: Lane, listeners: Listeners) -> None:
        self._engine = engine
        self._writers = writers
        self._readers = readers
        self._listeners = listeners

    @classmethod
    async def open(cls, url: str, *, metrics: Metrics) -> Store:
        """Open `sqlite:///path` or `postgresql://...`, already migrated (`schema.ensure_head`).

        ConfigError for a URL we cannot use, UpstreamError when the database does not answer.
        """
        engine = await asyncio.to_thread(open_engine, parse_url(url))
        listeners = Listeners()
        if engine.dialect.name == "sqlite":
            writers = Lane("write", partial(sqlite.Writer, engine, metrics), 1, metrics, listeners.tell)
            readers = Lane("read", partial(sqlite.Reader, engine), _SQLITE_READERS, metrics)
        else:
            make_writer = partial(postgres.Writer, engine, metrics)
            writers = Lane("write", make_writer, _POSTGRESQL_WRITERS, metrics, listeners.tell)
            readers = Lane("read", partial(postgres.Reader, engine), _POSTGRESQL_READERS, metrics)
        store = cls(engine, writers, readers, listeners)
        try:
            await store.ping()
        except BaseException:
            await store.close()
            raise
        return store

    async def write(self, unit: Unit[T]) -> T:
        """Run `unit`; what it wrote is committed when this returns, and undone when this raises."""
        if not is_recording():
            return await self._writers.submit(unit)
        with span("store.write", unit=unit):
            return await self._writers.submit(unit)

    async def read(self, unit: Unit[T]) -> T:
        """Run `unit` on a consistent snapshot; writing in it is an error."""
        if not is_recording():
            return await self._readers.submit(unit)
        with span("store.read", unit=unit):
            return await self._readers.submit(unit)

    def on_commit(self, topic: str, listener: Listener) -> Callable[[], None]:
        """Have `listener` called on the event loop with what committed units said by `after_commit`.

        Units that shared a commit are told together. What is returned ends it.
        """
        return self._listeners.add(topic, listener)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    async def ping(self) -> None:
        """Return when the database takes writes and is at head; UpstreamError otherwise. Costs one small write."""
        try:
            is_at_head = await self.write(version.touch)
        except DBAPIError as error:
            raise unreachable("it holds no tables of Marquee") from error
        if not is_at_head:
            raise unreachable(f"it is not at revision {version.HEAD}")

    async def close(self) -> None:
        """Finish what waits, then close. Units given afterwards are refused."""
        await self._readers.close()
        await self._writers.close()
        await asyncio.to_thread(self._engine.dispose)
