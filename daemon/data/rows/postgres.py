"""Rows of a PostgreSQL database, by COPY in its binary form: pg_dump need not be installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Connection, text

if TYPE_CHECKING:
    import psycopg

_SEQUENCES = text(
    """SELECT tables.relname, columns.attname,
              pg_get_serial_sequence(quote_ident(tables.relname), columns.attname) AS sequence
       FROM pg_class AS tables JOIN pg_attribute AS columns ON columns.attrelid = tables.oid
       WHERE tables.relnamespace = current_schema()::regnamespace AND tables.relkind = 'r'
         AND columns.attnum > 0 AND NOT columns.attisdropped
         AND pg_get_serial_sequence(quote_ident(tables.relname), columns.attname) IS NOT NULL"""
)


def begin_snapshot(tx: Connection) -> None:
    """One read-only transaction; however long it takes."""
    tx.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    tx.execute(text("SET LOCAL statement_timeout = 0"))


def read(tx: Connection, table: str, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """A row at a time, as the server sends them."""
    types = _types(tx, table, columns)
    with (
        _driver(tx).cursor() as cursor,
        cursor.copy(f'COPY "{table}" ({_listed(columns)}) TO STDOUT (FORMAT BINARY)') as copy,
    ):
        copy.set_types(types)
        yield from copy.rows()


def write(tx: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """One COPY for all."""
    types = _types(tx, table, columns)
    with (
        _driver(tx).cursor() as cursor,
        cursor.copy(f'COPY "{table}" ({_listed(columns)}) FROM STDIN (FORMAT BINARY)') as copy,
    ):
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def read_counters(tx: Connection, tables: Sequence[str]) -> dict[str, int]:
    """Sequences are not part of a snapshot: what is read here may be further, which does no harm."""
    found = {}
    for table, _, sequence in tx.execute(_SEQUENCES):
        last, is_called = tx.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()  # noqa: S608
        if table in tables and is_called:
            found[table] = int(last)
    return found


def raise_counters(tx: Connection, counters: dict[str, int]) -> None:
    """Every sequence, whether it is among `counters` or not: SQLite numbers the rows of some tables without one."""
    for table, column, sequence in tx.execute(_SEQUENCES).all():
        highest = tx.execute(text(f'SELECT max("{column}") FROM "{table}"')).scalar() or 0  # noqa: S608
        if last := max(highest, counters.get(table, 0)):
            tx.execute(text("SELECT setval(cast(:sequence AS regclass), :last)"), {"sequence": sequence, "last": last})


def check_source(tx: Connection, tick: Callable[[], None]) -> list[str]:
    """The server keeps indexes and references; a page it cannot read is an error of the reading itself."""
    return []


def drop_functions(tx: Connection) -> None:
    """The ones that triggers of ours call."""
    tx.execute(text("DROP FUNCTION IF EXISTS audit_log_refuses()"))


def _driver(tx: Connection) -> psycopg.Connection[Any]:
    return cast("psycopg.Connection[Any]", tx.connection.driver_connection)


def _types(tx: Connection, table: str, columns: Sequence[str]) -> list[str]:
    """The columns' types by name, in their order."""
    statement = text(
        """SELECT attname, format_type(atttypid, NULL) AS type FROM pg_attribute
           WHERE attrelid = cast(:table AS regclass) AND attnum > 0 AND NOT attisdropped"""
    )
    types: dict[str, str] = {row.attname: row.type for row in tx.execute(statement, {"table": f'"{table}"'})}
    return [types[column] for column in columns]


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)
