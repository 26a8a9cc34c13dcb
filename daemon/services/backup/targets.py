"""The database that a restore replaces: only when it may, only whole, and never without keeping it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from daemon.core.errors import UpstreamError
from daemon.core.limits import BACKUPS_KEPT
from daemon.data import rows, version
from daemon.data.engine import open_engine, parse_url, sqlite_path
from daemon.data.failures import translate
from daemon.data.schema import LOCK_KEY
from daemon.services.backup.errors import BackupError
from daemon.services.backup.making import make
from daemon.services.backup.place import Place, Report, sync_folder

Fill = Callable[[Connection], None]

_SIDE_FILES = ("-wal", "-shm", "-journal")
_EXCHANGE_WAIT_S = 2.0


def replace_sqlite(place: Place, fill: Fill, *, force: bool, at: datetime) -> Path | None:
    """Build the new file beside the old one and exchange them; where the old one is kept, None when there was none."""
    url = parse_url(place.database_url)
    target = sqlite_path(url).absolute()
    is_there = target.exists() and target.stat().st_size > 0
    if is_there and not force and not _is_empty_file(url):
        raise BackupError(f"{target} already holds data: --force replaces it, and keeps it beside the new one")
    building = target.with_name(f"{target.name}.restoring")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove(building)
        _build(url.set(database=str(building)), fill)
        safety = _set_aside(target, at) if is_there else None
        building.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise BackupError(f"{target} could not be restored: {error.strerror or error}") from error
    finally:
        _remove(building)
    return safety


def replace_postgres(place: Place, fill: Fill, *, force: bool, at: datetime, report: Report) -> Path | None:
    """Drop what is there and put in the new in one transaction; the archive made before, None when nothing was there.

    Nobody else may be connected: a daemon elsewhere would find another database under its feet.
    """
    engine = open_engine(parse_url(place.database_url))
    with _building(engine), engine.connect() as tx:
        tx.execute(text("SET statement_timeout = 0"))
        tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
        _check_nobody_else(tx)
        safety = None
        if not rows.is_empty(tx):
            if not force:
                raise BackupError("the database already holds data: --force makes a backup of it and replaces it")
            safety = _make_safety(place, at, report)
        elif version.current(tx) is None and (taken := rows.taken(tx)):
            raise BackupError(f"the database holds tables named {', '.join(taken)} that Marquee did not make")
        rows.drop_all(tx)
        fill(tx)
        tx.commit()
    return safety


def _make_safety(place: Place, at: datetime, report: Report) -> Path:
    try:
        archive, _ = make(place, at=at, report=report, is_safety=True)
    except BackupError as error:
        raise BackupError(
            f"what the database holds could not be backed up before ({error}): restore into an empty one instead"
        ) from error
    return archive.path


def _check_nobody_else(tx: Connection) -> None:
    others = text(
        """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
           AND application_name = current_setting('application_name') AND pid <> pg_backend_pid()"""
    )
    deadline = time.monotonic() + _EXCHANGE_WAIT_S  # the server takes a moment to notice who has just gone
    while count := tx.execute(others).scalar_one():
        if time.monotonic() > deadline:
            raise BackupError(f"a Marquee is working with the database ({count} connections): stop it first")
        time.sleep(0.1)
        tx.execute(text("SELECT pg_stat_clear_snapshot()"))


def _is_empty_file(url: URL) -> bool:
    engine = open_engine(url)
    try:
        with engine.connect() as tx:
            return rows.is_empty(tx)
    except DBAPIError:
        return False  # damaged, or not a database at all: somebody has to say that it may go
    finally:
        engine.dispose()


def _build(url: URL, fill: Fill) -> None:
    engine = open_engine(url)
    with _building(engine):
        with engine.connect() as tx:
            # A rollback journal: what is added to a new file need not be kept twice. It is synced once, as a whole.
            for pragma in ("journal_mode = DELETE", "synchronous = OFF", "foreign_keys = OFF"):
                tx.exec_driver_sql(f"PRAGMA {pragma}")
            tx.exec_driver_sql("BEGIN IMMEDIATE")
            fill(tx)
            if problems := rows.check_source(tx, lambda: None):
                raise BackupError(f"what was restored is not sound: {problems[0]}")
            tx.commit()
        with sqlite_path(url).open("rb") as file:
            os.fsync(file.fileno())


@contextmanager
def _building(engine: Engine) -> Iterator[None]:
    """What the database says against it, as one sentence; the transaction is undone by then."""
    try:
        yield
    except (DBAPIError, engine.dialect.loaded_dbapi.Error) as error:
        translated = translate(error)
        if isinstance(translated, UpstreamError):
            raise translated from error
        cause = error.orig if isinstance(error, DBAPIError) else error
        reason = str(cause).strip().partition("\n")[0]
        raise BackupError(f"the database does not take what the archive holds: {reason}") from error
    finally:
        engine.dispose()


def _set_aside(target: Path, at: datetime) -> Path:
    """Give the old file a second name, whole, so that there is a database under the first one all the time."""
    safety = target.with_name(f"{target.name}.before-restore-{at:%Y%m%dT%H%M%S.%fZ}")
    try:
        # Folds the log into the file and leaves none behind; only who is alone with a database can do that.
        with closing(sqlite3.connect(target, timeout=_EXCHANGE_WAIT_S)) as alone:
            alone.execute("PRAGMA journal_mode = DELETE").fetchall()
    except sqlite3.Error as error:
        if error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise BackupError(f"another program has {target} open: stop it first") from None
        for suffix in _SIDE_FILES:  # damaged: kept as it is
            with suppress(FileNotFoundError):
                Path(f"{target}{suffix}").rename(f"{safety}{suffix}")
    try:
        os.link(target, safety)
    except OSError:  # a file system without links
        shutil.copyfile(target, safety)
    for old in sorted(target.parent.glob(f"{target.name}.before-restore-*Z"))[:-BACKUPS_KEPT]:
        _remove(old)
    return safety


def _remove(database: Path) -> None:
    for path in (database, *(Path(f"{database}{suffix}") for suffix in _SIDE_FILES)):
        path.unlink(missing_ok=True)
