"""Statements for hot paths, and `insert` for both databases.

`Connection.execute` costs about as much again as the statement itself. A `Hot` statement is written in SQLAlchemy Core
like any other, compiled once a dialect, and run on the driver's cursor inside the same unit of work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPICursor


def insert(dialect_name: str, table: Table) -> Insert:
    """An INSERT that knows `on_conflict_do_nothing` and `on_conflict_do_update` on either database."""
    if dialect_name == "postgresql":
        # Imported late: a daemon on SQLite does without the PostgreSQL dialects.
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert

        return postgresql_insert(table)  # type: ignore[return-value]  # the same methods, of another class
    return sqlite_insert(table)


class Hot:
    """A statement, given as a function of the dialect's name, with every value a named `bindparam`.

    Parameters go to the driver as they are: `Instant` columns want `to_micros`, `JsonObject` columns `to_json`.
    """

    def __init__(self, build: Callable[[str], ClauseElement]) -> None:
        self._build = build
        self._compiled: dict[str, str] = {}

    def run(self, tx: Connection, parameters: Mapping[str, Any]) -> DBAPICursor:
        """The driver's cursor after execution: `fetchone()`, `rowcount`."""
        sql = self._sql(tx)
        cursor = tx.connection.cursor()
        try:
            cursor.execute(sql, parameters)
        except tx.dialect.loaded_dbapi.Error as error:
            raise _to_core(error, sql, tx) from error
        return cursor

    def run_many(self, tx: Connection, parameters: Sequence[Mapping[str, Any]]) -> int:
        """Run it once for each; how many rows were changed in all."""
        sql = self._sql(tx)
        cursor = tx.connection.cursor()
        try:
            cursor.executemany(sql, parameters)
        except tx.dialect.loaded_dbapi.Error as error:
            raise _to_core(error, sql, tx) from error
        return cursor.rowcount

    def _sql(self, tx: Connection) -> str:
        sql = self._compiled.get(tx.dialect.name)
        if sql is None:
            # Both engines are made with a named parameter style, so the text fits a mapping on either driver.
            sql = self._compiled[tx.dialect.name] = str(self._build(tx.dialect.name).compile(dialect=tx.dialect))
        return sql


class HotInsert:
    """An INSERT of any number of rows of a table, every value given, in statements of up to `ROWS_MAX` rows.

    One long statement lets other threads run meanwhile; the driver stops them for each row of an `executemany`.
    Values go to the driver as they are, as with `Hot`, in the order of `columns`.
    """

    ROWS_MAX = 50

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        self._head = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES "  # noqa: S608  names of our own
        self._width = len(columns)
        self._texts: dict[tuple[str, int], str] = {}

    def run(self, tx: Connection, rows: Sequence[Sequence[Any]]) -> None:
        """Insert the rows in their order."""
        cursor = tx.connection.cursor()
        for start in range(0, len(rows), self.ROWS_MAX):
            part = rows[start : start + self.ROWS_MAX]
            sql = self._text(tx.dialect.name, len(part))
            try:
                cursor.execute(sql, list(chain.from_iterable(part)))
            except tx.dialect.loaded_dbapi.Error as error:
                raise _to_core(error, sql, tx) from error

    def _text(self, dialect: str, rows: int) -> str:
        text = self._texts.get((dialect, rows))
        if text is None:
            mark = "%s" if dialect == "postgresql" else "?"
            row = f"({', '.join([mark] * self._width)})"
            text = self._texts[dialect, rows] = self._head + ", ".join([row] * rows)
        return text


def _to_core(error: Exception, sql: str, tx: Connection) -> BaseException:
    """The error that `Connection.execute` would have raised: callers need to know one vocabulary only."""
    driver: Any = tx.connection.driver_connection
    if is_lost := tx.dialect.is_disconnect(error, driver, None):  # type: ignore[arg-type]
        tx.invalidate(error)  # the pool must not lend it again
    return DBAPIError.instance(
        sql,
        None,
        error,
        tx.dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=is_lost,
        dialect=tx.dialect,
    )
