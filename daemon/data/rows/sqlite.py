"""Rows of an SQLite database, on the driver itself: SQLAlchemy would make a result object of each."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection

from daemon.core.errors import MarqueeError

_TICK_STEPS = 1_000_000  # instructions of SQLite's machine: some tens of milliseconds


def begin_snapshot(tx: Connection) -> None:
    """From the first read on nothing changes for this connection; it cannot write."""
    driver = _driver(tx)
    driver.execute("PRAGMA query_only = ON")
    driver.execute("BEGIN")


def read(tx: Connection, table: str, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """A row at a time."""
    return _driver(tx).execute(f"SELECT {_listed(columns)} FROM {_quoted(table)}")  # noqa: S608 - checked names


def write(tx: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """One prepared statement for all."""
    marks = ", ".join("?" * len(columns))
    _driver(tx).executemany(f"INSERT INTO {_quoted(table)} ({_listed(columns)}) VALUES ({marks})", rows)  # noqa: S608


def read_counters(tx: Connection, tables: Sequence[str]) -> dict[str, int]:
    """Of tables with AUTOINCREMENT."""
    rows = _driver(tx).execute("SELECT name, seq FROM sqlite_sequence").fetchall()
    return {name: seq for name, seq in rows if name in tables}


def raise_counters(tx: Connection, counters: dict[str, int]) -> None:
    """SQLite has counted the rows that were written; a counter that was further stays further."""
    driver = _driver(tx)
    counted = dict(driver.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    sql = dict(driver.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'").fetchall())
    for table, last in counters.items():
        if table in counted:
            driver.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (last, table))
        elif "AUTOINCREMENT" in (sql.get(table) or "").upper():
            driver.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, last))


def check_source(tx: Connection, tick: Callable[[], None]) -> list[str]:
    """Broken pages and indexes, rows that refer to nothing; at most ten of each."""
    driver = _driver(tx)
    raised: list[MarqueeError] = []

    def go_on() -> int:
        try:
            tick()
        except MarqueeError as error:  # the driver would swallow it
            raised.append(error)
        return len(raised)

    driver.set_progress_handler(go_on, _TICK_STEPS)
    try:
        return _check(driver)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname != "SQLITE_INTERRUPT":
            raise
        raise (raised[0] if raised else KeyboardInterrupt) from None
    finally:
        driver.set_progress_handler(None, 0)


def _check(driver: sqlite3.Connection) -> list[str]:
    said = "\n".join(row[0] for row in driver.execute("PRAGMA integrity_check(10)"))
    problems = [line for line in said.splitlines() if line != "ok" and not line.startswith("***")]  # *** is a heading
    broken = driver.execute("PRAGMA foreign_key_check").fetchmany(10)
    return problems + [f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is not there" for row in broken]


def drop_functions(tx: Connection) -> None:
    """Triggers go with their tables."""


def _driver(tx: Connection) -> sqlite3.Connection:
    driver = tx.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _quoted(name: str) -> str:
    return f'"{name}"'


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(map(_quoted, columns))
