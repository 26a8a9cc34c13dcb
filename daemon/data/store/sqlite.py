"""SQLite: one writer with group commit, readers beside it.

`synchronous = NORMAL`: a commit is one write to the log, without waiting for the disk. A crash or `kill -9` of the
daemon loses nothing that was confirmed, whatever the moment. A power failure could lose what the disk had not been
told yet; therefore the writer syncs the log at most `STORE_SYNC_S` after a commit, in its own time and not in the
caller's. The database is consistent in any case, effects are keyed and reconciled, and FULL would have put
a disk flush (0.3 ms on a good disk, 10 to 30 ms on a spinning one or an SD card) before every single answer.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from sqlalchemy import Connection, Engine

from daemon.core.limits import STORE_GROUP_MAX, STORE_SYNC_S
from daemon.data.store.lane import Job
from daemon.kernel.metrics import Metrics


class _Worker:
    """One thread's connection, opened at first use and again after it broke."""

    def __init__(self, engine: Engine, pragmas: tuple[str, ...] = ()) -> None:
        self._engine = engine
        self._pragmas = pragmas
        self._open: tuple[Connection, sqlite3.Connection] | None = None

    def connect(self) -> tuple[Connection, sqlite3.Connection]:
        """The connection for units, and the driver's below it."""
        if self._open is None:
            tx = self._engine.connect()
            driver = tx.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            for pragma in self._pragmas:
                driver.execute(pragma)
            self._open = tx, driver
        return self._open

    def close(self) -> None:
        """Close the connection, undoing what was not committed."""
        if self._open is not None:
            tx, _ = self._open
            self._open = None
            tx.invalidate()  # rather than only close, which would first try to end the transaction in order
            tx.close()


class Writer(_Worker):
    """Commits waiting units together, each in a SAVEPOINT of its own so that a failing one undoes only itself."""

    group_max = STORE_GROUP_MAX

    def __init__(self, engine: Engine, metrics: Metrics) -> None:
        super().__init__(engine)
        self._metrics = metrics
        self._unsynced_since: float | None = None

    def run(self, jobs: list[Job[Any]]) -> None:
        """One transaction for all. When it cannot begin or commit, none of the jobs happened."""
        try:
            tx, driver = self.connect()
            driver.execute("BEGIN IMMEDIATE")
            is_changed = _run_alone(jobs[0], tx, driver) if len(jobs) == 1 else _run_group(jobs, tx, driver)
            started = time.perf_counter()
            _end(tx, driver, "COMMIT" if is_changed else "ROLLBACK")
        except BaseException:
            self.close()
            raise
        self._metrics.store_commit_seconds.observe(time.perf_counter() - started)
        self._metrics.store_group_size.observe(len(jobs))
        if self._unsynced_since is None:
            self._unsynced_since = time.monotonic()

    def patience_s(self) -> float | None:
        """Until the next sync is due."""
        if self._unsynced_since is None:
            return None
        return max(0.0, self._unsynced_since + STORE_SYNC_S - time.monotonic())

    def rest(self) -> None:
        """Sync the log to the disk and move it into the database file, as far as readers allow."""
        self._unsynced_since = None
        if self._open is None:
            return
        try:
            self._open[1].execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.Error:
            self.close()  # the next unit opens it again, or tells its caller why that cannot be


class Reader(_Worker):
    """Gives each unit one consistent snapshot that it cannot write to."""

    group_max = 1

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, ("PRAGMA query_only = ON",))

    def run(self, jobs: list[Job[Any]]) -> None:
        """Run the job in a read transaction."""
        try:
            tx, driver = self.connect()
            driver.execute("BEGIN")
            jobs[0].run(tx)
            _end(tx, driver, "ROLLBACK")
        except BaseException:
            self.close()
            raise

    def patience_s(self) -> None:
        """Readers have nothing to put off."""

    def rest(self) -> None:
        """Nothing was put off."""


def _run_alone(job: Job[Any], tx: Connection, driver: sqlite3.Connection) -> bool:
    job.run(tx)
    _check(job, driver)
    return job.error is None


def _run_group(jobs: list[Job[Any]], tx: Connection, driver: sqlite3.Connection) -> bool:
    for job in jobs:
        driver.execute("SAVEPOINT unit")
        job.run(tx)
        _check(job, driver)
        if job.error is not None:
            driver.execute("ROLLBACK TO unit")
        driver.execute("RELEASE unit")
    return True


def _check(job: Job[Any], driver: sqlite3.Connection) -> None:
    """The transaction must have outlived the unit: SQLite ends it by itself when the disk is full, say."""
    if not driver.in_transaction:
        raise job.error or RuntimeError("a unit of work must not commit or roll back")


def _end(tx: Connection, driver: sqlite3.Connection, how: str) -> None:
    # SQLAlchemy notices a transaction only when a unit used it; it then has to be told that it ended.
    if not tx.in_transaction():
        driver.execute(how)
    elif how == "COMMIT":
        tx.commit()
    else:
        tx.rollback()
