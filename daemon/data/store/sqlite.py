"""SQLite: one writer with group commit, readers beside it.

`synchronous = NORMAL`: a commit is one write to the log, without waiting for the disk. A crash or `kill -9` of the
daemon loses nothing that was confirmed, whatever the moment. A power failure could lose what the disk had not been
told yet; therefore a thread beside the writer syncs the log at most `STORE_SYNC_S` after a commit. The database is
consistent in any case, effects are keyed and reconciled, and FULL would have put a disk flush (0.3 ms on a good disk,
10 to 80 ms on a spinning one, an SD card or a virtual disk) before every single answer.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from daemon.core.limits import STORE_GROUP_MAX, STORE_SYNC_S
from daemon.data.store.lane import Job
from daemon.kernel.metrics import Metrics

_MOVE = "PRAGMA wal_checkpoint(PASSIVE)"
_LONG_LOG = 4096  # pages, 16 MB
_CAREFUL_GROUPS = 64  # after a unit failed, so many groups expect that of each of theirs


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

    def end(self) -> None:
        """There is no more work."""
        self.close()

    def close(self) -> None:
        """Close the connection, undoing what was not committed."""
        if self._open is not None:
            tx, _ = self._open
            self._open = None
            tx.invalidate()  # rather than only close, which would first try to end the transaction in order
            tx.close()


class Writer(_Worker):
    """Commits waiting units together; one that fails undoes only itself.

    A SAVEPOINT a unit is what that takes, and a tenth of the work. So a group does without at first; when a unit fails,
    all is undone and the others run again with them, as do the groups that follow.
    """

    group_max = STORE_GROUP_MAX

    def __init__(self, engine: Engine, metrics: Metrics) -> None:
        super().__init__(engine)
        self._metrics = metrics
        self._syncer = Syncer(engine)
        self._careful = 0  # groups to come that run with a SAVEPOINT a unit

    def run(self, jobs: list[Job[Any]]) -> None:
        """One transaction for all. When it cannot begin or commit, none of the jobs happened."""
        try:
            tx, driver = self.connect()
            if self._syncer.is_rest_wanted():
                driver.execute(_MOVE).fetchall()
            driver.execute("BEGIN IMMEDIATE")
            is_changed = _run_alone(jobs[0], tx, driver) if len(jobs) == 1 else self._run_group(jobs, tx, driver)
            started = time.perf_counter()
            _end(tx, driver, "COMMIT" if is_changed else "ROLLBACK")
        except BaseException:
            self.close()
            raise
        self._metrics.store_commit_seconds.observe(time.perf_counter() - started)
        self._metrics.store_group_size.observe(len(jobs))
        self._syncer.note_commit()

    def _run_group(self, jobs: list[Job[Any]], tx: Connection, driver: sqlite3.Connection) -> bool:
        if self._careful:
            self._careful -= 1
            _run_apart(jobs, tx, driver)
        elif (failed := _run_together(jobs, tx, driver)) is not None:
            self._careful = _CAREFUL_GROUPS
            _end(tx, driver, "ROLLBACK")
            driver.execute("BEGIN IMMEDIATE")
            # What failed has its answer: it saw what it would see again.
            _run_apart([job for job in jobs if job is not failed], tx, driver)
        return True

    def end(self) -> None:
        """Sync what was not, then close."""
        self._syncer.close()
        super().end()


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


class Syncer:
    """Has the disk told of commits: a thread with a connection of its own, for as long as a writer works.

    First the log is synced, which is what takes long, then moved into the database file as far as readers allow. A
    writer that goes on meanwhile is always some pages ahead, and only a log that was moved whole begins anew: when it
    has grown, the writer is asked to move the rest, which is little by then.
    """

    def __init__(self, engine: Engine) -> None:
        self._worker = _Worker(engine)
        self._log = f"{engine.url.database}-wal"
        self._is_due = threading.Event()
        self._is_closing = threading.Event()
        self._is_rest_wanted = False
        self._thread = threading.Thread(target=self._run, name="store-sync", daemon=True)
        self._thread.start()

    def note_commit(self) -> None:
        """There is something to sync."""
        self._is_due.set()

    def is_rest_wanted(self) -> bool:
        """Whether the writer shall move the rest of the log now; said once."""
        wanted, self._is_rest_wanted = self._is_rest_wanted, False
        return wanted

    def close(self) -> None:
        """Sync what is left, and return when that is done."""
        self._is_closing.set()
        self._is_due.set()
        self._thread.join()

    def _run(self) -> None:
        is_closing = False
        while not is_closing:
            self._is_due.wait()
            is_closing = self._is_closing.wait(STORE_SYNC_S)
            self._is_due.clear()
            self._sync()
        self._worker.close()

    def _sync(self) -> None:
        try:
            _, driver = self._worker.connect()
            _sync_file(self._log)
            _, pages, _ = driver.execute(_MOVE).fetchone()
            self._is_rest_wanted = pages > _LONG_LOG
        except (sqlite3.Error, DBAPIError, OSError):
            with contextlib.suppress(sqlite3.Error, DBAPIError):
                self._worker.close()  # opened again at the next commit; units tell their callers what is wrong


def _sync_file(path: str) -> None:
    # SQLite keeps no locks on its log, so that opening and closing it here gives none up.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _run_alone(job: Job[Any], tx: Connection, driver: sqlite3.Connection) -> bool:
    job.run(tx)
    _check(job, driver)
    return job.error is None


def _run_together(jobs: list[Job[Any]], tx: Connection, driver: sqlite3.Connection) -> Job[Any] | None:
    """The first unit that fails, those behind it not run; what those before it wrote is then to be undone with it."""
    for job in jobs:
        job.run(tx)
        _check(job, driver)
        if job.error is not None:
            return job
    return None


def _run_apart(jobs: list[Job[Any]], tx: Connection, driver: sqlite3.Connection) -> None:
    for job in jobs:
        driver.execute("SAVEPOINT unit")
        job.run(tx)
        _check(job, driver)
        if job.error is not None:
            driver.execute("ROLLBACK TO unit")
        driver.execute("RELEASE unit")


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
