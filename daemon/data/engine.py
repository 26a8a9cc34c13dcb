"""SQLAlchemy engines, set up the way the store and the migrations need them."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from daemon.core.errors import ConfigError
from daemon.core.limits import DATABASE_WAIT_S, STATEMENT_S

POOL_MIN = 5  # connections kept open
POOL_MAX = 10  # measured: throughput falls again beyond this

_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA temp_store = MEMORY",
    # Pages, 64 MB. The log is moved into the file once a second, beside the writer; with SQLite's own 1,000 a busy
    # queue had commits wait for the disk several times between.
    "PRAGMA wal_autocheckpoint = 16384",
)


def parse_url(url: str) -> URL:
    """The URL of a database we can use; ConfigError, without the password, for any other."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError(["database.url is not a URL like sqlite:///file or postgresql://user@host/name"]) from None
    dialect = parsed.get_backend_name()
    if dialect == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise ConfigError(["database.url names no file: write sqlite:///relative/path or sqlite:////absolute/path"])
        return parsed.set(drivername="sqlite")
    if dialect == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    raise ConfigError([f"database.url: {dialect} is not supported, only sqlite and postgresql"])


def sqlite_path(url: URL) -> Path:
    """Where the file of an SQLite URL is."""
    return Path(url.database or "")


def open_engine(url: URL) -> Engine:
    """An engine without connections yet. Values of statements never appear in its errors or logs."""
    return _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)


def _sqlite(url: URL) -> Engine:
    engine = create_engine(
        url,
        poolclass=NullPool,  # the store keeps its own connection a thread
        paramstyle="named",
        hide_parameters=True,
        # The driver must not begin transactions by itself: the store says BEGIN IMMEDIATE.
        connect_args={"isolation_level": None} | ({} if "timeout" in url.query else {"timeout": DATABASE_WAIT_S}),
    )
    path = sqlite_path(url)

    @event.listens_for(engine, "do_connect")
    def create_private(*_: Any) -> None:
        # It holds keys and what people watch. SQLite gives its side files the mode of the database.
        # Only ever a new file: closing one that this process has open elsewhere would give up SQLite's locks on it
        # (POSIX forgets all locks of a process with any descriptor), and whoever closes it next deletes the log in use.
        with contextlib.suppress(OSError):  # it is there; or SQLite will fail as well, and say why
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: Any) -> None:
        for pragma in _SQLITE_PRAGMAS:
            connection.execute(pragma)

    return engine


def _postgresql(url: URL) -> Engine:
    settings = {"statement_timeout": STATEMENT_S, "lock_timeout": DATABASE_WAIT_S}
    defaults: dict[str, Any] = {
        "application_name": "marquee",
        "connect_timeout": int(DATABASE_WAIT_S),
        "keepalives_idle": 30,
        "tcp_user_timeout": 10_000,  # ms without an acknowledgement until a dead peer is noticed
        "options": " ".join(f"-c {name}={int(seconds * 1000)}" for name, seconds in settings.items()),
    }
    return create_engine(
        url,
        pool_size=POOL_MIN,
        max_overflow=POOL_MAX - POOL_MIN,
        pool_timeout=DATABASE_WAIT_S,
        pool_pre_ping=True,
        pool_use_lifo=True,
        hide_parameters=True,
        connect_args={name: value for name, value in defaults.items() if name not in url.query},
    )
