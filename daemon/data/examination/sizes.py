"""How much room everything takes."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from typing import NamedTuple

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import OperationalError

from daemon.data.columns import metadata
from daemon.data.engine import sqlite_path

_SQLITE_BYTES = text(
    """SELECT objects.tbl_name, objects.type, pages.pgsize FROM dbstat AS pages
       JOIN sqlite_schema AS objects ON objects.name = pages.name WHERE pages.aggregate = 1"""
)
_POSTGRESQL_BYTES = text(
    """SELECT relname, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class
       WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"""
)


class TableSize(NamedTuple):
    """A table; bytes are None where SQLite was built without the means to tell."""

    name: str
    rows: int
    table_bytes: int | None
    index_bytes: int | None


def table_sizes(tx: Connection) -> list[TableSize]:
    """Every table of ours that is there, largest first."""
    there = sorted(set(inspect(tx).get_table_names()) & set(metadata.tables))
    sizes = _sqlite_bytes(tx) if tx.dialect.name == "sqlite" else _postgresql_bytes(tx)
    counted = {name: tx.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one() for name in there}  # noqa: S608
    found = [TableSize(name, counted[name], *sizes.get(name, (None, None))) for name in there]
    return sorted(found, key=lambda table: (-(table.table_bytes or 0) - (table.index_bytes or 0), table.name))


def log_bytes(tx: Connection) -> int | None:
    """Of SQLite's write-ahead log; None for PostgreSQL, whose log belongs to the server."""
    if tx.dialect.name != "sqlite":
        return None
    log = sqlite_path(tx.engine.url).with_name(sqlite_path(tx.engine.url).name + "-wal")
    return log.stat().st_size if log.exists() else 0


def _sqlite_bytes(tx: Connection) -> dict[str, tuple[int, int]]:
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    try:
        for table, kind, size in tx.execute(_SQLITE_BYTES):
            found[table][kind == "index"] += size
    except OperationalError as error:
        if isinstance(error.orig, sqlite3.OperationalError) and "dbstat" in str(error.orig):
            return {}
        raise
    return {name: (sizes[0], sizes[1]) for name, sizes in found.items()}


def _postgresql_bytes(tx: Connection) -> dict[str, tuple[int, int]]:
    return {name: (table, indexes) for name, table, indexes in tx.execute(_POSTGRESQL_BYTES)}
