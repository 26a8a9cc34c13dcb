"""Statements for hot paths, and `insert` for both databases.

`Connection.execute` costs about as much again as the statement itself. A `Hot` statement is written in SQLAlchemy Core
like any other, compiled once a dialect, and run on the driver's cursor inside the same unit of work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
            raise self._to_core(error, sql, tx) from error
        return cursor

    def run_many(self, tx: Connection, parameters: Sequence[Mapping[str, Any]]) -> int:
        """Run it once for each; how many rows were changed in all."""
        sql = self._sql(tx)
        cursor = tx.connection.cursor()
        try:
            cursor.executemany(sql, parameters)
        except tx.dialect.loaded_dbapi.Error as error:
            raise self._to_core(error, sql, tx) from error
        return cursor.rowcount

    def _sql(self, tx: Connection) -> str:
        sql = self._compiled.get(tx.dialect.name)
        if sql is None:
            # Both engines are made with a named parameter style, so the text fits a mapping on either driver.
            sql = self._compiled[tx.dialect.name] = str(self._build(tx.dialect.name).compile(dialect=tx.dialect))
        return sql

    def _to_core(self, error: Exception, sql: str, tx: Connection) -> BaseException:
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
