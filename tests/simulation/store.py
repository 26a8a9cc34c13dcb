"""The store of the simulation: units run in place on one SQLite file, and what can go wrong with a database does."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.data import tables, version
from daemon.data.columns import metadata
from daemon.data.engine import open_engine, parse_url
from daemon.data.failures import translate
from daemon.data.store.told import Listener, Listeners, begin

T = TypeVar("T")


@dataclass
class Trouble:
    """How often, in a hundred, which fault strikes; all of them at rest once `is_on` is False."""

    rng: random.Random
    refused: int = 4  # before the unit begins
    undone: int = 3  # after it ran
    answer_lost: int = 4  # after the commit
    is_on: bool = True
    log: list[str] = field(default_factory=list)

    def strikes(self, what: str, percent: int) -> bool:
        """Draw, and write down what strikes."""
        if not self.is_on or self.rng.randrange(100) >= percent:
            return False
        self.log.append(what)
        return True


class Database:
    """What survives every crash."""

    def __init__(self, path: Path) -> None:
        assert tables
        self.engine = open_engine(parse_url(f"sqlite:///{path}"))
        self.connection = self.engine.connect()
        self.driver: Any = self.connection.connection.driver_connection
        self.driver.execute("PRAGMA synchronous = OFF")
        metadata.create_all(self.connection)
        version.stamp(self.connection, version.HEAD)
        self.connection.commit()
        self.units = 0

    def run(self, unit: Callable[[Connection], T]) -> T:
        """One transaction."""
        self.driver.execute("BEGIN IMMEDIATE")
        try:
            result = unit(self.connection)
        except BaseException:
            self.end("ROLLBACK")
            raise
        self.end("COMMIT")
        return result

    def end(self, how: str) -> None:
        """Commit or roll back, whoever began."""
        if self.connection.in_transaction():
            (self.connection.commit if how == "COMMIT" else self.connection.rollback)()
        else:
            self.driver.execute(how)

    def close(self) -> None:
        """End."""
        self.connection.close()
        self.engine.dispose()


class SimStore:
    """One process's way to the database; it has the interface of `Store`. A dead process writes nothing any more."""

    dialect = "sqlite"

    def __init__(self, database: Database, trouble: Trouble, rng: random.Random) -> None:
        self._database = database
        self._trouble = trouble
        self._rng = rng
        self._listeners = Listeners()
        self.is_dead = False

    def on_commit(self, topic: str, listener: Listener) -> Callable[[], None]:
        """As `Store.on_commit`."""
        return self._listeners.add(topic, listener)

    async def write(self, unit: Callable[[Connection], T]) -> T:
        """Run it, or fail in one of the three ways in which a database fails."""
        await self._wait()
        if self._trouble.strikes("refused", self._trouble.refused):
            raise _away("refused")
        told = begin()
        self._database.units += 1
        try:
            result = self._database.run(lambda tx: self._with_fault(unit(tx)))
        except Exception as error:
            raise translate(error) from error
        if told:
            self._listeners.tell(told)
        await self._wait()
        if self._trouble.strikes("answer lost", self._trouble.answer_lost):
            raise _away("committed, and the answer lost")
        return result

    async def read(self, unit: Callable[[Connection], T]) -> T:
        """Run it and undo it."""
        await self._wait()
        if self._trouble.strikes("refused", self._trouble.refused):
            raise _away("refused")
        self._database.driver.execute("BEGIN")
        try:
            return unit(self._database.connection)
        finally:
            self._database.end("ROLLBACK")

    def _with_fault(self, result: T) -> T:
        if self._trouble.strikes("undone", self._trouble.undone):
            raise _away("undone")
        return result

    async def _wait(self) -> None:
        await asyncio.sleep(self._rng.random() * 0.02)
        if self.is_dead:
            await asyncio.Event().wait()  # until the task is cancelled


def _away(detail: str) -> UpstreamError:
    return UpstreamError("The database", UpstreamKind.UNREACHABLE, detail)
