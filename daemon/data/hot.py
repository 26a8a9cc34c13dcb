"""Statements for hot paths, and `insert` for both databases.

`Connection.execute` costs about as much again as the statement itself. A `Hot` statement is written in SQLAlchemy Core
like any other, compiled once a dialect, and run on the driver's cursor inside the same unit of work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, Connection, Table, bindparam
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


def inserts(tx: Connection, statement: Insert, table: Table) -> bool:
    """Run an INSERT that does nothing on a conflict; whether there was none. Drivers count such rows differently."""
    return tx.execute(statement.on_conflict_do_nothing().returning(*table.primary_key)).first() is not None


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


class HotIn:
    """A statement about any number of values, given as a function of the dialect's name and a list of expressions.

    It is compiled for 1, 2, 4, 8 ... up to `KEYS_MAX` values; a list between is filled up with its last one, which says
    nothing new.
    """

    KEYS_MAX = 512

    def __init__(self, build: Callable[[str, list[BindParameter[Any]]], ClauseElement]) -> None:
        self._build = build
        self._sized: dict[int, Hot] = {}

    def run(self, tx: Connection, keys: Sequence[Any], parameters: Mapping[str, Any]) -> list[DBAPICursor]:
        """The driver's cursors after execution, one for each `KEYS_MAX` keys; none without a key."""
        parts = (keys[at : at + self.KEYS_MAX] for at in range(0, len(keys), self.KEYS_MAX))
        return [self._run(tx, part, parameters) for part in parts]

    def rows(self, tx: Connection, keys: Sequence[Any], parameters: Mapping[str, Any]) -> list[Any]:
        """Run it; all rows that it returns."""
        return [row for cursor in self.run(tx, keys, parameters) for row in cursor.fetchall()]

    def _run(self, tx: Connection, keys: Sequence[Any], parameters: Mapping[str, Any]) -> DBAPICursor:
        size = 1 << (len(keys) - 1).bit_length()
        hot = self._sized.get(size)
        if hot is None:
            names = [f"key_{number}" for number in range(size)]
            hot = self._sized[size] = Hot(lambda dialect: self._build(dialect, [bindparam(name) for name in names]))
        values = {f"key_{number}": key for number, key in enumerate(keys)}
        values |= {f"key_{number}": keys[-1] for number in range(len(keys), size)}
        return hot.run(tx, {**values, **parameters})


class HotInsert:
    """An INSERT of any number of rows of a table, every value given, in statements of up to `ROWS_MAX` rows.

    One long statement lets other threads run meanwhile; the driver stops them for each row of an `executemany`.
    Values go to the driver as they are, as with `Hot`, in the order of `columns`. On SQLite, where binding them is half
    of the cost, a value that all rows of a statement have in a column is bound once.
    """

    ROWS_MAX = 50
    _TEXTS_MAX = 200  # which columns are shared may differ from one statement to the next

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        self._head = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES "  # noqa: S608  names of our own
        self._width = len(columns)
        self._texts: dict[tuple[int, ...], str] = {}

    def run(self, tx: Connection, rows: Sequence[Sequence[Any]]) -> None:
        """Insert the rows in their order."""
        cursor = tx.connection.cursor()
        bind = self._bind_numbered if tx.dialect.name == "sqlite" else self._bind
        for start in range(0, len(rows), self.ROWS_MAX):
            sql, values = bind(rows[start : start + self.ROWS_MAX])
            try:
                cursor.execute(sql, values)
            except tx.dialect.loaded_dbapi.Error as error:
                raise _to_core(error, sql, tx) from error

    def _bind(self, rows: Sequence[Sequence[Any]]) -> tuple[str, list[Any]]:
        """For psycopg: a mark for each value."""
        sql = self._texts.get((-len(rows),))  # no key of the other dialect: one process may use both
        if sql is None:
            row = f"({', '.join(['%s'] * self._width)})"
            sql = self._texts[-len(rows),] = self._head + ", ".join([row] * len(rows))
        return sql, list(chain.from_iterable(rows))

    def _bind_numbered(self, rows: Sequence[Sequence[Any]]) -> tuple[str, list[Any]]:
        """For SQLite: first what all rows share, then what differs, column by column."""
        columns = list(zip(*rows, strict=True))
        shared = [number for number, column in enumerate(columns) if column.count(column[0]) == len(rows)]
        sql = self._texts.get((len(rows), *shared))
        if sql is None:
            if len(self._texts) >= self._TEXTS_MAX:
                self._texts.clear()
            sql = self._texts[len(rows), *shared] = self._head + _numbered(self._width, shared, len(rows))
        values = [columns[number][0] for number in shared]
        is_shared = frozenset(shared)
        for number, column in enumerate(columns):
            if number not in is_shared:
                values.extend(column)
        return sql, values


def _numbered(width: int, shared: Sequence[int], rows: int) -> str:
    """`(?1, ?2), (?1, ?3)` for two rows of two columns, of which they share the first."""
    first = {number: at for at, number in enumerate(shared, 1)}
    free = [number for number in range(width) if number not in first]
    starts = {number: len(shared) + 1 + at * rows for at, number in enumerate(free)}
    marks = (
        ", ".join(f"?{first[number] if number in first else starts[number] + row}" for number in range(width))
        for row in range(rows)
    )
    return ", ".join(f"({row})" for row in marks)


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
