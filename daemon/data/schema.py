"""Bringing a database to the schema that this code needs.

A fresh database is made from the tables and stamped; one at head is left alone; neither imports Alembic. An older one
is upgraded by Alembic in a child process, so that the 22 MB it takes do not stay with the daemon. An SQLite file is
copied to `<data dir>/backups` first; on PostgreSQL an advisory lock makes other processes wait.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy import URL, Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from daemon.core.errors import ConfigError, UpstreamError
from daemon.core.limits import BACKUPS_KEPT
from daemon.data import tables, version
from daemon.data.columns import metadata
from daemon.data.engine import open_engine, parse_url, sqlite_path
from daemon.data.failures import translate

LOCK_KEY = 0x6D617271  # "marq": any number that no other program on the same database uses
_LOCK_WAIT_S = 300  # another process may be upgrading a large database
_MIGRATE_S = 3600

NEWER = 78  # exit status of the child: the revision is not among its migrations


class Change(StrEnum):
    """What `upgrade` did."""

    NONE = "already at head"
    CREATED = "created"
    UPGRADED = "upgraded"


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What was done, from which revision (None: a fresh database), and the copy made before, if any."""

    change: Change
    before: str | None
    head: str
    backup: Path | None = None


async def ensure_head(url: str, data_dir: Path) -> Upgrade:
    """`upgrade`, without holding up the event loop."""
    return await asyncio.to_thread(upgrade, url, data_dir)


def current(url: str) -> str | None:
    """The revision of the database, None when it holds nothing of ours. Writes nothing, and creates no file."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and not sqlite_path(parsed).exists():
        return None
    with _connected(parsed) as tx:
        return version.current(tx)


def upgrade(url: str, data_dir: Path) -> Upgrade:
    """Bring the database to `version.HEAD`.

    ConfigError when it is newer than this code, not ours, or cannot be upgraded; UpstreamError when it does not answer.
    """
    parsed = parse_url(url)
    with _connected(parsed) as tx, _alone(tx):
        before = version.current(tx)
        if before == version.HEAD:
            return Upgrade(Change.NONE, before, version.HEAD)
        if before is None:
            _create(tx)
            return Upgrade(Change.CREATED, None, version.HEAD)
        tx.rollback()  # the child needs the database for itself; other processes are still kept out on PostgreSQL
        backup = None
        if parsed.get_backend_name() == "sqlite":
            backup = back_up(sqlite_path(parsed), data_dir / "backups", before)
        _migrate_in_child(parsed, before)
        return Upgrade(Change.UPGRADED, before, version.HEAD, backup)


def back_up(database: Path, folder: Path, revision: str) -> Path:
    """Copy an SQLite database, consistent even while it is written to; keeps the newest `BACKUPS_KEPT` copies.

    ConfigError when there is no room for it, say: nothing is upgraded without.
    """
    name = f"before-upgrade-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-from-{revision}.sqlite3"
    unfinished = folder / f"{name}.part"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(unfinished)) as copy:
            source.backup(copy)
        backup = unfinished.rename(folder / name)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            unfinished.unlink()
        raise ConfigError([f"the database has to be upgraded, but no copy could be made before: {error}"]) from error
    for old in sorted(folder.glob("before-upgrade-*.sqlite3"))[:-BACKUPS_KEPT]:
        old.unlink()
    return backup


@contextmanager
def _connected(url: URL) -> Iterator[Connection]:
    engine = open_engine(url)
    try:
        with engine.connect() as tx:
            yield tx
    except DBAPIError as error:
        translated = translate(error)
        if isinstance(translated, UpstreamError):
            raise translated from error
        raise
    finally:
        engine.dispose()


@contextmanager
def _alone(tx: Connection) -> Iterator[None]:
    """Keep other processes from changing the schema meanwhile."""
    if tx.dialect.name == "sqlite":
        tx.exec_driver_sql("BEGIN IMMEDIATE")
        yield
        tx.rollback()
        return
    tx.execute(text(f"SET statement_timeout = 0; SET lock_timeout = '{_LOCK_WAIT_S}s'"))
    tx.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})  # of the session: outlives the transaction
    tx.commit()
    try:
        yield
    finally:
        tx.rollback()
        tx.invalidate()  # ends the session, and with it the lock and the setting


def _create(tx: Connection) -> None:
    """Make every table in one transaction, unless something else lives under our names."""
    assert tables  # importing it is what fills `metadata`
    if taken := sorted(set(inspect(tx).get_table_names()) & set(metadata.tables)):
        raise ConfigError(
            [f"the database holds tables named {', '.join(taken)} that Marquee did not make: give it one of its own"]
        )
    metadata.create_all(tx, checkfirst=False)
    version.stamp(tx, version.HEAD)
    tx.commit()


def _migrate_in_child(url: URL, before: str) -> None:
    # The URL holds a password: it goes through a pipe, where no process list shows it.
    done = subprocess.run(
        [sys.executable, "-m", "daemon.data.migrations.run"],
        input=url.render_as_string(hide_password=False),
        capture_output=True,
        text=True,
        timeout=_MIGRATE_S,
        check=False,
    )
    if done.returncode == NEWER:
        problem = f"the database is at revision {before}, which is newer than this Marquee ({version.HEAD})"
        raise ConfigError([f"{problem}: install the newer Marquee again, or restore a backup"])
    if done.returncode != 0:
        reason = done.stderr.strip().rpartition("\n")[2] or f"exit status {done.returncode}"
        raise ConfigError([f"the database could not be upgraded from revision {before}: {reason}"])
